"""Following bookings and sign-ups: keep how they are, and note who may have to hear of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.mirroring import newest
from services.notify.commands.noticing import BOTH, MAIL_ONLY, Look, know, look_at
from services.notify.commands.reminding import remind_of_bookings, remind_of_places
from services.notify.queries.states import Key
from shared.contracts.base import Fact, Snapshot
from shared.contracts.booking import facts as booking
from shared.contracts.booking.words import BookingStatus
from shared.contracts.events import facts as events
from shared.contracts.events.words import SignUpStatus
from shared.contracts.notify.words import About
from shared.kit.ids import Ids

OLD = timedelta(hours=48)
"""What happened longer ago than this when it is heard is nobody's news any more."""


@dataclass(frozen=True)
class Kept:
    """A thing whose row a batch has changed; `known` says whether it had been heard of before."""

    id: UUID
    known: bool
    moved: bool


_BOOKINGS = text("""
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:hubs AS text[]), CAST(:persons AS uuid[]), CAST(:spaces AS text[]),
            CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]), CAST(:seats AS int[]), CAST(:statuses AS text[]),
            CAST(:bys AS uuid[]), CAST(:silents AS bool[]), CAST(:versions AS int[]))
        AS g (id, hub, person, space, starts_at, ends_at, seats, status, by, silent, version)
    ), before AS (
        SELECT b.id, b.starts_at FROM booking b JOIN given USING (id)
    ), kept AS (
        INSERT INTO booking (id, hub, person, space, starts_at, ends_at, seats, status, by, silent, version)
        SELECT * FROM given
        ON CONFLICT (id) DO UPDATE SET person = excluded.person, space = excluded.space, starts_at = excluded.starts_at,
            ends_at = excluded.ends_at, seats = excluded.seats, status = excluded.status, by = excluded.by,
            silent = excluded.silent, version = excluded.version
        WHERE booking.version < excluded.version
        RETURNING id, starts_at
    )
    SELECT kept.id, before.id IS NOT NULL AS known, kept.starts_at IS DISTINCT FROM before.starts_at AS moved
    FROM kept LEFT JOIN before USING (id)
""")
_SIGN_UPS = text("""
    WITH given AS (
        SELECT * FROM unnest(
            CAST(:ids AS uuid[]), CAST(:hubs AS text[]), CAST(:events AS uuid[]), CAST(:persons AS uuid[]),
            CAST(:guests AS bool[]), CAST(:ways AS text[]), CAST(:statuses AS text[]), CAST(:numbers AS int[]),
            CAST(:untils AS timestamptz[]), CAST(:bys AS uuid[]), CAST(:versions AS int[]))
        AS g (id, hub, event, person, guest, way, status, number, until, by, version)
    ), before AS (
        SELECT u.id FROM sign_up u JOIN given USING (id)
    ), kept AS (
        INSERT INTO sign_up (id, hub, event, person, guest, way, status, number, until, by, version)
        SELECT * FROM given
        ON CONFLICT (id) DO UPDATE SET person = excluded.person, guest = excluded.guest, way = excluded.way,
            status = excluded.status, number = excluded.number, until = excluded.until, by = excluded.by,
            version = excluded.version
        WHERE sign_up.version < excluded.version
        RETURNING id
    )
    SELECT kept.id, before.id IS NOT NULL AS known, false AS moved FROM kept LEFT JOIN before USING (id)
""")

_BOOKING_STATUS: Mapping[type[Fact], BookingStatus] = {
    booking.BookingHeldV1: BookingStatus.HELD,
    booking.BookingConfirmedV1: BookingStatus.CONFIRMED,
    booking.BookingMovedV1: BookingStatus.CONFIRMED,
    booking.BookingCancelledV1: BookingStatus.CANCELLED,
    booking.BookingExpiredV1: BookingStatus.EXPIRED,
    booking.BookingCheckedInV1: BookingStatus.CHECKED_IN,
    booking.BookingCheckedOutV1: BookingStatus.CHECKED_OUT,
}
_BOOKING_NEWS = (booking.BookingConfirmedV1, booking.BookingMovedV1, booking.BookingCancelledV1)
_SIGN_UP_STATUS: Mapping[type[Fact], SignUpStatus] = {
    events.SignUpPendingV1: SignUpStatus.PENDING,
    events.PlaceTakenV1: SignUpStatus.ATTENDING,
    events.PlaceAwaitedV1: SignUpStatus.WAITING,
    events.PlaceOfferedV1: SignUpStatus.OFFERED,
    events.OfferDeclinedV1: SignUpStatus.DECLINED,
    events.OfferLapsedV1: SignUpStatus.LAPSED,
    events.PlaceGivenBackV1: SignUpStatus.CANCELLED,
    events.AttendeeCameV1: SignUpStatus.ATTENDING,
}
_SIGN_UP_NEWS = tuple(fact for fact in _SIGN_UP_STATUS if fact is not events.AttendeeCameV1)
_URGENT = (events.SignUpPendingV1, events.PlaceOfferedV1)
_LOSSES = (booking.BookingCancelledV1, events.PlaceGivenBackV1)


