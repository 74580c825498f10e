"""What wrk gets done through the gateway in a second, and the CPU each costs by process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.bench.machine import cpu, run_to_end, used_since
from tests.bench.plan import Plan
from tests.bench.stack import Stack

SCRIPT = Path(__file__).with_name("gateway.lua")


class WrkMissing(Exception):
    """The load generator is not installed."""


def wrk() -> str:
    """Path of wrk."""
    found = shutil.which("wrk")
    if found is None:
        raise WrkMissing("wrk, the load generator, is missing. On Debian and Ubuntu: apt-get install -y wrk")
    return found


@dataclass(frozen=True)
class Round:
    """One run of wrk, and what the processes used until everything it caused was done."""

    requests: int
    seconds: float
    refused: int
    broken: int
    p50_ms: float
    p99_ms: float
    done: int
    """Bookings, or sign-ups, that came of it."""
    settled_s: float
    """How long relay and consumers went on after the last request."""
    cpu_s: dict[str, float]
    generator_cpu_s: float

    @property
    def rate(self) -> float:
        """Requests answered with 201 a second."""
        return (self.requests - self.refused) / self.seconds

    def cpu_us(self) -> dict[str, float]:
        """Microseconds of CPU by process for each that was done."""
        return {name: used / self.done * 1e6 for name, used in self.cpu_s.items()}


def drive(
    stack: Stack,
    script: Path,
    arguments: Sequence[object],
    *,
    connections: int,
    seconds: float,
    count: Callable[[], int],
    stream: str,
) -> Round:
    """One run of wrk with a script; returns when relay and consumers of the stream have caught up."""
    known = count()
    before = cpu(stack.processes)
    finished = run_to_end(
        [wrk(), "-t1", f"-c{connections}", f"-d{seconds:g}s", "--timeout", "10s", "-s", str(script), stack.url,
         "--", *(str(word) for word in arguments)]
    )  # fmt: skip
    settled = stack.settle(stream, acknowledged=False)
    used = used_since(before, stack.processes)
    stack.settle(stream)
    said = json.loads(finished.output.strip().splitlines()[-1])
    # wrk hangs up with requests on their way; they cost as much as the others.
    done = count() - known
    return Round(**said, done=done, settled_s=settled, cpu_s=used, generator_cpu_s=finished.cpu)


@dataclass
class Load:
    """Runs wrk against a stack, with booking numbers that go on from run to run."""

    stack: Stack
    plan: Plan
    folder: Path
    connections: int = 64
    number: int = 0

    @property
    def record(self) -> Path:
        """Every answer of every run: status and booking id."""
        return self.folder / "answers"

    def run(self, seconds: float) -> Round:
        """One run; returns when relay and consumers have caught up."""
        lua = self.folder / "plan.lua"
        lua.write_text(self.plan.as_lua())
        found = drive(
            self.stack,
            SCRIPT,
            (lua, self.number, self.record),
            connections=self.connections,
            seconds=seconds,
            count=self._booked,
            stream="BOOKING",
        )
        # What was on its way at the end has been asked for too.
        self.number += found.requests + 2 * self.connections
        return found

    def _booked(self) -> int:
        rows = self.stack.sql("SELECT count(*) AS number FROM booking WHERE hub LIKE 'bench-%'")
        return int(rows[0]["number"])
