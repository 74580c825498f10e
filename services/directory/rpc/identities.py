"""Requests in about people whom a provider has signed in."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands import identities
from services.directory.commands.sessions import Mint
from shared.contracts.base import Request
from shared.contracts.directory.identities import ExchangeIdentity, MakeNonce, NonceView
from shared.contracts.directory.sessions import Grant
from shared.kit.rpc import Call, Handler


def changes(mint: Mint) -> dict[type[Request[Any]], Handler]:
    """Orders. Only the gateway sends them, after it has checked the provider's token."""

    async def make_nonce(session: AsyncSession, request: MakeNonce, call: Call) -> NonceView:
        return await identities.make_nonce(session, request.issuer, now=call.now, mint=mint)

    async def exchange(session: AsyncSession, request: ExchangeIdentity, call: Call) -> Grant:
        return await identities.exchange(session, request, now=call.now, mint=mint)

    return {MakeNonce: make_nonce, ExchangeIdentity: exchange}
