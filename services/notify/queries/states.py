"""How things are for somebody: one statement per kind of thing, whatever their number."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.rules.states import (
    ApprovalState,
    BookingState,
    HookState,
    IntroductionState,
    OrganisedState,
    OutcomeState,
    PlaceState,
    ProgrammeState,
    ReminderState,
    SignInState,
    State,
    fate_of,
    is_open,
)
from shared.contracts.booking.words import BookingStatus
from shared.contracts.events.words import EventStatus, SignUpStatus
from shared.contracts.matching.introductions import Standing
from shared.contracts.notify.words import About


class Key(NamedTuple):
    """A thing, and the part a person has in it."""

    person: UUID
    about: About
    thing: UUID


@dataclass(frozen=True)
class Seen:
    """A thing as it is now; `now` is None when not all of it has been heard of yet, or it is not the person's."""

    now: State | None
    hub: str
    hub_name: str
    hub_zone: str


# ruff: noqa: S608  # the statements are put together from constants
_AT_HUB = "coalesce(h.name, {0}.hub) AS hub_name, coalesce(h.time_zone, 'UTC') AS hub_zone"
_BOOKINGS = text(f"""
    SELECT b.*, coalesce(s.name, b.space) AS space_name, {_AT_HUB.format("b")}
    FROM booking b LEFT JOIN space s ON s.hub = b.hub AND s.slug = b.space LEFT JOIN hub h ON h.slug = b.hub
    WHERE b.id = ANY(:things)
""")
_EVENT = """
    e.starts_at, e.ends_at, e.space, coalesce(s.name, e.space) AS space_name, e.online, e.titles, e.hidden, e.venue_lost,
    e.organisers, e.series, e.status AS event_status, e.by AS event_by
"""
_EVENTS = text(f"""
    SELECT e.id, e.hub, {_EVENT}, {_AT_HUB.format("e")}
    FROM event e LEFT JOIN space s ON s.hub = e.hub AND s.slug = e.space LEFT JOIN hub h ON h.slug = e.hub
    WHERE e.id = ANY(:things)
""")
_SIGN_UPS = text(f"""
    SELECT u.id, u.hub, u.event, u.person, u.guest, u.way, u.status, u.number, u.until, u.by, u.version,
           {_EVENT}, {_AT_HUB.format("u")}
    FROM sign_up u LEFT JOIN event e ON e.id = u.event
    LEFT JOIN space s ON s.hub = e.hub AND s.slug = e.space LEFT JOIN hub h ON h.slug = u.hub
    WHERE u.id = ANY(:things)
""")
_INTRODUCTIONS = text(f"""
    SELECT i.*, {_AT_HUB.format("i")} FROM introduction i LEFT JOIN hub h ON h.slug = i.hub WHERE i.id = ANY(:things)
""")
_WEBHOOKS = text(f"""
    SELECT w.id, w.hub, w.url, w.name, w.state, w.because, {_AT_HUB.format("w")}
    FROM webhook w LEFT JOIN hub h ON h.slug = w.hub WHERE w.id = ANY(:things)
""")
_SIGN_INS = text(f"""
    SELECT i.*, {_AT_HUB.format("i")} FROM sign_in i LEFT JOIN hub h ON h.slug = i.hub WHERE i.id = ANY(:things)
""")


async def states(session: AsyncSession, keys: Sequence[Key]) -> dict[Key, Seen]:
    """How each of these is for that person; a thing nobody has heard of is missing."""
    by_about: dict[About, list[Key]] = defaultdict(list)
    for key in keys:
        by_about[key.about].append(key)
    found: dict[Key, Seen] = {}
    for about, asked in by_about.items():
        for statement, picture in _PICTURES[about]:
            rows = await _rows(session, statement, (key.thing for key in asked))
            found |= {key: _seen(picture, rows[key.thing], key) for key in asked if key.thing in rows}
    return found


async def _rows(session: AsyncSession, statement: Any, things: Iterable[UUID]) -> dict[UUID, Any]:
    result = await session.execute(statement, {"things": sorted(set(things))})
    return {row.id: row for row in result}


Picture = Callable[[Any, UUID], State | None]


def _seen(picture: Picture, row: Any, key: Key) -> Seen:
    return Seen(picture(row, key.person), row.hub, row.hub_name, row.hub_zone)


