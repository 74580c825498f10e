"""Changing state: hubs, persons, memberships and organisations, each change stated as a fact."""

from __future__ import annotations

from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.rules import (
    AlreadyMember,
    EmailTaken,
    HubExists,
    OrganisationExists,
    check_may_admit,
    check_may_change_role,
    check_may_end,
    check_zone,
    words_of,
)
from services.directory.tables import Hub, Membership, Organisation, Person, folded
from shared.contracts.directory.facts import (
    HubProfileChangedV1,
    HubRegisteredV1,
    HubSnapshotV1,
    MemberJoinedV1,
    MemberLeftV1,
    OrganisationRegisteredV1,
    RoleChangedV1,
)
from shared.contracts.directory.requests import (
    AddMember,
    ChangeRole,
    EnsurePerson,
    Guest,
    HubProfile,
    LeaveHub,
    RegisterOrganisation,
)
from shared.contracts.directory.words import OPERATORS, Role
from shared.kit.errors import Forbidden, NotFound, VersionMismatch
from shared.kit.ids import Clock, Ids
from shared.kit.outbox import emit
from shared.kit.principal import Principal

RESTATED_AT_ONCE = 500
ProfileFact = TypeVar("ProfileFact", HubRegisteredV1, HubProfileChangedV1, HubSnapshotV1)

# ruff: noqa: S608  # the statements are put together from constants
# Two requests for the same name, or the same new membership, find each other here instead of in a broken constraint.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended(:what, 3))")
_LOCK_NAME = text(f"SELECT pg_advisory_xact_lock(hashtextextended(:what || {folded(':name')}, 3))")
_PERSON_CALLED = text(f"""
    SELECT id FROM person WHERE {folded("name")} = {folded(":name")} AND NOT guest ORDER BY id LIMIT 1
""")
_PERSON_WITH_EMAIL = text("SELECT id FROM person WHERE lower(email) = lower(:email) AND NOT guest")
_ORGANISATION_CALLED = text(
    f"SELECT id FROM organisation WHERE hub = :hub AND {folded('name')} = {folded(':name')}"
)


async def register_hub(
    session: AsyncSession, profile: HubProfile, *, cell: str, now: datetime, ids: Ids
) -> Hub:
    """A new hub joins the federation and lives in this cell."""
    check_zone(profile.time_zone)
    await session.execute(_LOCK, {"what": f"hub {profile.id}"})
    if await session.get(Hub, profile.id) is not None:
        raise HubExists(f"There is a hub {profile.id} already; slugs are never given twice.", field="id")
    hub = Hub(slug=profile.id, cell=cell, version=1, **_columns(profile))
    session.add(hub)
    await session.flush()
    await _state_profile(session, HubRegisteredV1, hub, now=now, ids=ids)
    return hub


async def change_hub_profile(session: AsyncSession, profile: HubProfile, *, now: datetime, ids: Ids) -> Hub:
    """The hub's public profile reads like this now."""
    check_zone(profile.time_zone)
    hub = await session.get(Hub, profile.id, with_for_update=True)
    if hub is None:
        raise NotFound(f"There is no hub {profile.id}.")
    for name, value in _columns(profile).items():
        setattr(hub, name, value)
    hub.version += 1
    await session.flush()
    await _state_profile(session, HubProfileChangedV1, hub, now=now, ids=ids)
    return hub


def _columns(profile: HubProfile) -> dict[str, Any]:
    columns = profile.model_dump(exclude={"id"}, mode="json")
    return columns | {"words": words_of(profile)}


async def _state_profile(
    session: AsyncSession, fact: type[ProfileFact], hub: Hub, *, now: datetime, ids: Ids
) -> None:
    await emit(
        session,
        fact(
            id=ids(),
            hub=hub.slug,
            occurred_at=now,
            subject=hub.slug,
            subject_version=hub.version,
            name=hub.name,
            kind=hub.kind,
            municipality=hub.municipality,
            region=hub.region,
            country=hub.country,
            time_zone=hub.time_zone,
            languages=tuple(hub.languages),
            modules=tuple(hub.modules),
            cell=hub.cell,
        ),
    )


async def restate_hubs(
    session: AsyncSession, after: str, *, clock: Clock, ids: Ids
) -> tuple[int, str | None]:
    """State the next hubs' profiles as they are: how many, and where to go on."""
    following = select(Hub).where(Hub.slug > after).order_by(Hub.slug).limit(RESTATED_AT_ONCE)
    hubs = (await session.scalars(following)).all()
    for hub in hubs:
        await _state_profile(session, HubSnapshotV1, hub, now=clock(), ids=ids)
    return len(hubs), hubs[-1].slug if len(hubs) == RESTATED_AT_ONCE else None


async def add_member(
    session: AsyncSession, request: AddMember, principal: Principal, *, now: datetime, ids: Ids
) -> Membership:
    """Somebody joins a hub: oneself, somebody known, or a guest that is registered with it."""
    hub = await _hub(session, request.hub)
    for_self = request.person is None or request.person == principal.person
    check_may_admit(principal.within(request.hub), request.role, for_self=for_self)
    if isinstance(request.person, Guest):
        person = await register_person(
            session, request.person, zone=hub.time_zone, guest=True, now=now, ids=ids
        )
    else:
        found = await session.get(Person, request.person or principal.person)
        if found is None:
            raise NotFound("This person is not in the directory.", field="person")
        person = found
    return await join(session, request.hub, person.id, request.role, now=now, ids=ids)


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


