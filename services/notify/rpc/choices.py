"""Requests in about what people have chosen."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.choosing import change_choices, unsubscribe
from services.notify.queries import choices
from services.notify.settings import Settings
from shared.contracts.base import Request
from shared.contracts.notify.notices import (
    ChangeMyChoices,
    ChoicesView,
    GetMyChoices,
    GetUnsubscribe,
    Unsubscribe,
    UnsubscribeView,
)
from shared.kit.forgetting import is_forgotten
from shared.kit.ids import Ids
from shared.kit.links import LinkInvalid
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


def handlers(_: Settings, ids: Ids) -> dict[type[Request[Any]], Handler]:
    """What is answered here."""

    async def change(session: AsyncSession, request: ChangeMyChoices, call: Call) -> ChoicesView:
        person = required(call.principal).person
        await change_choices(session, request, by=person, now=call.now, ids=ids)
        return await choices.get_choices(session, person)

    return {
        GetMyChoices: _get,
        ChangeMyChoices: change,
        GetUnsubscribe: _get_unsubscribe,
        Unsubscribe: _unsubscribe,
    }


async def _get(session: AsyncSession, _: GetMyChoices, call: Call) -> ChoicesView:
    return await choices.get_choices(session, required(call.principal).person)


async def _get_unsubscribe(session: AsyncSession, request: GetUnsubscribe, call: Call) -> UnsubscribeView:
    person = await _still_there(session, call)
    return await choices.get_unsubscribe(session, person, request.hub, request.kinds)


async def _unsubscribe(session: AsyncSession, request: Unsubscribe, call: Call) -> UnsubscribeView:
    person = await _still_there(session, call)
    await unsubscribe(session, request.hub, request.kinds, by=person, now=call.now)
    return await choices.get_unsubscribe(session, person, request.hub, request.kinds)


async def _still_there(session: AsyncSession, call: Call) -> UUID:
    # Such a link is good for a year, and asks nobody whether its person still is: a choice would bring an erased one back.
    person = required(call.principal).person
    if await is_forgotten(session, person):
        raise LinkInvalid("The link is not valid any more.")
    return person
