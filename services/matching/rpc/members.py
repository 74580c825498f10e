"""Requests in about the members of a hub."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.members import search_members
from services.matching.rules.refusals import NotAMember
from shared.contracts.base import Request
from shared.contracts.directory.words import Role
from shared.contracts.matching.members import MemberPage, SearchMembers
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


async def _search(session: AsyncSession, request: SearchMembers, call: Call) -> MemberPage:
    who = required(call.principal)
    if who.within(request.hub) in {None, Role.VISITOR}:
        raise NotAMember("Only members of the hub find its members here.")
    return await search_members(session, request, who.person, today=call.now.date())


def handlers() -> dict[type[Request[Any]], Handler]:
    """Everything about members."""
    return {SearchMembers: _search}
