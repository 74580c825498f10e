"""The supervisor with small programs: what it says and does when they end, refuse to end, or outlive it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from deploy.local import supervisor as rules
from deploy.local.forks import Nursery
from deploy.local.narrator import Narrator
from deploy.local.servers import bound_to_parent
from deploy.local.settings import LocalSettings
from deploy.local.stack import Stack
from deploy.local.supervisor import DidNotStart, Leftover, Program, Supervisor, clear
from shared.kit.process import LEAVE_WITHIN
from tests.stack.console import alive, eventually


class Said(list[str]):
    """Remembers what was announced."""

    def __call__(self, sentence: str, *, bad: bool = False) -> None:
        self.append(("! " if bad else "") + sentence)

    def has(self, words: str) -> bool:
        return any(words in line for line in self)


async def until(what: str, true: object, *, seconds: float = 20.0) -> None:
    """As `eventually`, while the event loop goes on."""
    await asyncio.to_thread(eventually, what, true, seconds=seconds)


def script(folder: Path, name: str, source: str, **more: object) -> Program:
    """A Python program that counts as ready once it has written the file `<name>.ready`."""
    ready = folder / f"{name}.ready"

    async def is_ready() -> bool:
        return ready.exists()

    source = f"import os, pathlib, signal, sys, time\nready = pathlib.Path({str(ready)!r})\n{source}"
    return Program(
        name,
        lambda: bound_to_parent([sys.executable, "-c", source], ending=signal.SIGKILL),
        {"PATH": "/usr/bin:/bin"},
        is_ready,
        folder / f"{name}.log",
        **more,  # type: ignore[arg-type]
    )


STAYS = "ready.touch(); signal.pause()"


async def test_a_killed_program_is_started_again_and_said_so(tmp_path: Path) -> None:
    said = Said()
    supervisor = Supervisor(said, lambda _: None, Nursery(tmp_path / "nursery.log"))
    await supervisor.start(script(tmp_path, "desk", STAYS))
    first = supervisor.running["desk"].process
    assert first
    first.kill()
    await until("announced", lambda: said.has("desk is ready again"))
    assert said[0] == "! desk was ended by SIGKILL; starting it again in 0.5 s"
    second = supervisor.running["desk"].process
    assert second
    assert second.pid != first.pid
    assert supervisor.running["desk"].restarts == 1
    await supervisor.stop()
    assert second.returncode is not None


async def test_a_program_that_keeps_ending_waits_longer_each_time_and_points_at_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "FIRST_PAUSE_S", 0.01)
    said = Said()
    supervisor = Supervisor(said, lambda _: None, Nursery(tmp_path / "nursery.log"))
    once = "first = not ready.exists(); ready.touch()\nif first: signal.pause()\nsys.exit('broken')"
    program = script(tmp_path, "desk", once)
    await supervisor.start(program)
    process = supervisor.running["desk"].process
    assert process
    process.kill()
    await until("the log is named", lambda: said.has(f"see {program.log}"))
    pauses = [
        float(line.rsplit(" in ", 1)[1].removesuffix(" s")) for line in said if "starting it again" in line
    ]
    assert pauses == sorted(pauses)
    assert len(set(pauses)) == len(pauses)
    await supervisor.stop()
    assert "broken" in program.log.read_text()


async def test_a_program_that_cannot_be_started_again_is_tried_again_and_said_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when memory or files have run out: its keeper must not end with that, and nobody be told."""
    monkeypatch.setattr(rules, "FIRST_PAUSE_S", 0.01)
    said, there = Said(), tmp_path / "python"
    there.symlink_to(sys.executable)
    supervisor = Supervisor(said, lambda _: None, Nursery(tmp_path / "nursery.log"))
    program = script(tmp_path, "desk", STAYS)
    assert callable(program.command)
    words = program.command()
    alone = replace(program, command=lambda: [str(there), *words[words.index("-c") :]])
    await supervisor.start(alone)
    process = supervisor.running["desk"].process
    assert process
    there.unlink()
    process.kill()
    await until("it is said", lambda: said.has("desk cannot be started"))
    there.symlink_to(sys.executable)
    await until("announced", lambda: said.has("desk is ready again"))
    await supervisor.stop()


