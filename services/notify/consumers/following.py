"""Facts in about what people are told of: keep how things are, and note who may have to hear of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.following import follow_bookings, follow_sign_ups
from services.notify.commands.following_events import follow_event
from services.notify.commands.following_introductions import follow_introductions
from services.notify.commands.following_sign_ins import follow_sign_ins
from shared.contracts.base import Fact
from shared.contracts.streams import EVENT_FACTS
from shared.kit.bus import BatchEffect, Effect
from shared.kit.ids import Clock, Ids


def follows(clock: Clock, ids: Ids, gather: timedelta) -> Mapping[str, BatchEffect]:
    """What the consumers that take in many facts at a time do, the newest says it all."""

    async def on_bookings(session: AsyncSession, facts: Sequence[Fact]) -> None:
        await follow_bookings(session, facts, now=clock(), gather=gather, ids=ids)

    async def on_sign_ups(session: AsyncSession, facts: Sequence[Fact]) -> None:
        await follow_sign_ups(session, facts, now=clock(), gather=gather, ids=ids)

    async def on_introductions(session: AsyncSession, facts: Sequence[Fact]) -> None:
        await follow_introductions(session, facts, now=clock(), gather=gather, ids=ids)

    async def on_sign_ins(session: AsyncSession, facts: Sequence[Fact]) -> None:
        await follow_sign_ins(session, facts, now=clock(), gather=gather, ids=ids)

    return {
        "notify__follows_sign_ins": on_sign_ins,
        "notify__follows_bookings": on_bookings,
        "notify__follows_sign_ups": on_sign_ups,
        "notify__follows_introductions": on_introductions,
    }


def follows_events(clock: Clock, ids: Ids, gather: timedelta) -> Mapping[type[Fact], Effect]:
    """What is done with each fact about an event, in order: none of them says everything."""

    async def on_event(session: AsyncSession, fact: Fact) -> None:
        await follow_event(session, fact, now=clock(), gather=gather, ids=ids)

    return dict.fromkeys(EVENT_FACTS, on_event)
