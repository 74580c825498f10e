"""Requests in: one short function per operation, which calls a command or a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory import commands, queries
from services.directory.tables import Membership
from shared.contracts.base import Request
from shared.contracts.directory.requests import (
    AccessView,
    AddMember,
    ChangeHubProfile,
    ChangeRole,
    Contacts,
    EnsurePerson,
    GetAccess,
    GetContacts,
    GetHub,
    GetMe,
    GetMembership,
    HubPage,
    HubView,
    LeaveHub,
    ListHubs,
    MembershipView,
    NamedPeople,
    NamePeople,
    OrganisationView,
    PersonView,
    RegisterGuest,
    RegisterHub,
    RegisterOrganisation,
)
from shared.contracts.directory.words import Role
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {
        ListHubs: _list_hubs,
        GetHub: _get_hub,
        GetAccess: _get_access,
        GetMe: _get_me,
        GetMembership: _get_membership,
        NamePeople: _name_people,
        GetContacts: _get_contacts,
    }


async def _list_hubs(session: AsyncSession, request: ListHubs, _: Call) -> HubPage:
    return await queries.list_hubs(session, request)


async def _get_hub(session: AsyncSession, request: GetHub, _: Call) -> HubView:
    return await queries.get_hub(session, request.hub)


async def _get_access(session: AsyncSession, request: GetAccess, _: Call) -> AccessView:
    return await queries.get_access(session, request)


async def _get_membership(session: AsyncSession, request: GetMembership, call: Call) -> MembershipView:
    return await queries.get_membership(session, request, required(call.principal))


async def _name_people(session: AsyncSession, request: NamePeople, _: Call) -> NamedPeople:
    return await queries.name_people(session, request)


async def _get_contacts(session: AsyncSession, request: GetContacts, _: Call) -> Contacts:
    return await queries.get_contacts(session, request)


async def _get_me(session: AsyncSession, _: GetMe, call: Call) -> PersonView:
    return await queries.get_person(session, required(call.principal).person)


def changes(cell: str, ids: Ids) -> dict[type[Request[Any]], Handler]:
    """Orders."""
    return _about_hubs(cell, ids) | _about_members(ids) | _about_people(ids)


def _about_hubs(cell: str, ids: Ids) -> dict[type[Request[Any]], Handler]:
    async def register_hub(session: AsyncSession, request: RegisterHub, call: Call) -> HubView:
        hub = await commands.register_hub(session, request.profile, cell=cell, now=call.now, ids=ids)
        return queries.hub_view(hub)

    async def change_hub_profile(session: AsyncSession, request: ChangeHubProfile, call: Call) -> HubView:
        return queries.hub_view(
            await commands.change_hub_profile(session, request.profile, now=call.now, ids=ids)
        )

    async def register_organisation(
        session: AsyncSession, request: RegisterOrganisation, call: Call
    ) -> OrganisationView:
        made = await commands.register_organisation(session, request, now=call.now, ids=ids)
        return OrganisationView(
            id=made.id, hub=made.hub, name=made.name, kind=made.kind, website=made.website
        )

    return {
        RegisterHub: register_hub,
        ChangeHubProfile: change_hub_profile,
        RegisterOrganisation: register_organisation,
    }


def _about_members(ids: Ids) -> dict[type[Request[Any]], Handler]:
    async def add_member(session: AsyncSession, request: AddMember, call: Call) -> MembershipView:
        who = required(call.principal)
        return _membership(await commands.add_member(session, request, who, now=call.now, ids=ids))

    async def change_role(session: AsyncSession, request: ChangeRole, call: Call) -> MembershipView:
        who = required(call.principal)
        return _membership(await commands.change_role(session, request, who, now=call.now, ids=ids))

    async def leave(session: AsyncSession, request: LeaveHub, call: Call) -> MembershipView:
        who = required(call.principal)
        return _membership(await commands.leave(session, request, who, now=call.now, ids=ids))

    return {AddMember: add_member, ChangeRole: change_role, LeaveHub: leave}


def _about_people(ids: Ids) -> dict[type[Request[Any]], Handler]:
    async def ensure_person(session: AsyncSession, request: EnsurePerson, call: Call) -> PersonView:
        person = await commands.ensure_person(session, request, now=call.now, ids=ids)
        return await queries.get_person(session, person.id)

    async def register_guest(session: AsyncSession, request: RegisterGuest, call: Call) -> PersonView:
        guest = await commands.register_guest(session, request, now=call.now, ids=ids)
        return await queries.get_person(session, guest.id)

    return {EnsurePerson: ensure_person, RegisterGuest: register_guest}


def _membership(membership: Membership) -> MembershipView:
    return MembershipView(
        hub=membership.hub,
        person=membership.person,
        role=Role(membership.role),
        since=membership.since,
        version=membership.version,
    )
