"""Requests in about skills: finding them, and bringing a vocabulary in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands import skills as commands
from services.matching.index.vocabulary import Vocabulary
from services.matching.queries import skills as queries
from shared.contracts.base import Request
from shared.contracts.matching.skills import (
    EndImport,
    FindSkills,
    GetSkill,
    ImportCount,
    ImportEnded,
    ImportSkills,
    LinkSkills,
    SkillDetail,
    SkillsFound,
)
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


async def _get(session: AsyncSession, request: GetSkill, call: Call) -> SkillDetail:
    required(call.principal)
    return await queries.get_skill(session, request)


async def _import(session: AsyncSession, request: ImportSkills, _: Call) -> ImportCount:
    return await commands.take_in(session, request)


async def _link(session: AsyncSession, request: LinkSkills, _: Call) -> ImportCount:
    return await commands.link(session, request)


def handlers(ids: Ids, vocabulary: Vocabulary) -> dict[type[Request[Any]], Handler]:
    """Everything about skills."""

    async def find(session: AsyncSession, request: FindSkills, call: Call) -> SkillsFound:
        required(call.principal)
        return await queries.find(session, request, vocabulary)

    async def end(session: AsyncSession, _: EndImport, call: Call) -> ImportEnded:
        return await commands.end_import(session, now=call.now, ids=ids)

    return {
        FindSkills: find,
        GetSkill: _get,
        ImportSkills: _import,
        LinkSkills: _link,
        EndImport: end,
    }
