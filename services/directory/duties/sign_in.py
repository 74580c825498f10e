"""Duties at a time: looking at wishes to sign in, renewing keys, ending and forgetting what is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands import api_tokens, identities, sessions, sign_in, token_keys
from services.directory.commands.sessions import WENT_BACK, Mint
from services.directory.commands.sign_in import WISHED
from shared.kit.timers import Duty, set_timer

KEYS, FORGET = "token-keys", "forget"
"""Standing duties; their keys are empty."""
EVERY, SOON = timedelta(minutes=10), timedelta(seconds=1)


def duties(mint: Mint, key_lifetime: timedelta) -> Mapping[str, Duty]:
    """Each kind of timer with its duty."""

    async def answer_wish(session: AsyncSession, key: str, _: datetime) -> None:
        await sign_in.answer_wish(session, UUID(key), ids=mint.ids)

    async def renew_keys(session: AsyncSession, key: str, now: datetime) -> None:
        again = await token_keys.rotate_if_old(
            session, lifetime=key_lifetime, secret=mint.secret, now=now, chance=mint.chance
        )
        await set_timer(session, KEYS, key, again)

    async def forget(session: AsyncSession, key: str, now: datetime) -> None:
        nouns = (sign_in, api_tokens, identities)
        more = [await noun.forget(session, now=now) for noun in nouns]
        await set_timer(session, FORGET, key, now + (SOON if any(more) else EVERY))

    async def end_sessions(session: AsyncSession, key: str, now: datetime) -> None:
        if await sessions.end_some_from_before(session, datetime.fromisoformat(key), now=now):
            await set_timer(session, WENT_BACK, key, now + SOON)

    return {WISHED: answer_wish, KEYS: renew_keys, FORGET: forget, WENT_BACK: end_sessions}
