"""Sessions: begun by proving who one is, carried on by refresh tokens that replace each other, ended."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.token_keys import signing_key
from services.directory.rules.sign_in import IDLE, REPEATED_WITHIN, SESSION_LIFETIME
from services.directory.rules.tokens import (
    Chance,
    access_token,
    first_refresh_token,
    hash_of,
    session_of,
    successor_of,
)
from services.directory.tables import RefreshToken, Session
from shared.contracts.directory.sessions import Grant
from shared.kit.database import changed_rows
from shared.kit.errors import NotFound
from shared.kit.ids import Ids
from shared.kit.telemetry import logger
from shared.kit.tokens import LIFETIME

log = logger(__name__)

SIGNED_OUT, REPLAYED, WENT_BACK = "signed-out", "replayed", "went-back"
KNOWN_FOR = timedelta(minutes=1)
"""So long a replaced token is kept that names its session: longer than it is answered, on clocks that are apart."""
AT_ONCE = 5000
_END_ALL = text("""
    UPDATE session SET ended_at = :now, ended_because = :why WHERE person = :person AND ended_at IS NULL AND ends_at > :now
""")
_REPLACED_LONG_AGO = text("DELETE FROM refresh_token WHERE session = :session AND replaced_at < :before")
_END_SOME = text("""
    UPDATE session SET ended_at = :now, ended_because = :why WHERE id = ANY(ARRAY(
        SELECT id FROM session WHERE ended_at IS NULL AND ends_at > :now AND started_at <= :until
        ORDER BY id LIMIT :most FOR UPDATE
    ))
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
    token = first_refresh_token(begun.id, mint.secret, mint.chance)
    await _keep(session, token, begun, now)
    return await _grant(session, begun, token, now=now, mint=mint)


async def refresh(
    session: AsyncSession, token: str, *, agent: str, now: datetime, mint: Mint
) -> Grant | None:
    """The next tokens; None when there is no such session any more.

    A token that was replaced a while ago is in two hands: the whole session ends (RFC 9700, 4.14.2), also when it was so long ago
    that nothing is kept of it but the session it names. Within some seconds it is a repeat, and hears what it heard: a second
    tab, or somebody whose answer got lost.
    """
    # The session's row is the turn: two who refresh at once come after each other.
    begun = await _session_with(session, token, mint.secret)
    if begun is None or begun.ended_at is not None or begun.ends_at <= now:
        return None
    known = await session.get(RefreshToken, hash_of(token), populate_existing=True)
    successor = successor_of(token, mint.secret)
    if known is not None and known.replaced_at is None:
        await _replace(session, known, now=now, named=session_of(token, mint.secret) is not None)
        await _keep(session, successor, begun, now)
        begun.seen_at, begun.agent = now, agent or begun.agent
        begun.ends_at = min(now + IDLE, begun.started_at + SESSION_LIFETIME)
    elif not _is_repeat(known, now) or await _is_replaced(session, successor):
        begun.ended_at, begun.ended_because = now, REPLAYED
        await session.flush()
        log.warning("a refresh token came again; its session has ended", session=str(begun.id))
        return None
    return await _grant(session, begun, successor, now=now, mint=mint)


async def sign_out(session: AsyncSession, token: str, *, secret: str, now: datetime) -> int:
    """End the session a refresh token belongs to, also by one that was replaced; how many have ended."""
    begun = await _session_with(session, token, secret)
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


async def end_some_from_before(session: AsyncSession, until: datetime, *, now: datetime) -> bool:
    """End some of the sessions that had begun by then, after the database went back; whether there may be more.

    Who has signed out since the backup, or was found to be two, must not be signed in again by it.
    """
    chunk = {"until": until, "now": now, "why": WENT_BACK, "most": AT_ONCE}
    return changed_rows(await session.execute(_END_SOME, chunk)) >= AT_ONCE


async def _session_with(session: AsyncSession, token: str, secret: str) -> Session | None:
    """The session a token belongs to, locked until the transaction ends."""
    known = await session.get(RefreshToken, hash_of(token))
    which = session_of(token, secret) if known is None else known.session
    if which is None:
        return None
    return await session.get(Session, which, with_for_update=True, populate_existing=True)


async def _replace(session: AsyncSession, known: RefreshToken, *, now: datetime, named: bool) -> None:
    known.replaced_at = now
    await session.flush()
    if named:
        # The others of this session need no row to be known again. Those made before tokens named their session keep theirs.
        long_ago = {"session": known.session, "before": now - KNOWN_FOR}
        await session.execute(_REPLACED_LONG_AGO, long_ago)


async def _keep(session: AsyncSession, token: str, begun: Session, now: datetime) -> None:
    session.add(RefreshToken(hash=hash_of(token), session=begun.id, issued_at=now, replaced_at=None))
    await session.flush()


def _is_repeat(known: RefreshToken | None, now: datetime) -> bool:
    if known is None or known.replaced_at is None:
        return False
    return now - known.replaced_at <= REPEATED_WITHIN


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
