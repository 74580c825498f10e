"""Requests in about introductions."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands import introductions, outcomes
from services.matching.commands.introductions import Terms
from services.matching.queries.introductions import carried_out, get_mine, list_mine
from shared.contracts.base import Request
from shared.contracts.directory.words import STAFF
from shared.contracts.matching.introductions import (
    AskIntroduction,
    GetMyIntroduction,
    IntroductionPage,
    IntroductionView,
    ListMyIntroductions,
    ReplyToIntroduction,
    SayMet,
    SayOutcome,
    SuggestedView,
    SuggestIntroduction,
)
from shared.kit.ids import Ids
from shared.kit.principal import require_role, required
from shared.kit.rpc import Call, Handler


async def _get(session: AsyncSession, request: GetMyIntroduction, call: Call) -> IntroductionView:
    me = required(call.principal).person
    return await get_mine(session, request.introduction, me, request.language, today=call.now.date())


async def _list(session: AsyncSession, request: ListMyIntroductions, call: Call) -> IntroductionPage:
    return await list_mine(session, request, required(call.principal).person, today=call.now.date())


def _answering(act: Any, ids: Ids) -> Handler:
    """Carry an order about one introduction out, and answer with how it stands then."""

    async def carry_out(session: AsyncSession, request: Any, call: Call) -> IntroductionView:
        me = required(call.principal).person
        await act(session, request, me, now=call.now, ids=ids)
        return await carried_out(session, request.introduction, me)

    return carry_out


def handlers(ids: Ids, terms: Terms) -> dict[type[Request[Any]], Handler]:
    """Everything about introductions."""

    async def ask(session: AsyncSession, request: AskIntroduction, call: Call) -> IntroductionView:
        me = required(call.principal).person
        made = await introductions.ask(session, request, me, terms=terms, now=call.now, ids=ids)
        return await carried_out(session, made, me)

    async def suggest(session: AsyncSession, request: SuggestIntroduction, call: Call) -> SuggestedView:
        staff = frozenset(map(str, STAFF))
        by = require_role(call.principal, request.hub, staff, "Suggesting that two people meet").person
        made = await introductions.suggest(session, request, by, terms=terms, now=call.now, ids=ids)
        return SuggestedView(id=made.id, hub=made.hub, lapses_at=made.lapse_at)

    return {
        GetMyIntroduction: _get,
        ListMyIntroductions: _list,
        AskIntroduction: ask,
        SuggestIntroduction: suggest,
        ReplyToIntroduction: _answering(introductions.reply, ids),
        SayMet: _answering(outcomes.say_met, ids),
        SayOutcome: _answering(outcomes.say_outcome, ids),
    }
