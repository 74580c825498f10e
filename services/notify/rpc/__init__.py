"""Requests in: one short function per operation, which calls a command or a query; put together here."""

from __future__ import annotations

from typing import Any

from services.notify.channels.http import Outside
from services.notify.queries.export import EXPORTED
from services.notify.rpc import choices, mail, notices, previews, webhooks
from services.notify.settings import Settings
from shared.contracts.base import Request
from shared.contracts.exporting import ExportMyNotices
from shared.kit.exporting import exports
from shared.kit.ids import Ids
from shared.kit.rpc import Handler

_PARTS = (notices, choices, previews, mail)


def handlers(settings: Settings, outside: Outside, ids: Ids) -> dict[type[Request[Any]], Handler]:
    """Everything notify answers."""
    own = {request: handler for part in _PARTS for request, handler in part.handlers(settings, ids).items()}
    return own | dict(webhooks.handlers(outside, ids)) | exports(ExportMyNotices, EXPORTED)
