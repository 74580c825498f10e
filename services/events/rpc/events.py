"""Requests in about events: one short function per operation, which calls a command or a query."""

from __future__ import annotations

import random
from typing import Any

from shared.contracts.base import Request
from shared.kit.ids import Ids
from shared.kit.rpc import Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {}


def changes(ids: Ids, chance: random.Random) -> dict[type[Request[Any]], Handler]:  # noqa: ARG001
    """Orders."""
    return {}
