"""Requests in: one short function per operation, which calls a command or a query; put together here."""

from __future__ import annotations

import random
from typing import Any

from services.events.queries.export import EXPORTED
from services.events.rpc import attendance, calendars, events, moderation, series, sign_ups
from shared.contracts.base import Request
from shared.contracts.exporting import ExportMyAttendance
from shared.kit.exporting import exports
from shared.kit.ids import Ids
from shared.kit.rpc import Handler

_PARTS = (events, series, moderation, sign_ups, attendance, calendars)


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    own = {request: handler for part in _PARTS for request, handler in part.reads().items()}
    return own | exports(ExportMyAttendance, EXPORTED)


def changes(ids: Ids, chance: random.Random) -> dict[type[Request[Any]], Handler]:
    """Orders; signing up is answered directly, see `commands/signing_up.py`."""
    return {request: handler for part in _PARTS for request, handler in part.changes(ids, chance).items()}
