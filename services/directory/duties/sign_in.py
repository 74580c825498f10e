"""Duties at a time: looking at wishes to sign in, renewing the keys of access tokens, forgetting what is over."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands import api_tokens, identities, sign_in, token_keys
from services.directory.commands.sessions import Mint
from services.directory.commands.sign_in import WISHED
from shared.kit.timers import Duty, set_timer

KEYS, FORGET = "token-keys", "forget"
"""Standing duties; their keys are empty."""
EVERY = timedelta(minutes=10)


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
        await sign_in.forget(session, now=now)
        await api_tokens.forget(session, now=now)
        await identities.forget(session, now=now)
        await set_timer(session, FORGET, key, now + EVERY)

    return {WISHED: answer_wish, KEYS: renew_keys, FORGET: forget}
