"""The line: who attends, who waits, who is offered a place; everything locks the places first."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.events.queries.sign_ups import no_such_sign_up
from services.events.rules.line import Dealt, Line, deal, new_code, offer_until, shown_code, who_fits
from services.events.rules.refusals import AlreadySignedUp, EventFull, NotAMember, NotOpen
from services.events.tables import SignUp
from shared.contracts.base import Fact
from shared.contracts.events.facts import (
    OfferDeclinedV1,
    OfferLapsedV1,
    PlaceAwaitedV1,
    PlaceGivenBackV1,
    PlaceOfferedV1,
    PlaceTakenV1,
)
from shared.contracts.events.views import SignUpView
from shared.contracts.events.words import HOLDING, SignUpStatus, Way
from shared.kit.errors import FociError, NotFound
from shared.kit.ids import Ids
from shared.kit.outbox import emit
from shared.kit.timers import wake_no_later

OFFER = "offer-lapses"
"""Kind of the timer that ends an offer; its key is `<sign-up>/<version>`.

With the version, because whoever sets a timer holds the places, which the duty of an earlier timer of the same key may
be waiting for.
"""

LIVE = frozenset({SignUpStatus.ATTENDING, SignUpStatus.OFFERED, SignUpStatus.WAITING})
"""States of somebody who takes part or waits to."""

F = TypeVar("F", bound=Fact)

# Not FOR UPDATE: that would also keep out the check of the foreign key, for a guest who holds no place yet.
_LOCK = text("""
    SELECT hub, event, way, capacity, taken, waiting, last_number, open, closes_at, for_members, waits, starts_at
    FROM places WHERE event = :event AND way = :way FOR NO KEY UPDATE
""")
_KNOWN = text("""
    SELECT id, person, status, version, code FROM sign_up
    WHERE event = :event AND person = ANY(CAST(:people AS uuid[])) ORDER BY id FOR UPDATE
""")
# In the order of persons: two lines of one event that take in the same people at once must not wait for each other.
_INSERT = text("""
    WITH numbered AS (UPDATE places SET last_number = :last_number WHERE event = :event AND way = :way)
    INSERT INTO sign_up (id, hub, event, way, person, guest, status, number, code, signed_up_at, changed_at)
    SELECT id, :hub, :event, :way, person, guest, status, number, code, :now, :now
    FROM unnest(CAST(:ids AS uuid[]), CAST(:people AS uuid[]), CAST(:guests AS boolean[]), CAST(:statuses AS text[]),
                CAST(:numbers AS int[]), CAST(:codes AS text[])) one (id, person, guest, status, number, code)
    ORDER BY person
""")
_AGAIN = text("""
    UPDATE sign_up s SET way = :way, guest = one.guest, status = one.status, number = one.number, code = one.code,
        version = s.version + 1, signed_up_at = :now, changed_at = :now, pending_until = NULL
    FROM unnest(CAST(:ids AS uuid[]), CAST(:guests AS boolean[]), CAST(:statuses AS text[]), CAST(:numbers AS int[]),
                CAST(:codes AS text[])) one (id, guest, status, number, code)
    WHERE s.id = one.id
""")
_WAITING = text("""
    SELECT id, seats, number FROM sign_up
    WHERE event = :event AND way = :way AND status = 'waiting' AND number > :after
    ORDER BY number LIMIT :most FOR UPDATE
""")
_OFFER = text("""
    UPDATE sign_up SET status = 'offered', offer_until = :until, version = version + 1, changed_at = :now
    WHERE id = ANY(CAST(:ids AS uuid[])) RETURNING id, hub, event, way, person, guest, number, version
""")
AT_ONCE = 500


@dataclass(frozen=True)
class Entrant:
    """Somebody who wants to take part; `belongs` is true for the hub's own people."""

    person: UUID
    guest: bool
    belongs: bool = True


@dataclass(frozen=True)
class _Entry:
    """Somebody who gets in: a new row, or one that had ended and begins again."""

    id: UUID
    entrant: Entrant
    dealt: Dealt
    code: str | None
    version: int


def no_such_way(event: UUID) -> NotFound:
    """Said alike when there is no such event, when it is not yours to see, and when it has no places of that kind."""
    return NotFound(f"There is no event {event} here to take part in that way.")


async def locked(session: AsyncSession, hub: str, event: UUID, way: Way | str) -> Line:
    """The places, locked until the transaction ends; NotFound when the event has none of that kind."""
    row = (await session.execute(_LOCK, {"event": event, "way": way})).mappings().first()
    if row is None or row["hub"] != hub:
        raise no_such_way(event)
    return Line(**{**row, "way": Way(row["way"])})


