"""Whose an e-mail address is: of an account, or of guests, one of whom gets an account by proving that it is theirs."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.turns import in_turn_for_name
from services.directory.tables import Person

# An account first; else the guest who has had the address longest. Whoever opens the mail has proved that it is theirs.
_HOLDER = text("""
    SELECT id FROM person WHERE lower(email) = lower(:email) ORDER BY guest, registered_at, id LIMIT 1
""")
_ACCOUNT = text("SELECT id FROM person WHERE lower(email) = lower(:email) AND NOT guest")


async def holder_of(session: AsyncSession, email: str) -> UUID | None:
    """Who would sign in with the address."""
    found: UUID | None = await session.scalar(_HOLDER, {"email": email})
    return found


async def account_with(session: AsyncSession, email: str) -> UUID | None:
    """The account with the address; nobody else makes one meanwhile, until the transaction ends."""
    await in_turn_for_name(session, "email", email)
    found: UUID | None = await session.scalar(_ACCOUNT, {"email": email})
    return found


async def account_of_holder(session: AsyncSession, email: str) -> Person | None:
    """The account of whoever has proved that the address is theirs, a guest's made one; None when nobody has it.

    Everybody waits for the address first, then for the person, then for what else is the person's.
    """
    await in_turn_for_name(session, "email", email)
    found = await holder_of(session, email)
    # Not against who only refers to the person, as those do who join a hub.
    person = None if found is None else await session.get(Person, found, with_for_update={"key_share": True})
    if person is not None and person.guest:
        person.guest = False
        await session.flush()
    return person
