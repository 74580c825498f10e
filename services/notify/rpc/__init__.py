"""Requests in: one short function per operation, which calls a command or a query; put together here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.notify.settings import Settings
from shared.contracts.base import Request
from shared.kit.ids import Ids
from shared.kit.rpc import Handler


def handlers(settings: Settings, ids: Ids) -> Mapping[type[Request[Any]], Handler]:
    """Everything notify answers."""
    return {}
