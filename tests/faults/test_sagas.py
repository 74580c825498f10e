"""A few steps of the agreement at which a process dies, and two orphans; `make faults` takes every step."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.narrator import Narrator
from tests.faults.moments import AFTER_COMMIT, BEFORE_COMMIT
from tests.faults.sagas import ORPHANS, STEPS, mend, play
from tests.faults.theatre import Saga, open_saga, theatre_in

pytestmark = pytest.mark.asyncio(loop_scope="module")

PLAYED = (("accepted", AFTER_COMMIT), ("released", BEFORE_COMMIT), ("lost", AFTER_COMMIT))
PLANTED = ("the booking is deleted", "the event is deleted")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def saga(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Saga]:
    """One stack and one hub for all of them."""
    async with theatre_in(tmp_path_factory.mktemp("sagas") / "home", Narrator()) as theatre:
        yield await open_saga(theatre)


@pytest.mark.parametrize(("name", "when"), PLAYED)
async def test_both_agree_although_one_was_killed_at_this_step(saga: Saga, name: str, when: str) -> None:
    step = next(one for one in STEPS if one.name == name)
    assert await play(saga, step, when) == []


@pytest.mark.parametrize("name", PLANTED)
async def test_an_orphan_is_mended(saga: Saga, name: str) -> None:
    orphan = next(one for one in ORPHANS if one.name == name)
    assert await mend(saga, orphan) == []
