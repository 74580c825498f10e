"""The nursery: programs that are forks of one process, and as separate as if each had been started by itself."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from deploy.local.forks import Fork, Nursery
from tests.stack.console import alive
from tests.stack.test_supervisor import until

pytestmark = pytest.mark.asyncio(loop_scope="module")
PROGRAM = "tests.stack.forked"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def nursery(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Nursery]:
    """One for all stories."""
    made = Nursery(tmp_path_factory.mktemp("nursery") / "nursery.log")
    yield made
    await made.stop()


async def stays(nursery: Nursery, log: Path, **environment: str) -> tuple[Fork, dict[str, Any]]:
    """A child that stays, and what it has found."""
    fork = await nursery.start((PROGRAM, "stay"), environment, log)
    await until("it has looked around", lambda: written(log).endswith("\n"))
    found: dict[str, Any] = json.loads(written(log))
    return fork, found


def written(log: Path) -> str:
    """What a child has said so far."""
    return log.read_text() if log.exists() else ""


def parent_of(fork: Fork) -> psutil.Process:
    """The nursery's process."""
    parent = psutil.Process(fork.pid).parent()
    assert parent
    return parent


async def test_a_child_has_an_environment_a_session_and_a_log_of_its_own(
    nursery: Nursery, tmp_path: Path
) -> None:
    os.environ["FOCI_TEST_SHELL"] = "of whoever called"
    try:
        fork, found = await stays(nursery, tmp_path / "desk.log", BOOKING_SECRET="of this one alone")
    finally:
        del os.environ["FOCI_TEST_SHELL"]
    assert found["environment"] == {"BOOKING_SECRET": "of this one alone"}
    assert (found["words"], found["pid"], found["session"]) == (["stay"], fork.pid, fork.pid)
    assert "of this one alone" not in " ".join(psutil.Process(fork.pid).cmdline())
    assert psutil.Process(fork.pid).name() == "forked"
    fork.terminate()
    assert await fork.wait() == -signal.SIGTERM
    with pytest.raises(ProcessLookupError):
        fork.kill()


async def test_a_child_that_ends_says_how(nursery: Nursery, tmp_path: Path) -> None:
    ends = [await nursery.start((PROGRAM, code), {}, tmp_path / f"{code}.log") for code in ("0", "3")]
    assert [await one.wait() for one in ends] == [0, 3]
    broken = await nursery.start(("tests.stack.nowhere",), {}, tmp_path / "broken.log")
    assert await broken.wait() == 1
    assert "No module named tests.stack.nowhere" in written(tmp_path / "broken.log")


async def test_forking_is_safe_because_nothing_else_runs_in_the_nursery(
    nursery: Nursery, tmp_path: Path
) -> None:
    fork, _ = await stays(nursery, tmp_path / "desk.log")
    assert parent_of(fork).num_threads() == 1
    fork.kill()
    assert await fork.wait() == -signal.SIGKILL


async def test_children_end_with_a_nursery_that_is_killed_and_the_next_one_starts_others(
    nursery: Nursery, tmp_path: Path
) -> None:
    fork, _ = await stays(nursery, tmp_path / "first.log")
    child = psutil.Process(fork.pid)
    parent_of(fork).kill()
    assert await fork.wait() == -signal.SIGKILL
    await until("it is gone", lambda: not alive([child]))
    second, _ = await stays(nursery, tmp_path / "second.log")
    second.kill()
    assert await second.wait() == -signal.SIGKILL
