"""Facts in from booking about the rooms of events."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.comparing import compare
from services.events.commands.venue_answers import take_in
from shared.contracts.base import Fact
from shared.contracts.booking.facts import VenueSnapshotV1
from shared.contracts.streams import VENUE_ANSWERS
from shared.kit.bus import Effect
from shared.kit.ids import Clock, Ids


def follows_venues(clock: Clock, ids: Ids) -> Mapping[type[Fact], Effect]:
    """Act on what booking answers, in order; a snapshot that comes in order stands for answers that were missed."""

    async def on_answer(session: AsyncSession, fact: Fact) -> None:
        await take_in(session, fact, now=clock(), ids=ids)

    async def on_snapshot(session: AsyncSession, fact: VenueSnapshotV1) -> None:
        await compare(session, fact, in_order=True, now=clock(), ids=ids)

    answers: dict[type[Fact], Effect] = dict.fromkeys(VENUE_ANSWERS, on_answer)
    return {**answers, VenueSnapshotV1: on_snapshot}


def compares_venues(clock: Clock, ids: Ids) -> Mapping[type[Fact], Effect]:
    """Look at the snapshots that the order of answers drops because nothing is new: something may be amiss all the same."""

    async def on_snapshot(session: AsyncSession, fact: VenueSnapshotV1) -> None:
        await compare(session, fact, in_order=False, now=clock(), ids=ids)

    return {VenueSnapshotV1: on_snapshot}