_BOOKED: Mapping[str, Literal["held", "confirmed", "cancelled", "over"]] = {
    BookingStatus.HELD: "held",
    BookingStatus.CONFIRMED: "confirmed",
    BookingStatus.CHECKED_IN: "confirmed",
    BookingStatus.CHECKED_OUT: "over",
    BookingStatus.CANCELLED: "cancelled",
    BookingStatus.EXPIRED: "over",
}


def _booking(row: Any, person: UUID) -> State | None:
    if row.person != person or row.silent:
        return None
    return BookingState(
        status=_BOOKED[row.status],
        space=row.space,
        space_name=row.space_name,
        start=row.starts_at,
        end=row.ends_at,
        seats=row.seats,
        by_other=row.by != person,
    )


def _at_event(row: Any, *, own: bool = False) -> dict[str, Any]:
    """Where and when; what it is called only to who may see it while it is hidden."""
    return {
        "titles": row.titles if own or not row.hidden else {},
        "start": row.starts_at,
        "end": row.ends_at,
        "space": row.space,
        "space_name": row.space_name,
        "online": row.online,
        "series": row.series,
    }


def _place(row: Any, person: UUID) -> State | None:
    if row.person != person or row.event_status is None:
        return None
    fate = fate_of(EventStatus(row.event_status))
    by = row.event_by if fate == "cancelled" else row.by
    return PlaceState(
        **_at_event(row),
        status=SignUpStatus(row.status),
        number=row.number,
        until=row.until,
        way=row.way,
        guest=row.guest,
        event=row.event,
        version=row.version,
        event_status=fate,
        by_other=by != person,
    )


def _organised(row: Any, person: UUID) -> State | None:
    if person not in row.organisers:
        return None
    return OrganisedState(
        **_at_event(row, own=True),
        status=EventStatus(row.event_status),
        hidden=row.hidden,
        venue_lost=row.venue_lost,
        by_other=row.event_by != person,
    )


def _approval(row: Any, _: UUID) -> State | None:
    return ApprovalState(**_at_event(row), status=EventStatus(row.event_status))


def _programme(row: Any, _: UUID) -> State | None:
    return ProgrammeState(
        **_at_event(row), open=is_open(EventStatus(row.event_status)), visible=not row.hidden
    )


def _soon_booked(row: Any, person: UUID) -> State | None:
    if row.person != person:
        return None
    return ReminderState(
        on=row.status == BookingStatus.CONFIRMED and not row.silent,
        what="booking",
        titles={},
        start=row.starts_at,
        end=row.ends_at,
        space=row.space,
        space_name=row.space_name,
    )


def _soon_at_event(row: Any, person: UUID) -> State | None:
    if row.person != person or row.event_status is None:
        return None
    takes_place = is_open(EventStatus(row.event_status)) and not row.hidden
    return ReminderState(
        **_at_event(row),
        on=row.status == SignUpStatus.ATTENDING and takes_place,
        what="event",
        event=row.event,
    )


def _introduction(row: Any, person: UUID) -> State | None:
    if person not in (row.one, row.other):
        return None
    return IntroductionState(standing=Standing(row.standing), by_host=row.by_host, until=row.lapses_at)


def _outcome(row: Any, person: UUID) -> State | None:
    return OutcomeState(standing=Standing(row.standing)) if person in (row.one, row.other) else None


def _webhook(row: Any, _: UUID) -> State | None:
    return HookState(
        state=row.state, because=row.because, target=row.name or urlsplit(row.url).hostname or row.url
    )


def _signing_in(row: Any, person: UUID) -> State | None:
    return SignInState(until=row.until) if row.person == person else None


_PICTURES: Mapping[About, tuple[tuple[Any, Picture], ...]] = {
    About.BOOKING: ((_BOOKINGS, _booking),),
    About.SIGN_UP: ((_SIGN_UPS, _place),),
    About.ORGANISING: ((_EVENTS, _organised),),
    About.APPROVING: ((_EVENTS, _approval),),
    About.PROGRAMME: ((_EVENTS, _programme),),
    About.REMINDER: ((_BOOKINGS, _soon_booked), (_SIGN_UPS, _soon_at_event)),
    About.INTRODUCTION: ((_INTRODUCTIONS, _introduction),),
    About.OUTCOME: ((_INTRODUCTIONS, _outcome),),
    About.WEBHOOK: ((_WEBHOOKS, _webhook),),
    About.SIGN_IN: ((_SIGN_INS, _signing_in),),
}
