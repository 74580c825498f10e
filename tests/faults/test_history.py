"""A short storm, people who read along, a release that takes another's place: what was promised still holds.

`make faults` runs the long ones.
"""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from deploy.local.narrator import Narrator
from deploy.local.stack import GATEWAY
from tests.faults import ledger, rolling
from tests.faults.checks import Broken
from tests.faults.live import GATEWAYS, read_along
from tests.faults.rolling import Rolling, roll, rolling_in
from tests.faults.storm import Plan, storm

pytestmark = pytest.mark.asyncio(loop_scope="module")

OPERATIONS = 300
KILLS = 4
READ_ALONG = 40
"""Operations of those who work while others read along."""
DOORS_KILLED = 3
LONGEST_S = 30.0
ROLLED = ("booking", GATEWAY)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def arena(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Rolling]:
    """One stack for both, with two of what is killed or replaced."""
    home = tmp_path_factory.mktemp("history") / "home"
    async with rolling_in(home, Narrator(), (*ROLLED, ledger.SERVICE)) as made:
        yield made


async def test_every_promise_is_kept_while_processes_are_killed(arena: Rolling) -> None:
    """Ends with the operations, or on a busy machine with its time; the shares of decided operations need a long run."""
    narrator = arena.narrator
    plan = Plan(secrets.randbelow(2**32), OPERATIONS, KILLS, gap_s=(0.5, 1.2), longest_s=LONGEST_S)
    narrator.say(f"seed {plan.seed}: repeat the kills with `python -m tests.faults --seed {plan.seed}`")
    result = await storm(arena, plan, narrator.say)
    for name, value in result.figures.items():
        narrator.say(f"{name}: {value}")
    found = [str(one) for one in result.violations if one.broken is not Broken.UNDECIDED]
    assert not found, "\n".join(found[:20])
    assert result.evidence.bookings
    assert result.evidence.history.kills


async def test_who_reads_along_is_told_everything_once_while_gateways_are_killed(arena: Rolling) -> None:
    seed = secrets.randbelow(2**32)
    arena.narrator.say(
        f"seed {seed}: repeat the kills with `python -m tests.faults --only live --seed {seed}`"
    )
    plan = Plan(
        seed, READ_ALONG, DOORS_KILLED, clients=3, gap_s=(0.5, 1.5), longest_s=LONGEST_S, victims=GATEWAYS
    )
    result = await read_along(arena, plan)
    for name, value in result.figures.items():
        arena.narrator.say(f"{name}: {value}")
    assert not result.faults, "\n".join(map(str, result.faults[:20]))
    assert result.kills


async def test_nobody_notices_that_a_replica_becomes_the_next_release(arena: Rolling) -> None:
    result = await roll(arena, arena.narrator, rolling.Plan(ROLLED, clients=2, visitors=1))
    for name, value in result.figures.items():
        arena.narrator.say(f"{name}: {value}")
    assert not result.broken, "\n".join(result.broken[:20])
    assert {"before", "next"} <= result.standing["booking"].stated.keys()
