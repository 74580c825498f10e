"""Signing in by mail: a wish is noted and counted, looked at afterwards, and what comes of it works once."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands import sessions
from services.directory.commands.sessions import Mint
from services.directory.commands.turns import in_turn_for_name
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

WISHED = "sign-in-wished"
"""Kind of the timer by which a wish is looked at; its key is the wish's id."""
_COUNT = text("""
    INSERT INTO sign_in_count (what, window_at, number) VALUES (:what, :window_at, 1)
    ON CONFLICT (what, window_at) DO UPDATE SET number = sign_in_count.number + 1 RETURNING number
""")
_WISH = text("INSERT INTO sign_in_wish (id, email, hub, asked_at) VALUES (:id, :email, :hub, :asked_at)")
_TAKE = text("DELETE FROM sign_in_wish WHERE id = :id RETURNING email, hub, asked_at")
# An account first; else the guest who has had the address longest. Whoever opens the mail has proved that it is theirs.
_WHO = text("""
    SELECT id FROM person WHERE lower(email) = lower(:email) ORDER BY guest, registered_at, id LIMIT 1
""")
# In whose name the mail comes: the hub they are at, or else theirs, or else any.
_WHERE = text("""
    SELECT h.slug FROM hub h LEFT JOIN membership m ON m.hub = h.slug AND m.person = :person
    ORDER BY h.slug IS DISTINCT FROM :hub, m.person IS NULL, m.left_at IS NOT NULL, m.since, h.slug LIMIT 1
""")
_ACCOUNT_WITH = text("SELECT id FROM person WHERE lower(email) = lower(:email) AND NOT guest")
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
    person = await session.scalar(_WHO, {"email": wished.email})
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
    asked = await session.get(SignIn, sign_in, with_for_update=lock)
    if asked is None or asked.person != who.person or asked.expires_at <= now:
        raise LinkInvalid("This link is not valid, or not any more. Ask for a new one where you sign in.")
    return asked


async def redeem(
    session: AsyncSession, sign_in: UUID, who: Principal, *, agent: str, now: datetime, mint: Mint
) -> Grant:
    """Sign in with a link, once."""
    asked = await asked_by(session, sign_in, who, now=now, lock=True)
    if asked.used_at is not None:
        raise LinkUsed("This link has been used. Ask for a new one where you sign in.")
    await _have_account(session, asked.person)
    await session.execute(_USE, {"person": asked.person, "now": now})
    return await sessions.start(session, asked.person, via="link", agent=agent, now=now, mint=mint)


async def _have_account(session: AsyncSession, person: UUID) -> None:
    """A guest who has proved that the address is theirs has an account from now on."""
    known = await session.get(Person, person, with_for_update=True)
    if known is None or not known.guest:
        return
    await in_turn_for_name(session, "email", known.email or "")
    if await session.scalar(_ACCOUNT_WITH, {"email": known.email}) is not None:
        raise LinkInvalid("There is an account with this address now. Ask for a new link where you sign in.")
    known.guest = False
    await session.flush()


_FORGET = (
    (text("DELETE FROM sign_in_count WHERE window_at < :before"), WINDOW * 2),
    (text("DELETE FROM sign_in WHERE asked_at < :before"), timedelta(days=7)),
    (text("DELETE FROM session WHERE ends_at < :before"), timedelta(days=30)),
)


async def forget(session: AsyncSession, *, now: datetime) -> None:
    """Forget counts, links and sessions that are past their time; the tokens of sessions go with them."""
    for statement, kept in _FORGET:
        await session.execute(statement, {"before": now - kept})
