"""Requests in about what came of introductions."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries import outcomes
from shared.contracts.base import Request
from shared.contracts.matching.outcomes import GetOutcomes, OutcomeFigures
from shared.kit.rpc import Call, Handler


async def _get(session: AsyncSession, request: GetOutcomes, _: Call) -> OutcomeFigures:
    return await outcomes.get_outcomes(session, request)


def handlers() -> dict[type[Request[Any]], Handler]:
    """Everything about them."""
    return {GetOutcomes: _get}
