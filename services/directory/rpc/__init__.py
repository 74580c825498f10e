"""Requests in: one short function per operation, which calls a command or a query; put together here."""

from __future__ import annotations

from typing import Any

from services.directory.commands.sessions import Mint
from services.directory.rpc import api_tokens, erasure, hubs, identities, members, people, sessions
from services.directory.rules.sign_in import Limits
from shared.contracts.base import Request
from shared.kit.rpc import Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {
        **hubs.reads(),
        **members.reads(),
        **people.reads(),
        **sessions.reads(),
        **api_tokens.reads(),
        **erasure.reads(),
    }


def changes(mint: Mint, limits: Limits) -> dict[type[Request[Any]], Handler]:
    """Orders."""
    return {
        **hubs.changes(mint.cell, mint.ids),
        **members.changes(mint.ids),
        **people.changes(mint.ids),
        **sessions.changes(mint, limits),
        **api_tokens.changes(mint),
        **erasure.changes(mint.ids),
        **identities.changes(mint),
    }
