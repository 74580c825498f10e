"""The keys that access tokens are signed with: made, published before they sign, dropped when their last token has ended."""

from __future__ import annotations

from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.turns import in_turn
from services.directory.rules.tokens import (
    PUBLISHED_BEFORE,
    STILL_CHECKED,
    Chance,
    SigningKey,
    new_key,
    seal,
    unseal,
)
from services.directory.tables import TokenKey
from shared.kit.errors import Unavailable
from shared.kit.telemetry import logger

log = logger(__name__)

_LATEST = text(
    "SELECT kid, sealed, signs_from FROM token_key WHERE until IS NULL ORDER BY signs_from DESC, kid LIMIT 1"
)
_SIGNS = text("""
    SELECT kid, sealed FROM token_key WHERE signs_from <= :now AND (until IS NULL OR until > :now)
    ORDER BY signs_from DESC, kid LIMIT 1
""")
_OLDER_END = text("UPDATE token_key SET until = least(coalesce(until, :until), :until)")
_FORGET = text("DELETE FROM token_key WHERE until <= :now")


async def ensure_key(session: AsyncSession, *, secret: str, now: datetime, chance: Chance) -> None:
    """A key that signs: made at the first start, and at once when those there are were sealed under another secret."""
    await in_turn(session, "token keys")
    if await _latest(session, secret) is None:
        await rotate(session, at_once=True, secret=secret, now=now, chance=chance)


async def rotate(session: AsyncSession, *, at_once: bool, secret: str, now: datetime, chance: Chance) -> None:
    """A new key. Published a while before it signs, so that whoever keeps the list of keys has it by then.

    `at_once` it signs now, and the older ones count for nothing from now on.
    """
    await in_turn(session, "token keys")
    signs_from = now if at_once else now + PUBLISHED_BEFORE
    await session.execute(_OLDER_END, {"until": now if at_once else signs_from + STILL_CHECKED})
    await _add(session, signs_from=signs_from, secret=secret, now=now, chance=chance)


async def rotate_if_old(
    session: AsyncSession, *, lifetime: timedelta, secret: str, now: datetime, chance: Chance
) -> datetime:
    """A new key when the newest has signed long enough, and none that is over; when to look again."""
    await in_turn(session, "token keys")
    await session.execute(_FORGET, {"now": now})
    latest = await _latest(session, secret)
    if latest is None or now >= latest + lifetime:
        await rotate(session, at_once=latest is None, secret=secret, now=now, chance=chance)
        latest = now
    return min(latest + lifetime, now + timedelta(hours=1))


async def signing_key(session: AsyncSession, *, secret: str, now: datetime) -> SigningKey:
    """The key that signs now."""
    row = (await session.execute(_SIGNS, {"now": now})).first()
    if row is None:
        raise Unavailable("Nobody can be signed in right now. Try again shortly.")
    return unseal(row.kid, row.sealed, secret)


async def _latest(session: AsyncSession, secret: str) -> datetime | None:
    """From when on the newest key signs; None when there is none that this secret opens."""
    row = (await session.execute(_LATEST)).first()
    if row is None:
        return None
    try:
        unseal(row.kid, row.sealed, secret)
    except InvalidTag:
        log.warning("the key of access tokens is sealed under another secret; a new one signs from now on")
        return None
    signs_from: datetime = row.signs_from
    return signs_from


async def _add(
    session: AsyncSession, *, signs_from: datetime, secret: str, now: datetime, chance: Chance
) -> None:
    key = new_key(chance)
    session.add(
        TokenKey(
            kid=key.kid,
            x=key.x,
            sealed=seal(key, secret, chance),
            made_at=now,
            signs_from=signs_from,
            until=None,
        )
    )
    await session.flush()
