"""A short storm: what was promised still holds after some kills; `make faults` runs the long one."""

from __future__ import annotations

import secrets
from pathlib import Path

from deploy.local.narrator import Narrator
from tests.faults.arena import arena_in
from tests.faults.checks import Broken
from tests.faults.storm import Plan, storm

OPERATIONS = 1000
KILLS = 4
LONGEST_S = 30.0


async def test_every_promise_is_kept_while_processes_are_killed(tmp_path: Path) -> None:
    """Ends with the operations, or on a busy machine with its time; the shares of decided operations need a long run."""
    narrator = Narrator()
    plan = Plan(secrets.randbelow(2**32), OPERATIONS, KILLS, gap_s=(2.0, 5.0), longest_s=LONGEST_S)
    narrator.say(f"seed {plan.seed}: repeat the kills with `python -m tests.faults --seed {plan.seed}`")
    async with arena_in(tmp_path / "home", narrator) as arena:
        result = await storm(arena, plan, narrator.say)
    for name, value in result.figures.items():
        narrator.say(f"{name}: {value}")
    found = [str(one) for one in result.violations if one.broken is not Broken.UNDECIDED]
    assert not found, "\n".join(found[:20])
    assert result.evidence.bookings
    assert result.evidence.history.kills
