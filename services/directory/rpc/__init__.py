"""Requests in: one short function per operation, which calls a command or a query; put together here."""

from __future__ import annotations

from typing import Any

from services.directory.rpc import erasure, hubs, members, people
from shared.contracts.base import Request
from shared.kit.ids import Ids
from shared.kit.rpc import Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {**hubs.reads(), **members.reads(), **people.reads(), **erasure.reads()}


def changes(cell: str, ids: Ids) -> dict[type[Request[Any]], Handler]:
    """Orders."""
    return {**hubs.changes(cell, ids), **members.changes(ids), **people.changes(ids), **erasure.changes(ids)}
