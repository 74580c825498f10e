"""Requests in about who has come."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import attendance
from services.events.queries import sign_ups
from services.events.rules.authority import viewer_of
from shared.contracts.base import Request
from shared.contracts.events.sign_ups import RegisterArrival
from shared.contracts.events.views import ArrivalView
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions; who comes is read with the sign-ups."""
    return {}


def changes(ids: Ids, chance: random.Random) -> dict[type[Request[Any]], Handler]:  # noqa: ARG001
    """Orders."""

    async def register_arrival(session: AsyncSession, request: RegisterArrival, call: Call) -> ArrivalView:
        who = required(call.principal)
        came, walk_ins, sign_up = await attendance.register(session, request, who, now=call.now, ids=ids)
        shown = None
        if sign_up is not None:
            shown = await sign_ups.view(session, sign_up, viewer_of(who, request.hub))
        return ArrivalView(event=request.event, came=came, walk_ins=walk_ins, sign_up=shown)

    return {RegisterArrival: register_arrival}
