"""What events hears of hubs and spaces: twice, late and reversed."""

from __future__ import annotations

import itertools

import pytest

from shared.contracts.base import Fact
from shared.contracts.booking.facts import SpaceRulesChangedV1
from shared.contracts.directory.facts import HubProfileChangedV1
from shared.kit.errors import Invalid
from tests.events.world import HUB, World


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_hub_reads_as_its_latest_fact_whatever_the_order(
    empty: World, order: tuple[int, ...]
) -> None:
    zones = ("Europe/Stockholm", "Europe/Oslo", "Asia/Kolkata")
    facts: list[Fact] = [empty.hub_fact(zone=zones[0])]
    facts += [empty.hub_fact(zone=zone, fact=HubProfileChangedV1, languages=("da",)) for zone in zones[1:]]
    for number in order:
        await empty.hear(facts[number], facts[number])
    await empty.hear(*reversed(facts))
    [row] = await empty.rows("SELECT time_zone, languages, municipality FROM hub")
    assert (row.time_zone, row.languages, row.municipality) == ("Asia/Kolkata", ["da"], "Nordviken")


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
async def test_a_space_is_known_by_its_latest_name_whatever_the_order(
    empty: World, order: tuple[int, ...]
) -> None:
    opened = empty.space_fact("attic")
    facts: list[Fact] = [opened]
    facts += [
        SpaceRulesChangedV1(
            **opened.model_dump() | {"id": empty.ids(), "subject_version": n, "name": name, "capacity": n}
        )
        for n, name in ((2, "Loft"), (3, "Roof"))
    ]
    for number in order:
        await empty.hear(facts[number], facts[number])
    [row] = await empty.rows("SELECT hub, name, capacity FROM space")
    assert (row.hub, row.name, row.capacity) == (HUB, "Roof", 3)


async def test_a_zone_nobody_knows_is_given_up_on_not_stored(world: World) -> None:
    with pytest.raises(Invalid):
        await world.hear(world.hub_fact(zone="Mars/Olympus", fact=HubProfileChangedV1))
    [row] = await world.rows("SELECT time_zone FROM hub")
    assert row.time_zone == "Europe/Stockholm"
