"""Organisations: companies, societies and universities with a page at a hub."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.hubs import hub_called
from services.directory.commands.turns import in_turn_for_name
from services.directory.rules.hubs import OrganisationExists
from services.directory.tables import Organisation, folded
from shared.contracts.directory.facts import OrganisationRegisteredV1
from shared.contracts.directory.requests import RegisterOrganisation
from shared.kit.ids import Ids
from shared.kit.outbox import emit

_ORGANISATION_CALLED = text(
    f"SELECT id FROM organisation WHERE hub = :hub AND {folded('name')} = {folded(':name')}"  # noqa: S608  # constants
)


async def register_organisation(
    session: AsyncSession, request: RegisterOrganisation, *, now: datetime, ids: Ids
) -> Organisation:
    """An organisation gets its page at a hub."""
    await hub_called(session, request.hub)
    await in_turn_for_name(session, f"organisation {request.hub}", request.name)
    same = {"hub": request.hub, "name": request.name}
    if await session.scalar(_ORGANISATION_CALLED, same) is not None:
        raise OrganisationExists(f"{request.hub} has an organisation {request.name} already.", field="name")
    organisation = Organisation(
        id=ids(), hub=request.hub, name=request.name, kind=request.kind, website=request.website
    )
    session.add(organisation)
    await session.flush()
    fact = OrganisationRegisteredV1(
        id=ids(),
        hub=request.hub,
        occurred_at=now,
        subject=str(organisation.id),
        subject_version=1,
        organisation=organisation.id,
        name=organisation.name,
    )
    await emit(session, fact)
    return organisation