async def load(session: AsyncSession, hub: str, event: UUID, sign_up: UUID) -> tuple[Line, SignUp]:
    """A sign-up and its line, both locked, the line first; NotFound when there is none."""
    wanted = select(SignUp).where(SignUp.hub == hub, SignUp.event == event, SignUp.id == sign_up)
    while True:
        way = await session.scalar(
            wanted.with_only_columns(SignUp.way)  # unlocked: the places come first
        )
        if way is None:
            raise no_such_sign_up(sign_up)
        line = await locked(session, hub, event, way)
        found = await session.scalar(wanted.with_for_update().execution_options(populate_existing=True))
        if found is not None and found.way == way:
            return line, found


# --- in ---


async def enter(
    session: AsyncSession,
    hub: str,
    event: UUID,
    way: Way,
    entrants: Sequence[Entrant],
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> list[SignUpView | FociError]:
    """Take these in, in this order: each attends, waits, or hears why not.

    The places stay locked until the transaction ends, so the order of numbers is the order of commits.
    """
    line = await locked(session, hub, event, way)
    asked = {"event": event, "people": [one.person for one in entrants]}
    known = {row.person: row for row in (await session.execute(_KNOWN, asked)).all()}
    refusals = list(_refusals(line, entrants, known, now))
    places = iter(deal(line, refusals.count(None)))
    outcomes: list[SignUpView | FociError] = []
    entries = []
    for entrant, refused in zip(entrants, refusals, strict=True):
        dealt = None if refused else next(places)
        if dealt is None:
            outcomes.append(refused or _full())
            continue
        entry = _entry(entrant, dealt, known.get(entrant.person), ids, chance)
        entries.append(entry)
        outcomes.append(_view(line, entry, now))
    if entries:
        await _write(session, line, entries, now)
        await emit(session, *(_fact_of_entry(line, entry, now, ids) for entry in entries))
    return outcomes


def _refusals(
    line: Line, entrants: Sequence[Entrant], known: Mapping[UUID, Any], now: datetime
) -> Iterator[FociError | None]:
    inside = {person for person, row in known.items() if row.status in LIVE}
    for one in entrants:
        if not line.takes(now):
            yield NotOpen("Nobody can sign up for this event now.")
        elif line.for_members and not one.belongs:
            yield NotAMember(f"This event is for people who belong to {line.hub}. Join it first.")
        elif one.person in inside:
            yield AlreadySignedUp("You have signed up for this event already.")
        else:
            inside.add(one.person)
            yield None


def _full() -> EventFull:
    return EventFull("All places are taken, and this event has no waiting line.")


def _entry(entrant: Entrant, dealt: Dealt, ended: Any, ids: Ids, chance: random.Random) -> _Entry:
    code = None if ended is None else ended.code
    if code is None and dealt.status is SignUpStatus.ATTENDING:
        code = new_code(chance)
    if ended is None:
        return _Entry(ids(), entrant, dealt, code, 1)
    return _Entry(ended.id, entrant, dealt, code, ended.version + 1)


async def _write(session: AsyncSession, line: Line, entries: Sequence[_Entry], now: datetime) -> None:
    place = {"hub": line.hub, "event": line.event, "way": line.way, "now": now}
    new = _columns([one for one in entries if one.version == 1])
    await session.execute(_INSERT, place | new | {"last_number": entries[-1].dealt.number})
    back = _columns([one for one in entries if one.version > 1])
    if back["ids"]:
        del place["hub"], place["event"], back["people"]
        await session.execute(_AGAIN, place | back)


def _columns(entries: Sequence[_Entry]) -> dict[str, Any]:
    return {
        "ids": [one.id for one in entries],
        "people": [one.entrant.person for one in entries],
        "guests": [one.entrant.guest for one in entries],
        "statuses": [str(one.dealt.status) for one in entries],
        "numbers": [one.dealt.number for one in entries],
        "codes": [one.code for one in entries],
    }


def _view(line: Line, entry: _Entry, now: datetime) -> SignUpView:
    attends = entry.dealt.status is SignUpStatus.ATTENDING
    return SignUpView(
        id=entry.id,
        hub=line.hub,
        event=line.event,
        way=line.way,
        person=entry.entrant.person,
        guest=entry.entrant.guest,
        status=entry.dealt.status,
        place=entry.dealt.number,
        waiting_place=entry.dealt.waiting_place,
        code=shown_code(entry.code) if attends and entry.code else None,
        signed_up_at=now,
        version=entry.version,
    )


def _fact_of_entry(line: Line, entry: _Entry, now: datetime, ids: Ids) -> Fact:
    kind = PlaceTakenV1 if entry.dealt.status is SignUpStatus.ATTENDING else PlaceAwaitedV1
    return kind(
        id=ids(),
        hub=line.hub,
        occurred_at=now,
        subject=str(entry.id),
        subject_version=entry.version,
        event=line.event,
        person=entry.entrant.person,
        guest=entry.entrant.guest,
        way=line.way,
        start=line.starts_at,
        number=entry.dealt.number,
        by=entry.entrant.person,
    )


# --- offers ---


async def fill(session: AsyncSession, event: UUID, way: Way, *, now: datetime, ids: Ids) -> int:
    """Offer free places to the first in line; how many."""
    row = (await session.execute(_LOCK, {"event": event, "way": way})).mappings().one()
    line = Line(**{**row, "way": Way(row["way"])})
    if not line.takes(now) or line.waiting == 0 or line.free == 0:
        return 0
    chosen = await _first_in_line(session, line)
    until = offer_until(now, line.starts_at)
    offered = (await session.execute(_OFFER, {"ids": chosen, "until": until, "now": now})).all()
    ordered = sorted(offered, key=lambda one: one.number)
    await emit(
        session,
        *(
            fact_of(PlaceOfferedV1, one, line.starts_at, by=None, now=now, ids=ids, until=until)
            for one in ordered
        ),
    )
    await wake_no_later(session, OFFER, {f"{one.id}/{one.version}": until for one in ordered})
    return len(ordered)


async def _first_in_line(session: AsyncSession, line: Line) -> list[UUID]:
    """Those for whom there is room, looking no further down the line than needed."""
    chosen: list[UUID] = []
    free, after = line.free, 0
    while free is None or free > 0:
        most = AT_ONCE if free is None else min(free, AT_ONCE)
        asked = {"event": line.event, "way": line.way, "after": after, "most": most}
        rows = (await session.execute(_WAITING, asked)).all()
        fitting = who_fits(((row, row.seats) for row in rows), free)
        chosen += [row.id for row in fitting]
        free = None if free is None else free - sum(row.seats for row in fitting)
        if len(rows) < most:
            break
        after = rows[-1].number
    return chosen


# --- out ---

_GONE: Mapping[SignUpStatus, type[Fact]] = {
    SignUpStatus.CANCELLED: PlaceGivenBackV1,
    SignUpStatus.DECLINED: OfferDeclinedV1,
    SignUpStatus.LAPSED: OfferLapsedV1,
}


async def leave(
    session: AsyncSession, sign_up: SignUp, to: SignUpStatus, *, by: UUID | None, now: datetime, ids: Ids
) -> None:
    """Cancelled, declined or lapsed; the freed place is offered in the same transaction.

    The sign-up has been loaded by `load`, so that its places are locked.
    """
    held = sign_up.status in HOLDING
    line = await locked(session, sign_up.hub, sign_up.event, sign_up.way)
    sign_up.status = to
    sign_up.offer_until = sign_up.pending_until = None
    await state_next(session, _GONE[to], sign_up, line.starts_at, by=by, now=now, ids=ids)
    if held:
        await fill(session, line.event, line.way, now=now, ids=ids)


# --- facts ---


def fact_of(
    fact: type[F], sign_up: Any, start: datetime, *, by: UUID | None, now: datetime, ids: Ids, **more: Any
) -> F:
    """`fact` about a sign-up (the row, or what a statement returned of it) whose event begins at `start`."""
    return fact(
        id=ids(),
        hub=sign_up.hub,
        occurred_at=now,
        subject=str(sign_up.id),
        subject_version=sign_up.version,
        event=sign_up.event,
        person=sign_up.person,
        guest=sign_up.guest,
        way=sign_up.way,
        start=start,
        number=sign_up.number,
        by=by,
        **more,
    )


async def state_next(
    session: AsyncSession,
    fact: type[Fact],
    sign_up: SignUp,
    start: datetime,
    *,
    by: UUID | None,
    now: datetime,
    ids: Ids,
    **more: Any,
) -> None:
    """Count the sign-up's version up, write its change, and state `fact` about it."""
    sign_up.version += 1
    sign_up.changed_at = now
    await session.flush()
    await emit(session, fact_of(fact, sign_up, start, by=by, now=now, ids=ids, **more))
