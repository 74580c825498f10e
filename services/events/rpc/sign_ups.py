"""Requests in about taking part."""

from __future__ import annotations

import random
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands import guests, leaving, offers
from services.events.queries import sign_ups
from services.events.rules.authority import viewer_of
from shared.contracts.base import Request
from shared.contracts.events.sign_ups import (
    AcceptOffer,
    ConfirmSignUp,
    DeclineOffer,
    GetLink,
    GetSignUp,
    GiveBackPlace,
    ListSignUps,
    SignUpGuest,
)
from shared.contracts.events.views import GuestAnswer, LinkView, SignUpPage, SignUpView
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {GetSignUp: _get_sign_up, ListSignUps: _list_sign_ups, GetLink: _get_link}


async def _get_sign_up(session: AsyncSession, request: GetSignUp, call: Call) -> SignUpView:
    return await sign_ups.get_sign_up(session, request, call.principal)


async def _list_sign_ups(session: AsyncSession, request: ListSignUps, call: Call) -> SignUpPage:
    return await sign_ups.list_sign_ups(session, request, call.principal)


async def _get_link(session: AsyncSession, request: GetLink, call: Call) -> LinkView:
    return await sign_ups.get_link(session, request, call.principal)


def changes(ids: Ids, chance: random.Random) -> dict[type[Request[Any]], Handler]:
    """Orders; signing up itself is answered directly, see `commands/signing_up.py`."""

    async def guest(session: AsyncSession, request: SignUpGuest, call: Call) -> GuestAnswer:
        return await guests.request(session, request, call.principal, now=call.now, ids=ids)

    async def confirm(session: AsyncSession, request: ConfirmSignUp, call: Call) -> SignUpView:
        who = required(call.principal)
        return await guests.confirm(session, request, who, now=call.now, ids=ids, chance=chance)

    async def accept(session: AsyncSession, request: AcceptOffer, call: Call) -> SignUpView:
        who = required(call.principal)
        mine = await offers.accept(session, request, who, now=call.now, ids=ids, chance=chance)
        return await sign_ups.view(session, mine.id, viewer_of(who, request.hub))

    async def decline(session: AsyncSession, request: DeclineOffer, call: Call) -> SignUpView:
        who = required(call.principal)
        mine = await offers.decline(session, request, who, now=call.now, ids=ids)
        return await sign_ups.view(session, mine.id, viewer_of(who, request.hub))

    async def give_back(session: AsyncSession, request: GiveBackPlace, call: Call) -> SignUpView:
        who = required(call.principal)
        given = await leaving.give_back(session, request, who, now=call.now, ids=ids)
        return await sign_ups.view(session, given.id, viewer_of(who, request.hub))

    return {
        SignUpGuest: guest,
        ConfirmSignUp: confirm,
        AcceptOffer: accept,
        DeclineOffer: decline,
        GiveBackPlace: give_back,
    }
