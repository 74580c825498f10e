"""Joining, roles and leaving."""

from __future__ import annotations

from shared.contracts.directory.requests import (
    AddMember,
    ChangeHubProfile,
    ChangeRole,
    GetAccess,
    GetHub,
    GetMe,
    Guest,
    HubProfile,
    LeaveHub,
    ListHubs,
    RegisterOrganisation,
)
from shared.contracts.directory.words import HubKind, Role
from tests.directory.world import HUB, World


async def test_smoke(world: World) -> None:
    op = await world.person("Olga", Role.OPERATOR)
    m = await world.ask(AddMember(hub=HUB, person=Guest(name="Gunnar"), role=Role.VISITOR), op)
    await world.ask(ChangeRole(hub=HUB, person=m.person, role=Role.MEMBER), op)
    await world.ask(LeaveHub(hub=HUB, person=m.person), op)
    await world.ask(GetMe(), op)
    await world.ask(GetAccess(hub=HUB, person=m.person))
    await world.ask(GetHub(hub=HUB))
    assert (await world.ask(ListHubs(q="nord"))).items
    await world.ask(RegisterOrganisation(hub=HUB, name="Acme"))
    await world.ask(
        ChangeHubProfile(profile=HubProfile(id=HUB, name="N", kind=HubKind.COMPANY, time_zone="Europe/Oslo"))
    )
    assert [f.subject_version for f in await world.facts()]