def test_services_have_longer_to_leave_than_they_take(tmp_path: Path) -> None:
    stack = Stack(LocalSettings(home=tmp_path), Narrator())
    stack.ports = {"booking": 1}
    # After the parts have ended, the connection is closed and what is left is sent.
    assert stack._program("booking", "booking", {}).grace_s >= LEAVE_WITHIN + 10


async def test_a_first_start_that_fails_is_told_with_the_end_of_the_log(tmp_path: Path) -> None:
    supervisor = Supervisor(Said(), lambda _: None, Nursery(tmp_path / "nursery.log"))
    with pytest.raises(DidNotStart, match=r"desk ended with exit code 1.*\n.*no seed given"):
        await supervisor.start(script(tmp_path, "desk", "sys.exit('no seed given')"))
    await supervisor.stop()


async def test_stopping_goes_in_reverse_and_kills_who_does_not_go(tmp_path: Path) -> None:
    order = tmp_path / "order"
    said = Said()
    supervisor = Supervisor(said, lambda _: None, Nursery(tmp_path / "nursery.log"))
    leave = f"open({str(order)!r}, 'a').write(sys.argv[0] + NAME + ' '); sys.exit()"
    polite = f"signal.signal(signal.SIGTERM, lambda *_: exec({leave!r}))\nready.touch()\nwhile True: signal.pause()"
    await supervisor.start(script(tmp_path, "first", f"NAME = 'first'\n{polite}"))
    await supervisor.start(script(tmp_path, "second", f"NAME = 'second'\n{polite}"))
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN); ready.touch()\nwhile True: signal.pause()"
    await supervisor.start(script(tmp_path, "deaf", deaf, grace_s=0.2))
    pids = [running.process.pid for running in supervisor.running.values() if running.process]
    await supervisor.stop()
    assert order.read_text().replace("-c", "").split() == ["second", "first"]
    assert said == ["! deaf did not stop within 0.2 s and is killed"]
    assert not [pid for pid in pids if psutil.pid_exists(pid)]


async def test_what_a_program_started_itself_goes_with_it(tmp_path: Path) -> None:
    supervisor = Supervisor(Said(), lambda _: None, Nursery(tmp_path / "nursery.log"))
    child = (
        f"import subprocess; subprocess.Popen([{sys.executable!r}, '-c', 'import signal; signal.pause()'])"
    )
    await supervisor.start(script(tmp_path, "parent", f"{child}; {STAYS}"))
    process = supervisor.running["parent"].process
    assert process
    children = psutil.Process(process.pid).children()
    assert children
    await supervisor.stop()
    await until("no orphan", lambda: not alive(children))


def test_programs_end_with_a_supervisor_that_was_killed(tmp_path: Path) -> None:
    source = (
        "import subprocess, sys, signal\n"
        "from deploy.local.servers import bound_to_parent\n"
        "stay = [sys.executable, '-c', 'import signal; print(1, flush=True); signal.pause()']\n"
        "child = subprocess.Popen(bound_to_parent(stay, ending=signal.SIGKILL), stdout=subprocess.PIPE)\n"
        "child.stdout.readline(); print(child.pid, flush=True); signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        parent.kill()
        parent.wait()
        eventually("the child has ended", lambda: not alive([child]))


@pytest.fixture
def strangers() -> Iterator[list[psutil.Popen]]:
    """Two processes no supervisor started."""
    stay = [sys.executable, "-c", "import signal; signal.pause()"]
    processes = [psutil.Popen(stay, start_new_session=True) for _ in range(2)]
    yield processes
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
        process.wait()


def test_leftovers_are_cleared_but_a_reused_process_id_is_left_alone(strangers: list[psutil.Popen]) -> None:
    left, other = strangers
    known = [
        Leftover("booking", left.pid, left.create_time(), signal.SIGTERM),
        Leftover("gateway", other.pid, other.create_time() - 3600, signal.SIGTERM),
    ]
    assert clear(known) == ["booking"]
    assert not alive([left])
    assert alive([other])
