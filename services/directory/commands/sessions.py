"""Sessions: begun by proving who one is, carried on by refresh tokens that replace each other, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.token_keys import signing_key
from services.directory.rules.sign_in import IDLE, REPEATED_WITHIN, SESSION_LIFETIME
from services.directory.rules.tokens import REFRESH, Chance, access_token, hash_of, new_token, successor_of
from services.directory.tables import RefreshToken, Session
from shared.contracts.directory.sessions import Grant
from shared.kit.database import changed_rows
from shared.kit.errors import NotFound
from shared.kit.ids import Ids
from shared.kit.telemetry import logger
from shared.kit.tokens import LIFETIME

log = logger(__name__)

SIGNED_OUT, REPLAYED = "signed-out", "replayed"
_END_ALL = text("""
    UPDATE session SET ended_at = :now, ended_because = :why WHERE person = :person AND ended_at IS NULL AND ends_at > :now
""")


@dataclass(frozen=True)
class Mint:
    """What tokens are made with."""

    cell: str
    secret: str
    chance: Chance
    ids: Ids


async def start(
    session: AsyncSession, person: UUID, *, via: str, agent: str, now: datetime, mint: Mint
) -> Grant:
    """A new session of somebody who has proved who they are."""
    begun = Session(
        id=mint.ids(),
        person=person,
        via=via,
        agent=agent,
        started_at=now,
        seen_at=now,
        ends_at=now + min(IDLE, SESSION_LIFETIME),
        ended_at=None,
        ended_because=None,
    )
    session.add(begun)
    await session.flush()
    token = new_token(REFRESH, mint.chance)
    await _keep(session, token, begun, now)
    return await _grant(session, begun, token, now=now, mint=mint)


async def refresh(
    session: AsyncSession, token: str, *, agent: str, now: datetime, mint: Mint
) -> Grant | None:
    """The next tokens; None when there is no such session any more.

    A token that was replaced a while ago is in two hands: the whole session ends (RFC 9700, 4.14.2). Within some seconds it
    is a repeat, and hears what it heard: a second tab, or somebody whose answer got lost.
    """
    known = await session.get(RefreshToken, hash_of(token))
    if known is None:
        return None
    # The session's row is the turn: two who refresh at once come after each other.
    begun = await session.get(Session, known.session, with_for_update=True, populate_existing=True)
    await session.refresh(known)
    if begun is None or begun.ended_at is not None or begun.ends_at <= now:
        return None
    successor = successor_of(token, mint.secret)
    if known.replaced_at is None:
        known.replaced_at = now
        begun.seen_at, begun.agent = now, agent or begun.agent
        begun.ends_at = min(now + IDLE, begun.started_at + SESSION_LIFETIME)
        await _keep(session, successor, begun, now)
    elif now - known.replaced_at > REPEATED_WITHIN or await _is_replaced(session, successor):
        begun.ended_at, begun.ended_because = now, REPLAYED
        await session.flush()
        log.warning("a refresh token came again; its session has ended", session=str(begun.id))
        return None
    return await _grant(session, begun, successor, now=now, mint=mint)


async def sign_out(session: AsyncSession, token: str, *, now: datetime) -> int:
    """End the session a refresh token belongs to, also by one that was replaced; how many have ended."""
    known = await session.get(RefreshToken, hash_of(token))
    begun = None if known is None else await session.get(Session, known.session, with_for_update=True)
    if begun is None or begun.ended_at is not None:
        return 0
    begun.ended_at, begun.ended_because = now, SIGNED_OUT
    return 1


async def end_one(session: AsyncSession, person: UUID, which: UUID, *, now: datetime) -> Session:
    """End one of somebody's own sessions."""
    begun = await session.get(Session, which, with_for_update=True)
    if begun is None or begun.person != person:
        raise NotFound("You have no such session.")
    if begun.ended_at is None:
        begun.ended_at, begun.ended_because = now, SIGNED_OUT
    return begun


async def end_all(session: AsyncSession, person: UUID, *, now: datetime, why: str = SIGNED_OUT) -> int:
    """End all of somebody's sessions; how many."""
    return changed_rows(await session.execute(_END_ALL, {"person": person, "now": now, "why": why}))


async def _keep(session: AsyncSession, token: str, begun: Session, now: datetime) -> None:
    session.add(RefreshToken(hash=hash_of(token), session=begun.id, issued_at=now, replaced_at=None))
    await session.flush()


async def _is_replaced(session: AsyncSession, token: str) -> bool:
    known = await session.get(RefreshToken, hash_of(token))
    return known is None or known.replaced_at is not None


async def _grant(session: AsyncSession, begun: Session, token: str, *, now: datetime, mint: Mint) -> Grant:
    key = await signing_key(session, secret=mint.secret, now=now)
    return Grant(
        access_token=access_token(key, begun.person, begun.id, cell=mint.cell, now=now),
        expires_in=int(LIFETIME.total_seconds()),
        refresh_token=token,
        session=begun.id,
        person=begun.person,
        ends_at=begun.ends_at,
    )
