"""Requests in: one short function per operation, which calls a command or a query; put together here."""

from __future__ import annotations

from typing import Any

from services.matching.rpc import profiles
from shared.contracts.base import Request
from shared.kit.ids import Ids
from shared.kit.rpc import Handler


def handlers(ids: Ids) -> dict[type[Request[Any]], Handler]:
    """Everything matching answers."""
    return {
        **profiles.handlers(ids),
    }
