"""Requests in about signing in: links, sessions, keys; what refuses and yet changes something is answered directly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands import sessions, sign_in, token_keys
from services.directory.commands.sessions import Mint
from services.directory.queries import sessions as queries
from services.directory.rules.sign_in import LINK_LIFETIME, Limits, over
from shared.contracts.base import Request
from shared.contracts.directory.sessions import (
    EndMySession,
    EndMySessions,
    GetSignIn,
    GetTokenKeys,
    Grant,
    ListMySessions,
    RedeemSignIn,
    RefreshSession,
    RequestSignIn,
    RotateTokenKeys,
    SessionPage,
    SessionView,
    SignedOut,
    SignInAsked,
    SignInView,
    SignOut,
    TokenKeys,
)
from shared.kit.database import Database
from shared.kit.idempotency import Answer
from shared.kit.principal import required
from shared.kit.rpc import Call, Direct, Handler, answer_of

Handlers = dict[type[Request[Any]], Handler]


def reads() -> Handlers:
    """Questions."""
    return {GetSignIn: _get_sign_in, ListMySessions: _list_my_sessions, GetTokenKeys: _get_token_keys}


async def _get_sign_in(session: AsyncSession, request: GetSignIn, call: Call) -> SignInView:
    asked = await sign_in.asked_by(session, request.sign_in, required(call.principal), now=call.now)
    return SignInView(hub=asked.hub, until=asked.expires_at, used=asked.used_at is not None)


async def _list_my_sessions(session: AsyncSession, request: ListMySessions, call: Call) -> SessionPage:
    return await queries.list_mine(session, request, required(call.principal).person, now=call.now)


async def _get_token_keys(session: AsyncSession, _: GetTokenKeys, call: Call) -> TokenKeys:
    return await queries.token_keys(session, now=call.now)


def changes(mint: Mint, limits: Limits) -> Handlers:
    """Orders."""

    async def request_sign_in(session: AsyncSession, request: RequestSignIn, call: Call) -> SignInAsked:
        await sign_in.wish(session, request, limits=limits, secret=mint.secret, now=call.now, ids=mint.ids)
        return SignInAsked(minutes=int(LINK_LIFETIME.total_seconds()) // 60)

    async def redeem(session: AsyncSession, request: RedeemSignIn, call: Call) -> Grant:
        who = required(call.principal)
        return await sign_in.redeem(
            session, request.sign_in, who, agent=request.agent, now=call.now, mint=mint
        )

    async def sign_out(session: AsyncSession, request: SignOut, call: Call) -> SignedOut:
        ended = await sessions.sign_out(session, request.token, secret=mint.secret, now=call.now)
        return SignedOut(sessions=ended)

    async def end_one(session: AsyncSession, request: EndMySession, call: Call) -> SessionView:
        person = required(call.principal).person
        return queries.view_of(await sessions.end_one(session, person, request.session, now=call.now))

    async def end_all(session: AsyncSession, _: EndMySessions, call: Call) -> SignedOut:
        return SignedOut(
            sessions=await sessions.end_all(session, required(call.principal).person, now=call.now)
        )

    async def rotate(session: AsyncSession, request: RotateTokenKeys, call: Call) -> TokenKeys:
        await token_keys.rotate(
            session, at_once=request.at_once, secret=mint.secret, now=call.now, chance=mint.chance
        )
        return await queries.token_keys(session, now=call.now)

    return {
        RequestSignIn: request_sign_in,
        RedeemSignIn: redeem,
        SignOut: sign_out,
        EndMySession: end_one,
        EndMySessions: end_all,
        RotateTokenKeys: rotate,
    }


def direct(database: Database, mint: Mint) -> Mapping[type[Request[Any]], Direct]:
    """A copied refresh token is refused, and the session ends all the same: its transaction is committed first."""

    async def refresh(request: RefreshSession, call: Call) -> Answer:
        async with database.transaction() as session:
            grant = await sessions.refresh(
                session, request.token, agent=request.agent, now=call.now, mint=mint
            )
        if grant is None:
            raise over()
        return answer_of(request, grant)

    return {RefreshSession: refresh}
