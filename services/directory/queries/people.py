"""Reading people: themselves, their names and contacts for who may know them, access for the gateway."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.rules.api_tokens import ROLES
from shared.contracts.directory.requests import (
    AccessView,
    Contact,
    Contacts,
    GetAccess,
    GetContacts,
    GetMembership,
    MembershipView,
    NamedPeople,
    NamedPerson,
    NamePeople,
    PersonView,
)
from shared.contracts.directory.words import STAFF, TokenPurpose
from shared.kit.errors import NotFound
from shared.kit.principal import Principal

_ACCESS = text("""
    SELECT h.cell, m.role, t.purpose FROM hub h
    LEFT JOIN membership m ON m.hub = h.slug AND m.person = CAST(:person AS uuid) AND m.left_at IS NULL
    LEFT JOIN api_token t ON t.hub = h.slug AND t.id = CAST(:person AS uuid) AND t.revoked_at IS NULL AND t.expires_at > :now
    WHERE h.slug = :hub
""")
_PERSON = text("SELECT id, name, email, language, time_zone, guest FROM person WHERE id = :person")
_MEMBERSHIPS = text("""
    SELECT hub, person, role, since, version FROM membership WHERE person = :person AND left_at IS NULL ORDER BY hub
""")

# Addresses of people with an account stay where they are, whoever asks.
_NAMES = text("""
    SELECT id AS person, name, CASE WHEN guest AND :contact THEN email END AS email, guest
    FROM person WHERE id = ANY(:people) ORDER BY id
""")
_MEMBERSHIP = text("""
    SELECT hub, person, role, since, version FROM membership
    WHERE hub = :hub AND person = :person AND left_at IS NULL
""")

# Nothing of the hub is asked of a guest: they belong to none.
_CONTACTS = text("""
    SELECT DISTINCT asked.hub, p.id AS person, p.name, p.email, p.language, p.time_zone, p.guest, m.left_at
    FROM unnest(CAST(:hubs AS text[]), CAST(:people AS uuid[])) asked (hub, person)
    JOIN person p ON p.id = asked.person
    LEFT JOIN membership m ON m.hub = asked.hub AND m.person = p.id
    ORDER BY asked.hub, p.id
""")


async def get_access(session: AsyncSession, request: GetAccess, *, now: datetime) -> AccessView:
    """Where the hub lives and what the person, or the API token of that id, is there."""
    asked = {"hub": request.hub, "person": request.person, "now": now}
    row = (await session.execute(_ACCESS, asked)).first()
    if row is None:
        raise NotFound(f"There is no hub {request.hub}.")
    role = row.role if row.purpose is None else ROLES[TokenPurpose(row.purpose)]
    return AccessView(person=request.person or UUID(int=0), hub=request.hub, cell=row.cell, role=role)


async def get_membership(
    session: AsyncSession, request: GetMembership, principal: Principal
) -> MembershipView:
    """What somebody is in a hub; NotFound alike when they do not belong to it and when it is not yours to see."""
    asked = {"hub": request.hub, "person": request.person}
    row = (await session.execute(_MEMBERSHIP, asked)).mappings().first()
    if row is None or (request.person != principal.person and principal.within(request.hub) not in STAFF):
        raise NotFound("This person does not belong to the hub.")
    return MembershipView(**row)


async def get_person(session: AsyncSession, person: UUID) -> PersonView:
    """A person with their roles."""
    row = (await session.execute(_PERSON, {"person": person})).mappings().first()
    if row is None:
        raise NotFound("This person is not in the directory.")
    memberships = (await session.execute(_MEMBERSHIPS, {"person": person})).mappings()
    return PersonView(**row, memberships=tuple(MembershipView(**one) for one in memberships))


async def name_people(session: AsyncSession, request: NamePeople) -> NamedPeople:
    """What these people are called; those nobody knows are left out."""
    rows = await session.execute(_NAMES, {"people": list(request.people), "contact": request.contact})
    return NamedPeople(items=tuple(NamedPerson(**row) for row in rows.mappings()))


async def get_contacts(session: AsyncSession, request: GetContacts) -> Contacts:
    """How to reach these people now; those nobody knows, because they never came or were erased, are left out."""
    asked = {"hubs": [one.hub for one in request.people], "people": [one.person for one in request.people]}
    rows = await session.execute(_CONTACTS, asked)
    return Contacts(items=tuple(Contact(**row) for row in rows.mappings()))
