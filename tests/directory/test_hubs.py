"""Hubs: registered once, found by place and text, stated again on demand."""

from __future__ import annotations

import asyncio

import pytest

from services.directory import commands
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1, HubSnapshotV1
from shared.contracts.directory.requests import (
    ChangeHubProfile,
    GetAccess,
    GetHub,
    HubProfile,
    ListHubs,
    RegisterHub,
    RegisterOrganisation,
)
from shared.contracts.directory.words import HubKind
from tests.directory.world import HUB, Refused, World


async def found(world: World, **asked: object) -> list[str]:
    page = await world.ask(ListHubs.model_validate(asked))
    return [hub.id for hub in page.items]


async def nordic(world: World) -> None:
    """Hubs with the letters people really write."""
    await world.hub(
        "alvesjo", name="Ålvesjö bibliotek", municipality="Älvesjö", region="Småland", country="SE"
    )
    await world.hub(
        "aeroe", name="Ærø kontor", municipality="Ærøskøbing", region="Fyn", country="DK", kind="company"
    )
    await world.hub("fifty", name="50% off_peak", municipality="Alvesta", offers=("Quiet room", "3D printer"))
    await world.hub("online", name="Nowhere", kind="online", about="No address\nat all")


async def test_a_hub_joins_once(world: World) -> None:
    profile = HubProfile(id=HUB, name="Again", kind=HubKind.COMPANY, time_zone="Europe/Oslo")
    refused = await world.refusal(RegisterHub(profile=profile))
    assert (refused.status, refused.code) == (409, "hub-exists")
    twins = [RegisterHub(profile=profile.model_copy(update={"id": "new"})) for _ in range(5)]
    answers = await asyncio.gather(*(world.answer(one) for one in twins))
    assert sum(isinstance(one, Refused) for one in answers) == 4
    [first, second] = await world.facts(HubRegisteredV1)
    assert (first.subject, first.subject_version, second.subject) == (HUB, 1, "new")


@pytest.mark.parametrize("zone", ["Mars/Olympus", "../../etc/passwd", "Europe", "", "Europe/Stockholm "])
async def test_a_zone_must_exist(world: World, zone: str) -> None:
    profile = {"id": "new", "name": "New", "kind": "library", "time_zone": zone}
    try:
        request = RegisterHub.model_validate({"profile": profile})
    except ValueError:
        return
    assert (await world.refusal(request)).problem["field"] == "time_zone"


@pytest.mark.parametrize(
    ("q", "hubs"),
    [
        ("älvesjö", ["alvesjo"]),
        ("ÄLVESJÖ", ["alvesjo"]),
        ("a\u030alvesjo\u0308", ["alvesjo"]),  # å and ö as letter and sign
        ("ærø", ["aeroe"]),
        ("Ærøskøbing kontor", ["aeroe"]),
        ("kontor ærøskøbing", ["aeroe"]),
        ("alves", ["fifty"]),  # a is not ä
        ("50%", ["fifty"]),
        ("%", ["fifty"]),
        ("_", ["fifty"]),
        ("off_peak", ["fifty"]),
        ("offxpeak", []),
        ("\\", []),
        ("3d printer", ["fifty"]),
        ("address at", ["online"]),
        ("nothing like it", []),
    ],
)
async def test_search_by_text(world: World, q: str, hubs: list[str]) -> None:
    await nordic(world)
    assert await found(world, q=q) == hubs


async def test_search_by_place(world: World) -> None:
    await nordic(world)
    assert await found(world, municipality="älvesjö") == ["alvesjo"]
    assert await found(world, municipality="ÆRØSKØBING") == ["aeroe"]
    assert await found(world, municipality="Älvesj%") == []
    assert await found(world, region="småland", country="SE") == ["alvesjo"]
    assert await found(world, country="DK", kind="library") == []
    assert await found(world, kind="online") == ["online"]
    assert await found(world, q=" ") == ["aeroe", "alvesjo", "fifty", HUB, "online"]


async def test_hubs_come_in_pages(world: World) -> None:
    await nordic(world)
    seen, cursor = [], None
    while True:
        page = await world.ask(ListHubs(limit=2, cursor=cursor))
        seen += [hub.id for hub in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == ["aeroe", "alvesjo", "fifty", HUB, "online"]


async def test_a_profile_changes_and_everybody_hears_it(world: World) -> None:
    profile = HubProfile(
        id=HUB, name="Nordviken 2", kind=HubKind.COMPANY, time_zone="Europe/Oslo", languages=("sv", "en")
    )
    changed = await world.ask(ChangeHubProfile(profile=profile))
    assert (changed.name, changed.version, changed.address) == ("Nordviken 2", 2, None)
    assert await world.ask(GetHub(hub=HUB)) == changed
    assert await found(world, q="nordviken 2") == [HUB]
    [fact] = await world.facts(HubProfileChangedV1)
    assert (fact.subject, fact.subject_version) == (HUB, 2)
    unknown = ChangeHubProfile(profile=profile.model_copy(update={"id": "nowhere"}))
    assert (await world.refusal(unknown)).status == 404
    assert (await world.refusal(GetHub(hub="nowhere"))).status == 404


async def test_snapshots_state_what_is(world: World) -> None:
    await nordic(world)
    profile = HubProfile(id=HUB, name="Nordviken", kind=HubKind.LIBRARY, time_zone="Europe/Oslo")
    await world.ask(ChangeHubProfile(profile=profile))
    async with world.database.transaction() as session:
        assert await commands.restate_hubs(session, "", clock=world.clock, ids=world.ids) == (5, None)
    snapshots = {fact.hub: fact for fact in await world.facts(HubSnapshotV1)}
    ours = snapshots[HUB]
    assert isinstance(ours, HubSnapshotV1)
    assert (ours.subject_version, ours.time_zone) == (2, "Europe/Oslo")
    assert {fact.subject_version for hub, fact in snapshots.items() if hub != HUB} == {1}


async def test_where_a_hub_lives(world: World) -> None:
    seen = await world.ask(GetAccess(hub=HUB))
    assert (seen.cell, seen.role) == ("local", None)
    assert (await world.refusal(GetAccess(hub="nowhere"))).status == 404


async def test_an_organisation_has_one_page_per_hub(world: World) -> None:
    await world.hub("sydviken")
    made = await world.ask(RegisterOrganisation(hub=HUB, name="Östermalms Företagare"))
    for name in ("Östermalms Företagare", "ÖSTERMALMS FÖRETAGARE"):
        assert (await world.refusal(RegisterOrganisation(hub=HUB, name=name))).code == "organisation-exists"
    elsewhere = await world.ask(RegisterOrganisation(hub="sydviken", name="Östermalms Företagare"))
    assert elsewhere.id != made.id
    twins = await asyncio.gather(
        *(world.answer(RegisterOrganisation(hub=HUB, name="İstanbul AŞ")) for _ in range(4))
    )
    assert sum(isinstance(one, Refused) for one in twins) == 3
    assert (await world.refusal(RegisterOrganisation(hub="nowhere", name="A"))).status == 404


@pytest.mark.parametrize("field", ["q", "municipality", "region", "cursor"])
def test_a_nul_is_refused_before_it_reaches_the_database(field: str) -> None:
    with pytest.raises(ValueError, match="control characters"):
        ListHubs.model_validate({field: "a\x00b"})