async def follow_bookings(
    session: AsyncSession, facts: Sequence[Any], *, now: datetime, gather: timedelta, ids: Ids
) -> None:
    """Keep bookings as the newest facts say; nobody is told of an event's room or an import."""
    latest = newest(facts, lambda fact: fact.subject)
    kept = await _keep(session, _BOOKINGS, _booking_rows(latest))
    loud = [fact for fact in facts if not _silent(fact) and fact.end > now]  # nobody hears of what is over
    await _notice(session, loud, kept, _BOOKING_NEWS, About.BOOKING, now=now, gather=gather, ids=ids)
    changed = [one.id for one in kept.values()]
    moved = {one.id for one in kept.values() if one.known and one.moved}
    if changed:
        await remind_of_bookings(session, changed, moved, now=now, ids=ids)


async def follow_sign_ups(
    session: AsyncSession, facts: Sequence[Any], *, now: datetime, gather: timedelta, ids: Ids
) -> None:
    """Keep sign-ups as the newest facts say."""
    latest = newest(facts, lambda fact: fact.subject)
    kept = await _keep(session, _SIGN_UPS, _sign_up_rows(latest))
    await _notice(session, facts, kept, _SIGN_UP_NEWS, About.SIGN_UP, now=now, gather=gather, ids=ids)
    if kept:
        await remind_of_places(session, list(kept), (), now=now, ids=ids)


async def _keep(session: AsyncSession, statement: Any, values: dict[str, Any]) -> dict[UUID, Kept]:
    rows = await session.execute(statement, values)
    return {row.id: Kept(row.id, row.known, row.moved) for row in rows}


def _silent(fact: Any) -> bool:
    return fact.for_event is not None or fact.imported


def _status(fact: Any, by_fact: Mapping[type[Fact], Any]) -> Any:
    known = by_fact.get(type(fact))
    return fact.status if known is None else known


def _booking_rows(facts: Sequence[Any]) -> dict[str, Any]:
    return {
        "ids": [UUID(fact.subject) for fact in facts],
        "hubs": [fact.hub for fact in facts],
        "persons": [fact.person for fact in facts],
        "spaces": [fact.space for fact in facts],
        "starts": [fact.start for fact in facts],
        "ends": [fact.end for fact in facts],
        "seats": [fact.seats for fact in facts],
        "statuses": [_status(fact, _BOOKING_STATUS) for fact in facts],
        "bys": [fact.by for fact in facts],
        "silents": [_silent(fact) for fact in facts],
        "versions": [fact.subject_version for fact in facts],
    }


def _sign_up_rows(facts: Sequence[Any]) -> dict[str, Any]:
    return {
        "ids": [UUID(fact.subject) for fact in facts],
        "hubs": [fact.hub for fact in facts],
        "events": [fact.event for fact in facts],
        "persons": [fact.person for fact in facts],
        "guests": [fact.guest for fact in facts],
        "ways": [fact.way for fact in facts],
        "statuses": [_status(fact, _SIGN_UP_STATUS) for fact in facts],
        "numbers": [fact.number for fact in facts],
        "untils": [getattr(fact, "until", None) for fact in facts],
        "bys": [fact.by for fact in facts],
        "versions": [fact.subject_version for fact in facts],
    }


async def _notice(
    session: AsyncSession,
    facts: Iterable[Any],
    kept: Mapping[UUID, Kept],
    news: tuple[type[Fact], ...],
    about: About,
    *,
    now: datetime,
    gather: timedelta,
    ids: Ids,
) -> None:
    """Note whom to look at things for, and who knows.

    A fact that is overtaken is looked at all the same: what there is to say is judged by how the thing is then.
    """
    looks: dict[UUID, Look] = {}
    old: dict[UUID, Key] = {}
    for fact in facts:
        thing = UUID(fact.subject)
        if _is_news(fact, kept.get(thing), news, now):
            before = looks.get(thing)
            urgent = _is_urgent(fact) or (before is not None and before.urgent)
            channels = MAIL_ONLY if getattr(fact, "guest", False) else BOTH
            looks[thing] = Look(fact.person, fact.hub, about, thing, urgent, channels=channels)
        elif _is_past(fact, kept.get(thing), news):
            old[thing] = Key(fact.person, about, thing)
    await know(session, [key for thing, key in old.items() if thing not in looks], now=now)
    await look_at(session, looks.values(), now=now, gather=gather, ids=ids)


def _is_news(fact: Fact, kept: Kept | None, news: tuple[type[Fact], ...], now: datetime) -> bool:
    """Whether somebody may have to hear of it; a snapshot is news where it says what was missed."""
    if isinstance(fact, Snapshot):
        return kept is not None and kept.known
    return isinstance(fact, news) and now - fact.occurred_at <= OLD


def _is_past(fact: Fact, kept: Kept | None, news: tuple[type[Fact], ...]) -> bool:
    """Whether it is how things are, and nobody has to be told: too old, or only stated again. News has been ruled out."""
    return kept is not None and isinstance(fact, (*news, Snapshot))


def _is_urgent(fact: Any) -> bool:
    lost = isinstance(fact, _LOSSES) and fact.by not in (None, fact.person)
    return lost or isinstance(fact, _URGENT)
