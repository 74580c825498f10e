"""Reading what is claimed: the live bookings around a time, without who and what for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.queries.spaces import SpaceTerms, all_terms, zone_of
from services.booking.rules import (
    Claim,
    SpaceTaken,
    Span,
    Units,
    check_rules,
    enough_free,
    free_units,
    from_multirange,
    in_the_way,
    nearest_free,
    shown_span,
    span,
    to_multirange,
)
from shared.contracts.booking.requests import AvailabilityView, BusyTime, GetAvailability, SpaceAvailability
from shared.contracts.booking.words import SpaceKind
from shared.kit.errors import FociError

# A buffer is at most a day long, so nothing that begins more than a day later can reach back.
LONGEST_BUFFER = timedelta(days=1)
LOOK_AROUND = timedelta(days=7)
MOST_CLAIMS = 2000

_LIVE = "status IN ('held', 'confirmed', 'checked_in')"
_CLAIMS = text(f"""
    SELECT space, units::text AS units, starts_at, ends_at, coalesce(kept_from, starts_at) AS kept_from, kept_until
    FROM booking
    WHERE hub = :hub AND units && CAST(CAST(:units AS text) AS int4multirange)
      AND tstzrange(starts_at, kept_until) && tstzrange(:start, :end)
      AND {_LIVE} AND NOT (status = 'held' AND expires_at <= :now) AND id IS DISTINCT FROM CAST(:but AS uuid)
    ORDER BY starts_at LIMIT {MOST_CLAIMS}
""")


async def claims_on(
    session: AsyncSession, hub: str, units: Units, around: Span, *, now: datetime, but: object = None
) -> list[Claim]:
    """Live claims on these units that could matter to a booking in that time; `but` leaves one booking out."""
    asked = {
        "hub": hub,
        "units": to_multirange(units),
        "start": around[0] - LONGEST_BUFFER,
        "end": around[1] + LONGEST_BUFFER,
        "now": now,
        "but": but,
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
    session: AsyncSession, terms: SpaceTerms, seats: int, wanted: Span, *, now: datetime, but: object = None
) -> SpaceTaken:
    """The refusal for the one who came second: what is in the way, and what is free instead."""
    around = (wanted[0] - LOOK_AROUND / 7, wanted[1] + LOOK_AROUND)
    claims = await claims_on(session, terms.hub, terms.units, around, now=now, but=but)
    times = nearest_free(terms.kind, terms.units, seats, claims, wanted, terms.rules, terms.zone, now)
    spaces = await _other_spaces(session, terms, seats, wanted, now=now)
    return SpaceTaken(
        _sentence(terms, times, spaces),
        field="start",
        in_the_way=_busy(in_the_way(terms.units, claims, wanted, terms.rules), terms.zone),
        free_instead={"times": [shown_span(one, terms.zone) for one in times], "spaces": spaces},
    )


def _sentence(terms: SpaceTerms, times: Sequence[Span], spaces: Sequence[str]) -> str:
    said = f"{terms.name} is taken at that time."
    if times:
        said += f" The nearest free time begins {times[0][0].astimezone(terms.zone):%Y-%m-%d %H:%M}."
    if spaces:
        said += f" Free at the wanted time: {', '.join(spaces)}."
    return said


def _busy(claims: Iterable[Claim], zone: ZoneInfo) -> list[dict[str, str]]:
    # Seats of one area are many short stretches; told apart they would only say how many there are.
    stretches = sorted(
        {(claim.space, claim.start, claim.end) for claim in claims}, key=lambda one: (one[1], one[0])
    )
    return [{"space": space, **shown_span((start, end), zone)} for space, start, end in stretches[:10]]


async def _other_spaces(
    session: AsyncSession, terms: SpaceTerms, seats: int, wanted: Span, *, now: datetime
) -> list[str]:
    others = [one for one in await all_terms(session, terms.hub, terms.kind) if one.slug != terms.slug]
    units = tuple(sorted({unit for one in others for unit in one.units}))
    if not units:
        return []
    claims = await claims_on(session, terms.hub, units, wanted, now=now)
    return [one.slug for one in others if _refusal(one, seats, claims, wanted, now) is None][:5]


def _refusal(
    terms: SpaceTerms, seats: int, claims: Sequence[Claim], wanted: Span, now: datetime
) -> str | None:
    try:
        check_rules(terms.rules, terms.zone, wanted, now)
    except FociError as error:
        return error.code
    if enough_free(terms.kind, terms.units, seats, claims, wanted, terms.rules):
        return None
    return SpaceTaken.code


async def get_availability(
    session: AsyncSession, request: GetAvailability, *, now: datetime
) -> AvailabilityView:
    """What is free in a hub for one time, space by space."""
    zone = await zone_of(session, request.hub)
    wanted = span(request.start, request.end, zone)
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
    free = free_units(terms.units, claims, wanted, terms.rules)
    whole_free = int(len(free) == len(terms.units))
    reason = _refusal(terms, seats, claims, wanted, now)
    blocking = in_the_way(terms.units, claims, wanted, terms.rules)
    return SpaceAvailability(
        space=terms.slug,
        name=terms.name,
        kind=SpaceKind(terms.kind),
        free=reason is None,
        seats=len(terms.units) if terms.by_seat else 1,
        free_seats=len(free) if terms.by_seat else whole_free,
        reason=reason,
        in_the_way=tuple(BusyTime.model_validate(one) for one in _busy(blocking, terms.zone)),
    )
