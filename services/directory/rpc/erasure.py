"""Requests in about erasing people: one short function per operation, which calls a command or a query."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands import erasing
from services.directory.queries import erasure
from services.directory.queries.export import EXPORTED
from services.directory.rules.erasure import NUMBER_BYTES, number_of
from shared.contracts.base import Request
from shared.contracts.directory.erasure import (
    EraseAgain,
    ErasedAgain,
    ErasedPage,
    EraseMe,
    ErasePerson,
    ErasureStep,
    GetReceipt,
    ListErased,
    ListOpenErasures,
    OpenErasures,
    Receipt,
)
from shared.contracts.exporting import ExportMe
from shared.kit.exporting import exports
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {
        GetReceipt: _get_receipt,
        ListOpenErasures: _list_open,
        ListErased: _list_erased,
        **exports(ExportMe, EXPORTED),
    }


async def _get_receipt(session: AsyncSession, request: GetReceipt, _: Call) -> Receipt:
    return await erasure.get_receipt(session, request.number)


async def _list_erased(session: AsyncSession, request: ListErased, _: Call) -> ErasedPage:
    return await erasure.list_erased(session, request)


async def _list_open(session: AsyncSession, request: ListOpenErasures, _: Call) -> OpenErasures:
    return await erasure.list_open(session, request.limit)


def changes(
    ids: Ids, chance: Callable[[int], bytes] = secrets.token_bytes
) -> dict[type[Request[Any]], Handler]:
    """Orders."""

    def number() -> str:
        return number_of(chance(NUMBER_BYTES))

    async def erase_me(session: AsyncSession, request: EraseMe, call: Call) -> ErasureStep:
        person = required(call.principal).person
        if request.confirmation is None:
            return await erasing.wish(session, person, number(), now=call.now)
        return await erasing.confirm(session, person, request.confirmation, now=call.now, ids=ids)

    async def erase_person(session: AsyncSession, request: ErasePerson, call: Call) -> ErasureStep:
        return await erasing.erase(session, request.person, number(), now=call.now, ids=ids)

    async def erase_again(session: AsyncSession, request: EraseAgain, call: Call) -> ErasedAgain:
        here = [
            await erasing.erase_again(session, one, now=call.now, ids=ids)
            for one in sorted(request.people, key=lambda one: one.person)
        ]
        return ErasedAgain(here=sum(here))

    return {EraseMe: erase_me, ErasePerson: erase_person, EraseAgain: erase_again}
