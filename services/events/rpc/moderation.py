"""Requests in about approving and hiding."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import moderation
from services.events.commands.loading import load, organisers_of
from services.events.rpc.events import shown
from services.events.rules.authority import organises, viewer_of
from shared.contracts.base import Request
from shared.contracts.events.requests import AnswerHiding, ApproveEvent, HideEvent, ReturnEvent, ShowEvent
from shared.contracts.events.views import EventView
from shared.kit.errors import Forbidden
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions: none, the event itself tells."""
    return {}


def changes(ids: Ids, chance: random.Random) -> dict[type[Request[Any]], Handler]:  # noqa: ARG001  # as every part is asked
    """Orders."""

    async def approve(session: AsyncSession, request: ApproveEvent, call: Call) -> EventView:
        who = required(call.principal)
        event = await moderation.load_as_staff(session, request.hub, request.event, who)
        await moderation.approve(session, event, by=who.person, now=call.now, ids=ids)
        return await shown(session, event, who)

    async def give_back(session: AsyncSession, request: ReturnEvent, call: Call) -> EventView:
        who = required(call.principal)
        event = await moderation.load_as_staff(session, request.hub, request.event, who)
        await moderation.give_back(session, event, request.reason, by=who.person, now=call.now, ids=ids)
        return await shown(session, event, who)

    async def hide(session: AsyncSession, request: HideEvent, call: Call) -> EventView:
        who = required(call.principal)
        event = await moderation.load_as_staff(session, request.hub, request.event, who)
        await moderation.hide(session, event, request.reason, by=who.person, now=call.now, ids=ids)
        return await shown(session, event, who)

    async def show(session: AsyncSession, request: ShowEvent, call: Call) -> EventView:
        who = required(call.principal)
        event = await moderation.load_as_staff(session, request.hub, request.event, who)
        await moderation.show(session, event, by=who.person, now=call.now, ids=ids)
        return await shown(session, event, who)

    return {
        ApproveEvent: approve,
        ReturnEvent: give_back,
        HideEvent: hide,
        ShowEvent: show,
        AnswerHiding: _answer,
    }


async def _answer(session: AsyncSession, request: AnswerHiding, call: Call) -> EventView:
    who = required(call.principal)
    event = await load(session, request.hub, request.event, who)
    if not organises(viewer_of(who, request.hub), await organisers_of(session, event.id)):
        raise Forbidden("Only those who organise the event answer the hub.")
    await moderation.answer(session, event, request.answer, now=call.now)
    return await shown(session, event, who)
