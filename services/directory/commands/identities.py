"""People whom a provider has signed in: found by who they are there, else by a verified address, else made."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands import sessions
from services.directory.commands.accounts import account_of_holder
from services.directory.commands.guests import register_person
from services.directory.commands.hubs import hub_called
from services.directory.commands.members import be_provided
from services.directory.commands.past import forget_some, past
from services.directory.commands.sessions import Mint
from services.directory.commands.turns import in_turn
from services.directory.rules.tokens import hash_of, new_token
from shared.contracts.directory.identities import ExchangeIdentity, GivenRole, NonceView
from shared.contracts.directory.requests import Guest
from shared.contracts.directory.sessions import Grant
from shared.kit.principal import Unauthenticated
from shared.kit.telemetry import logger

log = logger(__name__)

NONCE_LIFETIME = timedelta(minutes=10)
NONCE = "foci_no_"
_NOTE = text("INSERT INTO identity_nonce (hash, issuer, expires_at) VALUES (:hash, :issuer, :until)")
_USE = text(
    "DELETE FROM identity_nonce WHERE hash = :hash AND issuer = :issuer AND expires_at > :now RETURNING hash"
)
_KNOWN = text("SELECT person FROM identity WHERE issuer = :issuer AND subject = :subject")
_LINK = text(
    "INSERT INTO identity (issuer, subject, person, linked_at) VALUES (:issuer, :subject, :person, :now)"
)
_HUBS = text("SELECT slug FROM hub WHERE slug = ANY(CAST(:hubs AS text[]))")
_FORGET = past("identity_nonce", "expires_at < :before")


async def make_nonce(session: AsyncSession, issuer: str, *, now: datetime, mint: Mint) -> NonceView:
    """A nonce that the provider's token has to repeat; only its hash is kept."""
    nonce, until = new_token(NONCE, mint.chance), now + NONCE_LIFETIME
    await session.execute(_NOTE, {"hash": hash_of(nonce), "issuer": issuer, "until": until})
    return NonceView(nonce=nonce, until=until)


async def exchange(session: AsyncSession, request: ExchangeIdentity, *, now: datetime, mint: Mint) -> Grant:
    """A session for who the provider says it is. The nonce goes with it, so the same token opens nothing twice."""
    spent = {"hash": hash_of(request.nonce), "issuer": request.issuer, "now": now}
    if await session.scalar(_USE, spent) is None:
        raise Unauthenticated("This sign-in has been used, or has taken too long. Begin it again.")
    request = request.model_copy(update={"roles": await _here(session, request)})
    person = await _whose(session, request, now=now, mint=mint)
    # Hub after hub in the order in which everybody takes their turns.
    for given in sorted(request.roles, key=lambda one: one.hub):
        await be_provided(session, given.hub, person, given.role, now=now, ids=mint.ids)
    return await sessions.start(
        session, person, via=request.provider, agent=request.agent, now=now, mint=mint
    )


async def forget(session: AsyncSession, *, now: datetime) -> bool:
    """Forget some of the nonces nobody came back with; whether there may be more."""
    return await forget_some(session, _FORGET, now)


async def _here(session: AsyncSession, request: ExchangeIdentity) -> tuple[GivenRole, ...]:
    """The roles in hubs of this cell; a rule about another one is its keeper's mistake, and shuts nobody out."""
    found = set((await session.scalars(_HUBS, {"hubs": [one.hub for one in request.roles]})).all())
    for hub in sorted({one.hub for one in request.roles} - found):
        log.warning(
            "a sign-in provider's rule names a hub that is not here", provider=request.provider, hub=hub
        )
    return tuple(one for one in request.roles if one.hub in found)


async def _whose(session: AsyncSession, request: ExchangeIdentity, *, now: datetime, mint: Mint) -> UUID:
    who = {"issuer": request.issuer, "subject": request.subject}
    await in_turn(session, f"identity {request.issuer} {request.subject}")
    known: UUID | None = await session.scalar(_KNOWN, who)
    if known is None:
        known = await _linked_or_made(session, request, now=now, mint=mint)
        await session.execute(_LINK, {**who, "person": known, "now": now})
    return known


async def _linked_or_made(
    session: AsyncSession, request: ExchangeIdentity, *, now: datetime, mint: Mint
) -> UUID:
    account = None if request.email is None else await account_of_holder(session, request.email)
    if account is not None:
        return account.id
    zone = (await hub_called(session, request.roles[0].hub)).time_zone if request.roles else "UTC"
    made = Guest(name=request.name, email=request.email, language=request.language)
    return (await register_person(session, made, zone=zone, guest=False, now=now, ids=mint.ids)).id
