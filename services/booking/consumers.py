"""Facts in: one short function per fact, in the transaction that also remembers having heard it."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands.bookings import give_back_all
from services.booking.commands.hubs import mirror
from services.booking.commands.occupancy import measure, wake_at
from services.booking.commands.venue_comparing import compare
from services.booking.commands.venues import take_in
from shared.contracts.base import Fact
from shared.contracts.directory.facts import (
    HubProfileChangedV1,
    HubRegisteredV1,
    HubSnapshotV1,
    MemberJoinedV1,
    MemberLeftV1,
    RoleChangedV1,
)
from shared.contracts.events.facts import (
    VenueAcceptedV1,
    VenueReleasedV1,
    VenueWantedV1,
    VenueWishSnapshotV1,
)
from shared.kit.bus import Effect
from shared.kit.ids import Clock, Ids
from shared.kit.moments import Span


def mirrors_hubs(clock: Clock) -> Mapping[type[Fact], Effect]:
    """Keep names and zones of hubs."""

    async def on_profile(
        session: AsyncSession, fact: HubRegisteredV1 | HubProfileChangedV1 | HubSnapshotV1
    ) -> None:
        await mirror(session, fact.hub, name=fact.name, time_zone=fact.time_zone, now=clock())

    return {HubRegisteredV1: on_profile, HubProfileChangedV1: on_profile, HubSnapshotV1: on_profile}


def frees_what_leavers_booked(clock: Clock, ids: Ids) -> Mapping[type[Fact], Effect]:
    """Give back what somebody who left a hub had booked there.

    Joining and changing roles are heard only to know the order: somebody who left and joined again keeps what they
    book after that.
    """

    async def on_left(session: AsyncSession, fact: MemberLeftV1) -> None:
        await give_back_all(session, fact.hub, fact.person, since=fact.occurred_at, now=clock(), ids=ids)

    async def on_other(_: AsyncSession, __: MemberJoinedV1 | RoleChangedV1) -> None:
        return None

    return {MemberLeftV1: on_left, MemberJoinedV1: on_other, RoleChangedV1: on_other}


def keeps_venues(clock: Clock, ids: Ids, chance: random.Random) -> Mapping[type[Fact], Effect]:
    """Keep for events the rooms they wish for; a snapshot that comes in order stands for wishes that were missed."""

    async def on_wish(session: AsyncSession, fact: VenueWantedV1 | VenueAcceptedV1 | VenueReleasedV1) -> None:
        await take_in(session, fact, now=clock(), ids=ids, chance=chance)

    async def on_snapshot(session: AsyncSession, fact: VenueWishSnapshotV1) -> None:
        await compare(session, fact, in_order=True, now=clock(), ids=ids, chance=chance)

    return {
        VenueWantedV1: on_wish,
        VenueAcceptedV1: on_wish,
        VenueReleasedV1: on_wish,
        VenueWishSnapshotV1: on_snapshot,
    }


def compares_venues(clock: Clock, ids: Ids, chance: random.Random) -> Mapping[type[Fact], Effect]:
    """Look at the snapshots that the order of wishes drops because nothing is new: something may be amiss all the same."""

    async def on_snapshot(session: AsyncSession, fact: VenueWishSnapshotV1) -> None:
        await compare(session, fact, in_order=False, now=clock(), ids=ids, chance=chance)

    return {VenueWishSnapshotV1: on_snapshot}


async def measures_occupancy(session: AsyncSession, facts: Sequence[Fact], *, clock: Clock, ids: Ids) -> None:
    """Measure the hubs in which something changed that is going on now; wake up later for the rest."""
    now = clock()
    affected: set[str] = set()
    next_moments: dict[str, datetime] = {}
    for fact in facts:
        spans = _spans(fact)
        # A fact without a time is about a space, and that is now.
        if not spans or any(start <= now < end for start, end in spans):
            affected.add(fact.hub)
        ahead = [moment for span in spans for moment in span if moment > now]
        if ahead:
            next_moments[fact.hub] = min(next_moments.get(fact.hub, ahead[0]), *ahead)
    # Timers before measuring: the same order in which a duty takes its locks.
    await wake_at(session, next_moments)
    for hub in sorted(affected):
        await measure(session, hub, now=now, ids=ids)


def _spans(fact: Any) -> list[Span]:
    """The times a fact about a booking is about; none for one about a space."""
    spans = [(fact.start, fact.end)] if hasattr(fact, "start") else []
    if hasattr(fact, "previous_start"):
        spans.append((fact.previous_start, fact.previous_end))
    return spans
