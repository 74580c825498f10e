"""Persons new to the directory, and guests: people without an account who are the same person when they come again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.hubs import hub_called
from services.directory.commands.turns import in_turn_for_name
from services.directory.tables import Person, folded
from shared.contracts.directory.requests import Guest, RegisterGuest
from shared.kit.ids import Ids

# A guest who shares an address with others is told from them by name. Somebody with an account is never found: who
# only says an address must not come to act for the person it belongs to.
_GUEST = text(f"""
    SELECT id FROM person
    WHERE guest AND lower(email) = lower(:email) AND {folded("name")} = {folded(":name")}
    ORDER BY registered_at, id LIMIT 1
""")  # noqa: S608  # constants


async def register_person(
    session: AsyncSession, who: Guest, *, zone: str, guest: bool, now: datetime, ids: Ids
) -> Person:
    """A new person in the directory."""
    person = Person(
        id=ids(),
        name=who.name,
        email=who.email,
        language=who.language,
        time_zone=zone,
        guest=guest,
        registered_at=now,
    )
    session.add(person)
    await session.flush()
    return person


async def register_guest(session: AsyncSession, request: RegisterGuest, *, now: datetime, ids: Ids) -> Person:
    """The guest of that name and address, made if missing; they become no member of the hub."""
    hub = await hub_called(session, request.hub)
    await in_turn_for_name(session, "guest", f"{request.email} {request.name}")
    known = await session.scalar(_GUEST, {"email": request.email, "name": request.name})
    person = None if known is None else await session.get(Person, known)
    if person is not None:
        return person
    who = Guest(name=request.name, email=request.email, language=request.language)
    return await register_person(session, who, zone=hub.time_zone, guest=True, now=now, ids=ids)
