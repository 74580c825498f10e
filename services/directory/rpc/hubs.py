"""Requests in about hubs and organisations: one short function per operation, which calls a command or a query."""

from __future__ import annotations

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory import commands
from services.directory.queries import hubs
from shared.contracts.base import Request
from shared.contracts.directory.requests import (
    ChangeHubProfile,
    GetHub,
    HubPage,
    HubView,
    ListHubs,
    OrganisationView,
    RegisterHub,
    RegisterOrganisation,
)
from shared.kit.ids import Ids
from shared.kit.rpc import Call, Handler


def reads() -> dict[type[Request[Any]], Handler]:
    """Questions."""
    return {ListHubs: _list_hubs, GetHub: _get_hub}


async def _list_hubs(session: AsyncSession, request: ListHubs, _: Call) -> HubPage:
    return await hubs.list_hubs(session, request)


async def _get_hub(session: AsyncSession, request: GetHub, _: Call) -> HubView:
    return await hubs.get_hub(session, request.hub)


def changes(cell: str, ids: Ids) -> dict[type[Request[Any]], Handler]:
    """Orders."""

    async def register_hub(session: AsyncSession, request: RegisterHub, call: Call) -> HubView:
        hub = await commands.register_hub(session, request.profile, cell=cell, now=call.now, ids=ids)
        return hubs.hub_view(hub)

    async def change_hub_profile(session: AsyncSession, request: ChangeHubProfile, call: Call) -> HubView:
        return hubs.hub_view(
            await commands.change_hub_profile(session, request.profile, now=call.now, ids=ids)
        )

    async def register_organisation(
        session: AsyncSession, request: RegisterOrganisation, call: Call
    ) -> OrganisationView:
        made = await commands.register_organisation(session, request, now=call.now, ids=ids)
        return OrganisationView(
            id=made.id, hub=made.hub, name=made.name, kind=made.kind, website=made.website
        )

    return {
        RegisterHub: register_hub,
        ChangeHubProfile: change_hub_profile,
        RegisterOrganisation: register_organisation,
    }
