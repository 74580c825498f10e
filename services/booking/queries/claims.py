"""Reading what is claimed: the live bookings around a time, without who and what for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.queries.spaces import SpaceTerms, all_terms, zone_of
from services.booking.rules.claims import (
    LONGEST_BUFFER,
    Claim,
    Units,
    Wanted,
    by_seat,
    free_units,
    from_multirange,
    in_the_way,
    nearest_free,
    needed,
    to_multirange,
)
from services.booking.rules.refusals import SpaceTaken
from services.booking.rules.times import LONGEST_QUESTION, check_rules, shown_span
from shared.contracts.booking.requests import AvailabilityView, BusyTime, GetAvailability, SpaceAvailability
from shared.contracts.booking.words import SpaceKind
from shared.kit.errors import FociError
from shared.kit.moments import Span, span

LOOK_BACK, LOOK_AHEAD = timedelta(days=2), timedelta(days=8)
MOST_CLAIMS = 3000
"""Claims looked at to say what is free instead; where there are more, only nearer times are offered."""
SHOWN_IN_THE_WAY = 10

# The words of the exclusion constraint, `status IN …` included: only so does its index answer.
_CLAIMS = text("""
    SELECT space, units::text AS units, starts_at, ends_at, coalesce(kept_from, starts_at) AS kept_from, kept_until
    FROM booking
    WHERE hub_number = (SELECT number FROM hub WHERE slug = :hub) AND units && CAST(CAST(:units AS text) AS int4multirange)
      AND tstzrange(starts_at, kept_until) && tstzrange(:start, :end)
      AND status IN ('held', 'confirmed', 'checked_in') AND NOT (status = 'held' AND expires_at <= :now)
      AND id IS DISTINCT FROM CAST(:but AS uuid)
    ORDER BY starts_at LIMIT CAST(:most AS int)
