"""Requests in about memberships: one short function per operation, which calls a command or a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory import commands
from services.directory.queries import people
from services.directory.tables import Membership
from shared.contracts.base import Request
from shared.contracts.directory.requests import (
    AccessView,
    AddMember,
    ChangeRole,
    GetAccess,
    GetMembership,
    LeaveHub,
    MembershipView,
)
from shared.contracts.directory.words import Role
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {GetAccess: _get_access, GetMembership: _get_membership}


async def _get_access(session: AsyncSession, request: GetAccess, call: Call) -> AccessView:
    return await people.get_access(session, request, now=call.now)


async def _get_membership(session: AsyncSession, request: GetMembership, call: Call) -> MembershipView:
    return await people.get_membership(session, request, required(call.principal))


def changes(ids: Ids) -> dict[type[Request[Any]], Handler]:
    """Orders."""

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


def _membership(membership: Membership) -> MembershipView:
    return MembershipView(
        hub=membership.hub,
        person=membership.person,
        role=Role(membership.role),
        since=membership.since,
        version=membership.version,
    )
