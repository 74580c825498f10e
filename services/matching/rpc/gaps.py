"""Requests in about the skills a town lacks, and what its hubs want."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands import targets
from services.matching.commands.counting import count_soon
from services.matching.queries import gaps
from shared.contracts.base import Request
from shared.contracts.directory.words import OPERATORS
from shared.contracts.matching.gaps import (
    CountFigures,
    DropTarget,
    FiguresView,
    GetSkillsMissing,
    GetTarget,
    ListTargets,
    SetTarget,
    SkillsMissing,
    TargetPage,
    TargetView,
)
from shared.kit.principal import Principal, require_role
from shared.kit.rpc import Call, Handler


def _operator(call: Call, hub: str) -> Principal:
    return require_role(
        call.principal, hub, frozenset(map(str, OPERATORS)), "What the hub wants for the town"
    )


async def _missing(session: AsyncSession, request: GetSkillsMissing, _: Call) -> SkillsMissing:
    return await gaps.get_skills_missing(session, request)


async def _count(session: AsyncSession, _: CountFigures, call: Call) -> FiguresView:
    return FiguresView(areas=await count_soon(session, now=call.now))


async def _list(session: AsyncSession, request: ListTargets, call: Call) -> TargetPage:
    _operator(call, request.hub)
    return await gaps.list_targets(session, request)


async def _get(session: AsyncSession, request: GetTarget, call: Call) -> TargetView:
    _operator(call, request.hub)
    return await gaps.get_target(session, request)


async def _set(session: AsyncSession, request: SetTarget, call: Call) -> TargetView:
    by = _operator(call, request.hub).person
    await targets.set_target(session, request, by)
    wanted = GetTarget(hub=request.hub, concept=request.concept, language=request.language)
    return await gaps.get_target(session, wanted)


async def _drop(session: AsyncSession, request: DropTarget, call: Call) -> TargetView:
    _operator(call, request.hub)
    return await targets.drop_target(session, request)


def handlers() -> dict[type[Request[Any]], Handler]:
    """Everything about gaps and targets."""
    return {
        GetSkillsMissing: _missing,
        CountFigures: _count,
        ListTargets: _list,
        GetTarget: _get,
        SetTarget: _set,
        DropTarget: _drop,
    }
