"""Signing in by mail: a wish is noted and counted, looked at afterwards, and what comes of it works once."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands import sessions
from services.directory.commands.accounts import account_of_holder, holder_of
from services.directory.commands.past import forget_some, past
from services.directory.commands.sessions import Mint
from services.directory.rules.sign_in import (
    LINK_LIFETIME,
    WINDOW,
    Limits,
    LinkUsed,
    place_of,
    too_many,
    window_of,
)
from services.directory.rules.tokens import counted_as
from services.directory.tables import Person, SignIn
from shared.contracts.directory.facts import SignInRequestedV1
from shared.contracts.directory.sessions import Grant, RequestSignIn
from shared.kit.ids import Ids
from shared.kit.links import LinkInvalid
from shared.kit.outbox import emit
from shared.kit.principal import Principal
from shared.kit.timers import set_timer

SESSIONS_KEPT = timedelta(days=30)
"""So long what is kept of a session outlasts it."""
WISHED = "sign-in-wished"
"""Kind of the timer by which a wish is looked at; its key is the wish's id."""
_COUNT = text("""
    INSERT INTO sign_in_count (what, window_at, number) VALUES (:what, :window_at, 1)
    ON CONFLICT (what, window_at) DO UPDATE SET number = sign_in_count.number + 1 RETURNING number
""")
_WISH = text("INSERT INTO sign_in_wish (id, email, hub, asked_at) VALUES (:id, :email, :hub, :asked_at)")
_TAKE = text("DELETE FROM sign_in_wish WHERE id = :id RETURNING email, hub, asked_at")
# In whose name the mail comes: the hub they are at, or else theirs, or else any.
_WHERE = text("""
    SELECT h.slug FROM hub h LEFT JOIN membership m ON m.hub = h.slug AND m.person = :person
    ORDER BY h.slug IS DISTINCT FROM :hub, m.person IS NULL, m.left_at IS NOT NULL, m.since, h.slug LIMIT 1
""")
# One link has done it: the others that lie about in the mailbox do nothing any more.
_USE = text("UPDATE sign_in SET used_at = :now WHERE person = :person AND used_at IS NULL")


async def wish(
    session: AsyncSession, request: RequestSignIn, *, limits: Limits, secret: str, now: datetime, ids: Ids
) -> None:
    """Note the wish. Whether the address is anybody's is not looked at here: every answer takes the same time."""
    for what, most in (
        (f"address {request.email.casefold()}", limits.per_address),
        (f"client {place_of(request.client)}", limits.per_client),
    ):
        counted = {"what": counted_as(what, secret), "window_at": window_of(now)}
        number = (await session.execute(_COUNT, counted)).scalar_one()
        if number > most:
            raise too_many(now)
    wished = {"id": ids(), "email": request.email, "hub": request.hub, "asked_at": now}
    await session.execute(_WISH, wished)
    await set_timer(session, WISHED, str(wished["id"]), now)


async def answer_wish(session: AsyncSession, id: UUID, *, ids: Ids) -> None:
    """State that somebody wants to sign in, if the address is somebody's."""
    wished = (await session.execute(_TAKE, {"id": id})).first()
    if wished is None:
        return
    person = await holder_of(session, wished.email)
    if person is None:
        return
    hub = await session.scalar(_WHERE, {"person": person, "hub": wished.hub})
    if hub is None:
        return
    until = wished.asked_at + LINK_LIFETIME
    asked = SignIn(id=ids(), person=person, hub=hub, asked_at=wished.asked_at, expires_at=until, used_at=None)
    session.add(asked)
    await session.flush()
    await emit(
        session,
        SignInRequestedV1(
            id=ids(),
            hub=asked.hub,
            occurred_at=wished.asked_at,
            subject=str(asked.id),
            subject_version=1,
            sign_in=asked.id,
            person=person,
            until=until,
        ),
    )


async def asked_by(
    session: AsyncSession, sign_in: UUID, who: Principal, *, now: datetime, lock: bool = False
) -> SignIn:
    """The sign-in a link is for; LinkInvalid when it is another's or past its time."""
    asked = await session.get(SignIn, sign_in, with_for_update=lock, populate_existing=lock)
    if asked is None or asked.person != who.person or asked.expires_at <= now:
        raise LinkInvalid("This link is not valid, or not any more. Ask for a new one where you sign in.")
    return asked


async def redeem(
    session: AsyncSession, sign_in: UUID, who: Principal, *, agent: str, now: datetime, mint: Mint
) -> Grant:
    """Sign in with a link, once."""
    await asked_by(session, sign_in, who, now=now)
    await _have_account(session, who.person)
    asked = await asked_by(session, sign_in, who, now=now, lock=True)
    if asked.used_at is not None:
        raise LinkUsed("This link has been used. Ask for a new one where you sign in.")
    await session.execute(_USE, {"person": asked.person, "now": now})
    return await sessions.start(session, asked.person, via="link", agent=agent, now=now, mint=mint)


async def _have_account(session: AsyncSession, who: UUID) -> None:
    """A guest who has proved that the address is theirs has an account from now on, unless somebody else had one first."""
    person = await session.get(Person, who)
    account = (
        None if person is None or person.email is None else await account_of_holder(session, person.email)
    )
    if account is None or account.id != who:
        raise LinkInvalid("There is an account with this address now. Ask for a new link where you sign in.")


_FORGET = (
    (past("sign_in_count", "window_at < :before"), WINDOW * 2),
    (past("sign_in", "asked_at < :before"), timedelta(days=7)),
    # Tokens before their sessions: one session may have thousands, of releases whose tokens did not name it.
    (
        past(
            "refresh_token", "EXISTS (SELECT FROM session s WHERE s.id = t.session AND s.ends_at < :before)"
        ),
        SESSIONS_KEPT,
    ),
    (
        past(
            "session", "ends_at < :before AND NOT EXISTS (SELECT FROM refresh_token r WHERE r.session = t.id)"
        ),
        SESSIONS_KEPT,
    ),
)


async def forget(session: AsyncSession, *, now: datetime) -> bool:
    """Forget some of the counts, links, sessions and tokens of sessions that are past their time; whether there may be more."""
    return any([await forget_some(session, statement, now - kept) for statement, kept in _FORGET])
