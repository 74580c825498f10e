"""Following events: keep how they are, and note who may have to hear of it. Their facts come in order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.following import OLD
from services.notify.commands.noticing import BOTH, MAIL_ONLY, Look, know, look_at
from services.notify.commands.reminding import remind_of_event
from services.notify.queries.states import Key
from services.notify.tables import Event
from shared.contracts.base import Fact, Snapshot
from shared.contracts.directory.words import STAFF
from shared.contracts.events.facts import (
    EventCancelledV1,
    EventChangedV1,
    EventHeldV1,
    EventHiddenV1,
    EventProposedV1,
    EventPublishedV1,
    EventReturnedV1,
    EventShownV1,
    EventSnapshotV1,
)
from shared.contracts.events.words import OPEN, EventPart, EventStatus, SignUpStatus
from shared.contracts.notify.words import About, Channel
from shared.kit.ids import Ids

_STATUS: Mapping[type[Fact], EventStatus] = {
    EventProposedV1: EventStatus.AWAITING,
    EventReturnedV1: EventStatus.DRAFT,
    EventPublishedV1: EventStatus.PUBLISHED,
    EventChangedV1: EventStatus.CHANGED,
    EventCancelledV1: EventStatus.CANCELLED,
    EventHeldV1: EventStatus.HELD,
}
_FELT = frozenset({EventPart.TIME, EventPart.PLACE})
"""Parts whose change those who come must hear of."""
_BY_WHOM = (EventPublishedV1, EventHiddenV1, EventShownV1, EventCancelledV1, EventSnapshotV1)
"""Of these it counts who did it, also when somebody else changes a word of the event before that is told."""

_SIGNED_UP = text("""
    SELECT id, person, hub, guest FROM sign_up WHERE event = :event AND status = ANY(:statuses) ORDER BY id
""")
_PEOPLE = text("""
    SELECT m.person, EXISTS (SELECT 1 FROM choice c WHERE c.person = m.person AND c.hub IN ('', m.hub)
                             AND c.kind = 'programme' AND c.channel = 'inbox' AND c.pace <> 'off') AS inbox
    FROM member m WHERE m.hub = :hub AND m.role IS NOT NULL AND NOT m.person = ANY(CAST(:but AS uuid[])) ORDER BY m.person