async def join(
    session: AsyncSession, hub: str, person: UUID, role: Role, *, now: datetime, ids: Ids
) -> Membership:
    """The person belongs to the hub from now on."""
    membership = await _membership(session, hub, person)
    if membership is not None and membership.left_at is None:
        raise AlreadyMember(f"They are {membership.role} in {hub} already.", field="person")
    if membership is None:
        membership = Membership(hub=hub, person=person, role=role, since=now, left_at=None, version=1)
        session.add(membership)
    else:
        membership.role, membership.since, membership.left_at = role, now, None
        membership.version += 1
    await session.flush()
    await emit(session, MemberJoinedV1(**_about(membership, now, ids), role=role))
    return membership


async def change_role(
    session: AsyncSession, request: ChangeRole, principal: Principal, *, now: datetime, ids: Ids
) -> Membership:
    """Somebody has another role in the hub; giving the role they have changes nothing."""
    membership = await _present(session, request.hub, request.person)
    check_may_change_role(principal.within(request.hub), Role(membership.role), request.role)
    if request.version is not None and request.version != membership.version:
        raise VersionMismatch(
            f"The membership is at version {membership.version} now. Read it again, then decide."
        )
    return await _set_role(session, membership, request.role, now=now, ids=ids)


async def _set_role(
    session: AsyncSession, membership: Membership, role: Role, *, now: datetime, ids: Ids
) -> Membership:
    previous = Role(membership.role)
    if previous == role:
        return membership
    membership.role = role
    membership.version += 1
    await session.flush()
    await emit(session, RoleChangedV1(**_about(membership, now, ids), role=role, previous=previous))
    return membership


async def leave(
    session: AsyncSession, request: LeaveHub, principal: Principal, *, now: datetime, ids: Ids
) -> Membership:
    """Somebody leaves the hub; leaving twice changes nothing."""
    if request.person != principal.person and principal.within(request.hub) not in OPERATORS:
        # Whether somebody belongs to a hub is not for others to find out.
        raise Forbidden("Only the person themselves, or the hub's operators, end a membership.")
    await _hub(session, request.hub)
    membership = await _membership(session, request.hub, request.person)
    if membership is None:
        raise NotFound("This person does not belong to the hub.")
    if membership.left_at is None:
        if request.person != principal.person:
            check_may_end(principal.within(request.hub), Role(membership.role))
        membership.left_at = now
        membership.version += 1
        await session.flush()
        await emit(session, MemberLeftV1(**_about(membership, now, ids)))
    return membership


async def ensure_person(session: AsyncSession, request: EnsurePerson, *, now: datetime, ids: Ids) -> Person:
    """The person of that name with that role in the hub; only for demo data and development tokens."""
    hub = await _hub(session, request.hub)
    await session.execute(_LOCK_NAME, {"what": "person ", "name": request.name})
    known = await session.scalar(_PERSON_CALLED, {"name": request.name})
    person = None if known is None else await session.get(Person, known)
    if person is None:
        who = Guest(name=request.name, email=request.email, language=request.language)
        await _refuse_email_of_another(session, who)
        person = await register_person(session, who, zone=hub.time_zone, guest=False, now=now, ids=ids)
    membership = await _membership(session, request.hub, person.id)
    if membership is None or membership.left_at is not None:
        await join(session, request.hub, person.id, request.role, now=now, ids=ids)
    else:
        await _set_role(session, membership, request.role, now=now, ids=ids)
    return person


async def _refuse_email_of_another(session: AsyncSession, who: Guest) -> None:
    if who.email is None:
        return
    await session.execute(_LOCK_NAME, {"what": "email ", "name": who.email})
    if await session.scalar(_PERSON_WITH_EMAIL, {"email": who.email}) is not None:
        raise EmailTaken("Somebody else has an account with this e-mail address.", field="email")


async def register_organisation(
    session: AsyncSession, request: RegisterOrganisation, *, now: datetime, ids: Ids
) -> Organisation:
    """An organisation gets its page at a hub."""
    await _hub(session, request.hub)
    await session.execute(_LOCK_NAME, {"what": f"organisation {request.hub} ", "name": request.name})
    same = {"hub": request.hub, "name": request.name}
    if await session.scalar(_ORGANISATION_CALLED, same) is not None:
        raise OrganisationExists(f"{request.hub} has an organisation {request.name} already.", field="name")
    organisation = Organisation(
        id=ids(), hub=request.hub, name=request.name, kind=request.kind, website=request.website
    )
    session.add(organisation)
    await session.flush()
    fact = OrganisationRegisteredV1(
        id=ids(),
        hub=request.hub,
        occurred_at=now,
        subject=str(organisation.id),
        subject_version=1,
        organisation=organisation.id,
        name=organisation.name,
    )
    await emit(session, fact)
    return organisation


async def _hub(session: AsyncSession, slug: str) -> Hub:
    hub = await session.get(Hub, slug)
    if hub is None:
        raise NotFound(f"There is no hub {slug}.", field="hub")
    return hub


async def _membership(session: AsyncSession, hub: str, person: UUID) -> Membership | None:
    await session.execute(_LOCK, {"what": f"membership {hub} {person}"})
    return await session.get(Membership, (hub, person), with_for_update=True)


async def _present(session: AsyncSession, hub: str, person: UUID) -> Membership:
    membership = await _membership(session, hub, person)
    if membership is None or membership.left_at is not None:
        raise NotFound("This person does not belong to the hub.")
    return membership


def _about(membership: Membership, now: datetime, ids: Ids) -> dict[str, Any]:
    return {
        "id": ids(),
        "hub": membership.hub,
        "occurred_at": now,
        "subject": f"{membership.hub}/{membership.person}",
        "subject_version": membership.version,
        "person": membership.person,
    }
