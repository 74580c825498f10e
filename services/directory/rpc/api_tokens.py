"""Requests in about API tokens: one short function per operation, which calls a command or a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands import api_tokens
from services.directory.commands.sessions import Mint
from services.directory.queries import api_tokens as queries
from shared.contracts.base import Request
from shared.contracts.directory.api_tokens import (
    ApiTokenAccess,
    ApiTokenPage,
    ApiTokenSecretView,
    ApiTokenView,
    CheckApiToken,
    ListApiTokens,
    MakeApiToken,
    RevokeApiToken,
)
from shared.contracts.directory.words import OPERATORS
from shared.kit.principal import Principal, require_role
from shared.kit.rpc import Call, Handler

Handlers = dict[type[Request[Any]], Handler]


def _operator(call: Call, hub: str) -> Principal:
    return require_role(call.principal, hub, OPERATORS, "Looking after API tokens")


def reads() -> Handlers:
    """Questions."""
    return {ListApiTokens: _list_tokens, CheckApiToken: _check}


async def _list_tokens(session: AsyncSession, request: ListApiTokens, call: Call) -> ApiTokenPage:
    _operator(call, request.hub)
    return await queries.of_hub(session, request)


async def _check(session: AsyncSession, request: CheckApiToken, call: Call) -> ApiTokenAccess:
    return await queries.check(session, request, now=call.now)


def changes(mint: Mint) -> Handlers:
    """Orders. The gateway sends none of them with a key: an answer under one would be kept, and a token is not to be."""

    async def make(session: AsyncSession, request: MakeApiToken, call: Call) -> ApiTokenSecretView:
        by = _operator(call, request.hub).person
        made, token = await api_tokens.make(
            session, request, by=by, now=call.now, ids=mint.ids, chance=mint.chance
        )
        return ApiTokenSecretView(**queries.view_of(made).model_dump(), token=token)

    async def revoke(session: AsyncSession, request: RevokeApiToken, call: Call) -> ApiTokenView:
        by = _operator(call, request.hub).person
        return queries.view_of(
            await api_tokens.revoke(session, request.hub, request.token, by=by, now=call.now, ids=mint.ids)
        )

    return {MakeApiToken: make, RevokeApiToken: revoke}