""")
_STAFF = text("SELECT person FROM member WHERE hub = :hub AND role = ANY(:roles) ORDER BY person")
AT_ONCE = 2000
"""Notices in one statement: a hub may have many people."""


@dataclass(frozen=True)
class Before:
    """How the event was before the fact."""

    status: str | None
    start: datetime | None


UNHEARD = Before(None, None)
"""Nothing had been heard of it."""


async def follow_event(
    session: AsyncSession, fact: Any, *, now: datetime, gather: timedelta, ids: Ids
) -> None:
    """Keep an event as a fact says, the facts before it having been taken in; note whom to tell."""
    event = await session.get(Event, UUID(fact.subject), with_for_update=True)
    before = UNHEARD if event is None else Before(event.status, event.starts_at)
    if event is None:
        event = Event(id=UUID(fact.subject), hub=fact.hub, titles={}, hidden=False, venue_lost=False)
        session.add(event)
    _keep(event, fact, before)
    await session.flush()
    # Nobody hears of what is over, and a federation's history is long.
    if event.ends_at > now:
        await _notice(session, fact, event, before, now=now, gather=gather, ids=ids)
    moved = before.start is not None and before.start != event.starts_at
    await remind_of_event(session, event.id, moved=moved, now=now, ids=ids)


async def _notice(
    session: AsyncSession,
    fact: Any,
    event: Event,
    before: Before,
    *,
    now: datetime,
    gather: timedelta,
    ids: Ids,
) -> None:
    """Note whom to look at it for; of what is old, or stated again for the first time, everybody knows."""
    looks = await _looks(session, fact, event, before, now)
    if now - fact.occurred_at > OLD or (isinstance(fact, Snapshot) and before is UNHEARD):
        everybody = [*looks, *await _places(session, event, tuple(SignUpStatus))]
        await know(session, [look.key for look in everybody if look.about is not About.PROGRAMME], now=now)
    else:
        if isinstance(fact, EventProposedV1):
            # Whoever runs it knows: when it is published or given back that is news, however soon.
            await know(session, [Key(one, About.ORGANISING, event.id) for one in event.organisers], now=now)
        for first in range(0, len(looks), AT_ONCE):
            await look_at(session, looks[first : first + AT_ONCE], now=now, gather=gather, ids=ids)


def _keep(event: Event, fact: Any, before: Before) -> None:
    event.status = _status(fact, before)
    event.visibility = fact.visibility
    event.starts_at, event.ends_at = fact.start, fact.end
    event.space, event.online = fact.space, fact.online
    event.organisers, event.series = list(fact.organisers), fact.series
    if before is UNHEARD or isinstance(fact, _BY_WHOM):
        event.by = fact.by
    event.version = fact.subject_version
    # What is hidden is stated without its titles; they are kept for who runs it, and for when it is shown again.
    event.titles = getattr(fact, "titles", None) or event.titles
    if isinstance(fact, (EventHiddenV1, EventShownV1)):
        event.hidden = isinstance(fact, EventHiddenV1)
    elif isinstance(fact, EventSnapshotV1):
        event.hidden = fact.hidden
    if isinstance(fact, EventPublishedV1):
        event.venue_lost = False
    elif isinstance(fact, EventChangedV1):
        has_place = EventPart.PLACE in fact.changed
        event.venue_lost = fact.venue_lost or (event.venue_lost and not has_place)


def _status(fact: Any, before: Before) -> str:
    if isinstance(fact, EventSnapshotV1):
        return str(fact.status)
    if isinstance(fact, (EventHiddenV1, EventShownV1)):
        return before.status or EventStatus.PUBLISHED  # only what has been published is hidden
    return _STATUS[type(fact)]


async def _looks(session: AsyncSession, fact: Any, event: Event, before: Before, now: datetime) -> list[Look]:
    """Everybody who may have to hear of the fact; those who knew something else are told, and nobody else."""
    looks: list[Look] = []
    cancelled = event.status == EventStatus.CANCELLED
    if not isinstance(fact, EventHeldV1):
        looks += [Look(one, event.hub, About.ORGANISING, event.id, cancelled) for one in event.organisers]
    if isinstance(fact, EventProposedV1):
        looks += await _staff(session, event, but=fact.by)
    elif before.status == EventStatus.AWAITING:
        # It waits no longer: when it does again, that is news.
        looks += await _staff(session, event, but=None)
    if _can_be_seen_now(fact, event, before) and event.starts_at > now:
        looks += await _members(session, event)
    if cancelled:
        looks += await _places(session, event, _EXPECTANT, urgent=True)
    elif before is UNHEARD:
        # Who has signed up for what had not been heard of may have waited too long to be told.
        looks += await _places(session, event, tuple(SignUpStatus))
    elif isinstance(fact, EventSnapshotV1) or _FELT & set(getattr(fact, "changed", ())):
        looks += await _places(session, event, (SignUpStatus.ATTENDING,))
    return looks


def _can_be_seen_now(fact: Fact, event: Event, before: Before) -> bool:
    """Whether it was not to be seen before; a snapshot says so where what it stands for was missed."""
    if event.status not in OPEN or event.hidden:
        return False
    missed = isinstance(fact, EventSnapshotV1) and before is not UNHEARD and before.status not in OPEN
    return missed or isinstance(fact, (EventPublishedV1, EventShownV1))


_EXPECTANT = (SignUpStatus.ATTENDING, SignUpStatus.WAITING, SignUpStatus.OFFERED)


async def _places(
    session: AsyncSession, event: Event, statuses: Sequence[SignUpStatus], *, urgent: bool = False
) -> list[Look]:
    rows = await session.execute(_SIGNED_UP, {"event": event.id, "statuses": [str(one) for one in statuses]})
    return [
        Look(row.person, row.hub, About.SIGN_UP, row.id, urgent, channels=MAIL_ONLY if row.guest else BOTH)
        for row in rows
    ]


async def _staff(session: AsyncSession, event: Event, *, but: UUID | None) -> list[Look]:
    """Those who may approve; whoever did it knows."""
    rows = await session.execute(_STAFF, {"hub": event.hub, "roles": sorted(map(str, STAFF))})
    return [Look(row.person, event.hub, About.APPROVING, event.id) for row in rows if row.person != but]


async def _members(session: AsyncSession, event: Event) -> list[Look]:
    """The hub's people but the organisers; in the inbox only who has asked for it: most have not, and they are many."""
    rows = await session.execute(_PEOPLE, {"hub": event.hub, "but": event.organisers})
    return [
        Look(
            row.person,
            event.hub,
            About.PROGRAMME,
            event.id,
            channels=BOTH if row.inbox else (Channel.EMAIL,),
        )
        for row in rows
    ]
