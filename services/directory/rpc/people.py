"""Requests in about people: one short function per operation, which calls a command or a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory import commands
from services.directory.commands.looks import show_names
from services.directory.queries import looks, people
from shared.contracts.base import Request
from shared.contracts.directory.erasure import ListMyLooks, LookPage
from shared.contracts.directory.requests import (
    Contacts,
    EnsurePerson,
    GetContacts,
    GetMe,
    NamedPeople,
    NamePeople,
    OpenAccount,
    PersonView,
    RegisterGuest,
)
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {GetMe: _get_me, GetContacts: _get_contacts, ListMyLooks: _list_looks}


async def _name_people(session: AsyncSession, request: NamePeople, call: Call) -> NamedPeople:
    return await show_names(session, request, call.principal, now=call.now)


async def _list_looks(session: AsyncSession, request: ListMyLooks, call: Call) -> LookPage:
    return await looks.list_looks(session, required(call.principal).person, request)


async def _get_contacts(session: AsyncSession, request: GetContacts, _: Call) -> Contacts:
    return await people.get_contacts(session, request)


async def _get_me(session: AsyncSession, _: GetMe, call: Call) -> PersonView:
    return await people.get_person(session, required(call.principal).person)


def changes(ids: Ids) -> dict[type[Request[Any]], Handler]:
    """Orders."""

    async def ensure_person(session: AsyncSession, request: EnsurePerson, call: Call) -> PersonView:
        person = await commands.ensure_person(session, request, now=call.now, ids=ids)
        return await people.get_person(session, person.id)

    async def open_account(session: AsyncSession, request: OpenAccount, call: Call) -> PersonView:
        person = await commands.open_account(session, request, now=call.now, ids=ids)
        return await people.get_person(session, person.id)

    async def register_guest(session: AsyncSession, request: RegisterGuest, call: Call) -> PersonView:
        guest = await commands.register_guest(session, request, now=call.now, ids=ids)
        return await people.get_person(session, guest.id)

    return {
        EnsurePerson: ensure_person,
        OpenAccount: open_account,
        RegisterGuest: register_guest,
        NamePeople: _name_people,
    }
