"""The checker finds each planted fault and nothing else, and nothing where none is planted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.narrator import Narrator
from tests.faults.arena import Arena
from tests.faults.checks import classes
from tests.faults.scenarios import SCENARIOS, Scenario, arena_to_plant_in, play

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def arena(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Arena]:
    """One stack for all scenarios; each has a hub of its own."""
    async with arena_to_plant_in(tmp_path_factory.mktemp("planted") / "home", Narrator()) as made:
        yield made


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
async def test_a_planted_fault_is_found(arena: Arena, scenario: Scenario) -> None:
    clean = await play(arena, scenario, faulty=False)
    assert not clean, "\n".join(map(str, clean))
    found = await play(arena, scenario, faulty=True)
    assert classes(found) == {scenario.breaks}, "\n".join(map(str, found))
