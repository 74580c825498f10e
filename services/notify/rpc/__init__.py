"""Requests in: one short function per operation, which calls a command or a query; put together here."""

from __future__ import annotations

from typing import Any

from services.notify.rpc import choices, notices, previews
from services.notify.settings import Settings
from shared.contracts.base import Request
from shared.kit.ids import Ids
from shared.kit.rpc import Handler

_PARTS = (notices, choices, previews)


def handlers(settings: Settings, ids: Ids) -> dict[type[Request[Any]], Handler]:
    """Everything notify answers."""
    return {request: handler for part in _PARTS for request, handler in part.handlers(settings, ids).items()}
