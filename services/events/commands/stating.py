"""Stating what happened to an event: the one place that turns a row into its fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import Event
from shared.contracts.base import Fact
from shared.contracts.events.facts import EventCancelledV1, EventChangedV1, EventSnapshotV1
from shared.contracts.events.words import EventPart, known_kind
from shared.kit.ids import Ids
from shared.kit.outbox import emit

F = TypeVar("F", bound=Fact)

_AROUND = text("""
    SELECT ARRAY(SELECT id FROM organiser WHERE event = :event AND kind = 'person' ORDER BY id) AS organisers,
           (SELECT capacity FROM places WHERE event = :event AND way = 'room') AS capacity,
           (SELECT capacity FROM places WHERE event = :event AND way = 'online') AS capacity_online
""")
_MOVES_IN_CALENDARS = frozenset({EventPart.TIME, EventPart.PLACE})


def touch(event: Event, now: datetime) -> None:
    """Count a change that only those who run the event can see; nothing is stated about it."""
    event.version += 1
    event.changed_at = now


async def state_event(
    session: AsyncSession,
    fact: type[F],
    event: Event,
    *,
    by: UUID | None,
    now: datetime,
    ids: Ids,
    **more: Any,
) -> None:
    """Count the event up, write its change, and state `fact` about it.

    `sequence` counts what a calendar must take over: another time, another place, cancelled.
    """
    event.stated += 1
    touch(event, now)
    if fact is EventCancelledV1 or (fact is EventChangedV1 and _MOVES_IN_CALENDARS & set(more["changed"])):
        event.sequence += 1
    await session.flush()
    await emit(session, await _fact_of(session, fact, event, by=by, now=now, ids=ids, **more))


async def restate_event(session: AsyncSession, event: Event, *, now: datetime, ids: Ids) -> None:
    """State the event as it is; only one that has been stated before can be."""
    hidden = event.hidden_at is not None
    fact = await _fact_of(
        session, EventSnapshotV1, event, by=None, now=now, ids=ids, status=event.status, hidden=hidden
    )
    await emit(session, fact)


async def _fact_of(
    session: AsyncSession,
    fact: type[F],
    event: Event,
    *,
    by: UUID | None,
    now: datetime,
    ids: Ids,
    **more: Any,
) -> F:
    around = (await session.execute(_AROUND, {"event": event.id})).one()
    if "titles" in fact.model_fields:
        more["titles"] = titles_of(event)
    return fact(
        id=ids(),
        hub=event.hub,
        occurred_at=now,
        subject=str(event.id),
        subject_version=event.stated,
        kind=known_kind(event.kind),
        visibility=event.visibility,
        start=event.starts_at,
        end=event.ends_at,
        space=event.space,
        online=event.online_url is not None,
        capacity=around.capacity,
        capacity_online=around.capacity_online,
        series=event.series,
        organisers=tuple(around.organisers),
        by=by,
        **more,
    )


def titles_of(event: Event) -> dict[str, str]:
    """Titles as published; none of what nobody could see yet, or may not see now."""
    if event.usable_at is None or event.hidden_at is not None:
        return {}
    return {language: one["title"] for language, one in event.texts.items()}