""")


async def claims_on(
    session: AsyncSession,
    hub: str,
    units: Units,
    around: Span,
    *,
    now: datetime,
    but: UUID | None = None,
    most: int | None = None,
) -> list[Claim]:
    """Live claims on these units that could matter to a booking in that time; `but` leaves one booking out."""
    asked = {
        "hub": hub,
        "units": to_multirange(units),
        "start": around[0] - LONGEST_BUFFER,
        "end": around[1] + LONGEST_BUFFER,
        "now": now,
        "but": but,
        "most": most,
    }
    return [
        Claim(
            row.space,
            frozenset(from_multirange(row.units)),
            row.starts_at,
            row.ends_at,
            row.kept_from,
            row.kept_until,
        )
        for row in await session.execute(_CLAIMS, asked)
    ]


async def taken(
    session: AsyncSession,
    terms: SpaceTerms,
    seats: int,
    span: Span,
    *,
    now: datetime,
    but: UUID | None = None,
) -> SpaceTaken:
    """The refusal for the one who came second: what is in the way, and what is free instead."""
    wanted = Wanted(terms.kind, terms.units, seats, span, terms.rules, terms.zone)
    near = await claims_on(session, terms.hub, terms.units, span, now=now, but=but)
    times = await _free_times(session, terms, wanted, now=now, but=but)
    spaces = await _other_spaces(session, terms, seats, span, now=now)
    return SpaceTaken(
        _sentence(terms, times, spaces),
        field="start",
        in_the_way=_busy(in_the_way(terms.units, near, span, terms.rules), terms.zone),
        free_instead={"times": [shown_span(one, terms.zone) for one in times], "spaces": spaces},
    )


async def _free_times(
    session: AsyncSession, terms: SpaceTerms, wanted: Wanted, *, now: datetime, but: UUID | None
) -> list[Span]:
    start, end = wanted.span
    known = (start - LOOK_BACK, end + LOOK_AHEAD)
    around = (known[0] + LONGEST_BUFFER, known[1] - LONGEST_BUFFER)
    claims = await claims_on(session, terms.hub, terms.units, around, now=now, but=but, most=MOST_CLAIMS)
    if len(claims) == MOST_CLAIMS:
        known = (known[0], claims[-1].start)
    return nearest_free(wanted, claims, now, known=known)


def _sentence(terms: SpaceTerms, times: Sequence[Span], spaces: Sequence[str]) -> str:
    said = f"{terms.name} is {'full' if terms.by_seat else 'taken'} at that time."
    if times:
        said += f" The nearest free time begins {times[0][0].astimezone(terms.zone):%Y-%m-%d %H:%M}."
    if spaces:
        said += f" Free at the wanted time: {', '.join(spaces)}."
    return said


def _busy(claims: Iterable[Claim], zone: ZoneInfo) -> list[dict[str, str]]:
    # Seats of one area are many short stretches; told apart they would only say how many there are.
    stretches = sorted(
        {(claim.space, claim.start, claim.end) for claim in claims}, key=lambda one: (one[1], one[2], one[0])
    )
    return [
        {"space": space, **shown_span((start, end), zone)}
        for space, start, end in stretches[:SHOWN_IN_THE_WAY]
    ]


async def _other_spaces(
    session: AsyncSession, terms: SpaceTerms, seats: int, wanted: Span, *, now: datetime
) -> list[str]:
    others = [
        one
        for one in await all_terms(session, terms.hub, terms.kind)
        if one.slug != terms.slug and one.most_seats >= seats and _rule_against(one, wanted, now) is None
    ]
    units = tuple(sorted({unit for one in others for unit in one.units}))
    if not units:
        return []
    claims = await claims_on(session, terms.hub, units, wanted, now=now)
    return [
        one.slug
        for one in others
        if len(free_units(one.units, claims, wanted, one.rules)) >= needed(one.kind, one.units, seats)
    ][:5]


def _rule_against(terms: SpaceTerms, wanted: Span, now: datetime) -> str | None:
    try:
        check_rules(terms.rules, terms.zone, wanted, now)
    except FociError as error:
        return error.code
    return None


async def get_availability(
    session: AsyncSession, request: GetAvailability, *, now: datetime
) -> AvailabilityView:
    """What is free in a hub for one time, space by space."""
    zone = await zone_of(session, request.hub)
    wanted = span(request.start, request.end, zone, longest=LONGEST_QUESTION)
    spaces = await all_terms(session, request.hub, request.kind)
    units = tuple(sorted({unit for one in spaces for unit in one.units}))
    claims = await claims_on(session, request.hub, units, wanted, now=now) if units else []
    return AvailabilityView(
        start=wanted[0].astimezone(zone),
        end=wanted[1].astimezone(zone),
        time_zone=zone.key,
        items=tuple(_availability(one, request.seats, claims, wanted, now) for one in spaces),
    )


def _availability(
    terms: SpaceTerms, seats: int, claims: Sequence[Claim], wanted: Span, now: datetime
) -> SpaceAvailability:
    blocking = in_the_way(terms.units, claims, wanted, terms.rules)
    taken_units = frozenset[int]().union(*(claim.units for claim in blocking))
    free = sum(1 for unit in terms.units if unit not in taken_units)
    reason = _rule_against(terms, wanted, now)
    if reason is None and seats > terms.most_seats:
        reason = "too-many-seats"
    if reason is None and free < needed(terms.kind, terms.units, seats):
        reason = SpaceTaken.code
    whole = int(free == len(terms.units))
    return SpaceAvailability(
        space=terms.slug,
        name=terms.name,
        kind=SpaceKind(terms.kind),
        free=reason is None,
        seats=len(terms.units) if by_seat(terms.kind) else 1,
        free_seats=free if by_seat(terms.kind) else whole,
        reason=reason,
        in_the_way=tuple(BusyTime.model_validate(one) for one in _busy(blocking, terms.zone)),
    )
