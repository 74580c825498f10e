"""Memberships: who belongs to a hub, and as what."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.accounts import account_with
from services.directory.commands.guests import register_person
from services.directory.commands.hubs import hub_called
from services.directory.commands.turns import in_turn, in_turn_for_name
from services.directory.rules.members import (
    AlreadyMember,
    EmailTaken,
    check_may_admit,
    check_may_change_role,
    check_may_end,
    is_more,
)
from services.directory.tables import Membership, Person, folded
from shared.contracts.directory.facts import MemberJoinedV1, MemberLeftV1, RoleChangedV1
from shared.contracts.directory.requests import (
    AddMember,
    ChangeRole,
    EnsurePerson,
    Guest,
    LeaveHub,
    OpenAccount,
)
from shared.contracts.directory.words import OPERATORS, Role
from shared.kit.errors import Forbidden, NotFound, VersionMismatch
from shared.kit.ids import Ids
from shared.kit.outbox import emit
from shared.kit.principal import Principal

_PERSON_CALLED = text(f"""
    SELECT id FROM person WHERE {folded("name")} = {folded(":name")} AND NOT guest ORDER BY id LIMIT 1
""")  # noqa: S608  # constants


async def add_member(
    session: AsyncSession, request: AddMember, principal: Principal, *, now: datetime, ids: Ids
) -> Membership:
    """Somebody joins a hub: oneself, somebody known, or a guest that is registered with it."""
    hub = await hub_called(session, request.hub)
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


async def join(
    session: AsyncSession, hub: str, person: UUID, role: Role, *, now: datetime, ids: Ids
) -> Membership:
    """The person belongs to the hub from now on."""
    membership = await membership_of(session, hub, person)
    if membership is not None and membership.left_at is None:
        raise AlreadyMember(f"They are {membership.role} in {hub} already.", field="person")
    if membership is None:
        membership = Membership(hub=hub, person=person, role=role, since=now, left_at=None, version=1)
        session.add(membership)
    else:
        membership.role, membership.since, membership.left_at = role, now, None
        membership.version += 1
    await session.flush()
    await state_joined(session, membership, now=now, ids=ids)
    return membership


async def state_joined(session: AsyncSession, membership: Membership, *, now: datetime, ids: Ids) -> None:
    """State that the person belongs to the hub."""
    await emit(session, MemberJoinedV1(**about(membership, now, ids), role=Role(membership.role)))


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
    await emit(session, RoleChangedV1(**about(membership, now, ids), role=role, previous=previous))
    return membership


async def leave(
    session: AsyncSession, request: LeaveHub, principal: Principal, *, now: datetime, ids: Ids
) -> Membership:
    """Somebody leaves the hub; leaving twice changes nothing."""
    if request.person != principal.person and principal.within(request.hub) not in OPERATORS:
        # Whether somebody belongs to a hub is not for others to find out.
        raise Forbidden("Only the person themselves, or the hub's operators, end a membership.")
    await hub_called(session, request.hub)
    membership = await membership_of(session, request.hub, request.person)
    if membership is None:
        raise NotFound("This person does not belong to the hub.")
    if membership.left_at is None:
        if request.person != principal.person:
            check_may_end(principal.within(request.hub), Role(membership.role))
        await _end(session, membership, now=now, ids=ids)
    return membership


async def _end(session: AsyncSession, membership: Membership, *, now: datetime, ids: Ids) -> None:
    membership.left_at = now
    membership.version += 1
    await session.flush()
    await emit(session, MemberLeftV1(**about(membership, now, ids)))


async def end_all(session: AsyncSession, person: UUID, *, now: datetime, ids: Ids) -> None:
    """The person leaves every hub they belong to."""
    theirs = select(Membership.hub).where(Membership.person == person, Membership.left_at.is_(None))
    for hub in (await session.scalars(theirs.order_by(Membership.hub))).all():
        membership = await membership_of(session, hub, person)
        if membership is not None and membership.left_at is None:
            await _end(session, membership, now=now, ids=ids)


async def ensure_person(session: AsyncSession, request: EnsurePerson, *, now: datetime, ids: Ids) -> Person:
    """The person of that name with that role in the hub; only for demo data and development tokens."""
    hub = await hub_called(session, request.hub)
    await in_turn_for_name(session, "person", request.name)
    known = await session.scalar(_PERSON_CALLED, {"name": request.name})
    person = None if known is None else await session.get(Person, known)
    if person is None:
        who = Guest(name=request.name, email=request.email, language=request.language)
        await _refuse_email_of_another(session, who)
        person = await register_person(session, who, zone=hub.time_zone, guest=False, now=now, ids=ids)
    await have_role(session, request.hub, person.id, request.role, now=now, ids=ids)
    return person


async def open_account(session: AsyncSession, request: OpenAccount, *, now: datetime, ids: Ids) -> Person:
    """The account with that address, with that role in the hub. Who has one keeps the name they have given themselves."""
    hub = await hub_called(session, request.hub)
    known = await account_with(session, request.email)
    person = None if known is None else await session.get(Person, known)
    if person is None:
        who = Guest(name=request.name, email=request.email, language=request.language)
        person = await register_person(session, who, zone=hub.time_zone, guest=False, now=now, ids=ids)
    await have_role(session, request.hub, person.id, request.role, now=now, ids=ids)
    return person


async def have_role(
    session: AsyncSession, hub: str, person: UUID, role: Role, *, now: datetime, ids: Ids
) -> Membership:
    """The person is that in the hub from now on, whatever they were."""
    membership = await membership_of(session, hub, person)
    if membership is None or membership.left_at is not None:
        return await join(session, hub, person, role, now=now, ids=ids)
    return await _set_role(session, membership, role, now=now, ids=ids)


async def be_provided(
    session: AsyncSession, hub: str, person: UUID, role: Role, *, now: datetime, ids: Ids
) -> None:
    """A sign-in provider says that the person is that in the hub. It never takes a right, and what was decided there stands.

    Decided is what has changed since they joined or since a provider last said so: who has left or was put out, and who was
    given another role, stays so.
    """
    present = await membership_of(session, hub, person)
    if present is not None:
        untouched = 1 if present.provided is None else present.provided
        decided = present.left_at is not None or present.version != untouched
        if decided or not is_more(role, Role(present.role)):
            return
    given = await have_role(session, hub, person, role, now=now, ids=ids)
    given.provided = given.version
    await session.flush()


async def _refuse_email_of_another(session: AsyncSession, who: Guest) -> None:
    if who.email is not None and await account_with(session, who.email) is not None:
        raise EmailTaken("Somebody else has an account with this e-mail address.", field="email")


async def membership_of(session: AsyncSession, hub: str, person: UUID) -> Membership | None:
    """The membership, locked until the transaction ends; also one that has ended."""
    await in_turn(session, f"membership {hub} {person}")
    return await session.get(Membership, (hub, person), with_for_update=True)


async def _present(session: AsyncSession, hub: str, person: UUID) -> Membership:
    membership = await membership_of(session, hub, person)
    if membership is None or membership.left_at is not None:
        raise NotFound("This person does not belong to the hub.")
    return membership


def about(membership: Membership, now: datetime, ids: Ids) -> dict[str, Any]:
    """What every fact about a membership says."""
    return {
        "id": ids(),
        "hub": membership.hub,
        "occurred_at": now,
        "subject": f"{membership.hub}/{membership.person}",
        "subject_version": membership.version,
        "person": membership.person,
    }
