"""`make faults`: storms, planted faults, sagas, restores, a rolling change, readers; ends with 1 when anything is not right."""

from __future__ import annotations

import argparse
import asyncio
import platform
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

import psutil
from rich.table import Table

from deploy.local.narrator import Narrator
from tests.faults import going_back, live
from tests.faults.arena import Arena, arena_in
from tests.faults.checks import classes
from tests.faults.cluster import CLUSTER_VICTIMS, cluster_in
from tests.faults.rolling import Rolling, roll, rolling_in
from tests.faults.sagas import all_of_it
from tests.faults.scenarios import SCENARIOS, arena_to_plant_in, play
from tests.faults.storm import Plan, Result, storm

SHOWN = 20


def arguments() -> argparse.Namespace:
    """What may be asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--seed", type=int, default=None, help="repeat the kills of an earlier run")
    parser.add_argument("--operations", type=int, default=20_000)
    parser.add_argument("--kills", type=int, default=30, help="at least so many; they go on to the end")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument(
        "--only",
        choices=("storm", "planted", "sagas", "cluster", "restore", "rolling", "live"),
        help="one part",
    )
    return parser.parse_args()


async def long_run(arena: Arena, plan: Plan, narrator: Narrator) -> tuple[Result, bool]:
    """The storm, and its figures."""
    result = await storm(arena, plan, narrator.say)
    table = Table("", "", title="the long run", show_header=False)
    machine = (
        f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, {platform.platform()}"
    )
    for name, value in {**result.figures, "machine": machine}.items():
        table.add_row(name, value)
    narrator.console.print(table)
    for violation in result.violations[:SHOWN]:
        narrator.say(str(violation), bad=True)
    if result.violations:
        result.evidence.history.write(arena.home.root / "history.jsonl")
        narrator.say(f"the history is in {arena.home.root / 'history.jsonl'}", bad=True)
    return result, not result.violations


async def planted(arena: Arena, narrator: Narrator) -> bool:
    """Each fault must be found and nothing else; without it the same steps must pass."""
    table = Table("fault", "must break", "found", "without the fault", "s", title="planted faults")
    good = True
    for scenario in SCENARIOS:
        started = time.monotonic()
        clean = await play(arena, scenario, faulty=False)
        found = await play(arena, scenario, faulty=True)
        right = not clean and classes(found) == {scenario.breaks}
        good = good and right
        named = ", ".join(sorted(classes(found))) or "nothing"
        table.add_row(
            scenario.name, scenario.breaks, named, "clean" if not clean else "BROKEN",
            f"{time.monotonic() - started:.0f}",
        )  # fmt: skip
        narrator.say(f"{scenario.name}: {'caught' if right else 'NOT AS IT SHOULD BE'}", bad=not right)
        for violation in [] if right else [*clean, *found][:SHOWN]:
            narrator.say(str(violation), bad=True)
    narrator.console.print(table)
    return good


async def rolled(arena: Rolling, narrator: Narrator) -> bool:
    """Every replica replaced by the next release, and the figures."""
    result = await roll(arena, narrator)
    table = Table("", "", title="the rolling change", show_header=False)
    for name, value in result.figures.items():
        table.add_row(name, value)
    narrator.console.print(table)
    for sentence in result.broken[:SHOWN]:
        narrator.say(sentence, bad=True)
    return not result.broken


async def run(asked: argparse.Namespace, home: Path, narrator: Narrator) -> bool:
    """Everything asked for, each part on a stack of its own."""
    good = True
    if asked.only in (None, "storm"):
        plan = Plan(asked.seed, asked.operations, asked.kills, asked.clients)
        async with arena_in(home / "storm", narrator) as arena:
            _, good = await long_run(arena, plan, narrator)
    if asked.only in (None, "planted"):
        async with arena_to_plant_in(home / "planted", narrator) as arena:
            good = await planted(arena, narrator) and good
    if asked.only in (None, "cluster"):
        plan = Plan(asked.seed, asked.operations // 4, asked.kills, asked.clients, victims=CLUSTER_VICTIMS)
        async with cluster_in(home / "cluster", narrator) as arena:
            _, unbroken = await long_run(arena, plan, narrator)
            good = unbroken and good
    if asked.only in (None, "restore"):
        (home / "restore").mkdir()
        good = await going_back.all_of_it(home / "restore", narrator, asked.operations // 40) and good
    if asked.only in (None, "sagas"):
        good = await all_of_it(home / "sagas", narrator) and good
    if asked.only in (None, "rolling"):
        async with rolling_in(home / "rolling", narrator) as rolling:
            good = await rolled(rolling, narrator) and good
    if asked.only in (None, "live"):
        (home / "live").mkdir()
        good = await live.all_of_it(home / "live", narrator, asked.seed, asked.operations // 8) and good
    return good


def main() -> int:
    """Entry."""
    asked = arguments()
    if asked.seed is None:
        asked.seed = secrets.randbelow(2**32)
    narrator = Narrator()
    home = Path(tempfile.mkdtemp(prefix="foci-faults-"))
    narrator.say(f"seed {asked.seed} (repeat the kills with --seed {asked.seed}); everything is in {home}")
    good = asyncio.run(run(asked, home, narrator))
    if good:
        shutil.rmtree(home)
        narrator.say(f"all as it should be{'' if asked.only is None else f' (only {asked.only})'}")
    else:
        narrator.say(f"BROKEN; logs, databases and streams stay in {home}", bad=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
