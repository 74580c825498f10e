"""From commit to subscriber: how long until a fact is where somebody listens."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from deploy.local.servers import bound_to_parent
from shared.contracts.users import ADMIN
from tests.bench import openloop, sink
from tests.bench.machine import ROOT
from tests.bench.plan import Plan
from tests.bench.stack import Stack
from tests.waiting import eventually

RATE = 100.0


COMMITTED = "reserve statement"
"""The span around the statement that books and commits: it ends when PostgreSQL's word of the commit has arrived."""
EXPORTED_WITHIN_S = 30.0
"""The SDK exports every five seconds."""


@dataclass(frozen=True)
class Times:
    """Milliseconds."""

    p50: float
    p99: float
    most: float

    @classmethod
    def of(cls, found: Iterable[float]) -> Self:
        """Of times in any order."""
        ordered = sorted(found)
        return cls(at_share(ordered, 0.5), at_share(ordered, 0.99), ordered[-1])


@dataclass(frozen=True)
class Delivery:
    """How long facts took to the subscriber, from three moments of their booking."""

    facts: int
    missing: int
    untraced: int
    from_stated: Times
    from_committed: Times
    from_answered: Times
    refused: int


def measure(stack: Stack, plan: Plan, *, first: int, seconds: float, folder: Path, traces: Path) -> Delivery:
    """Book at a constant rate while a subscriber in a process of its own listens; the stack keeps all `traces`."""
    record = folder / "arrivals"
    home = stack.console.home
    command = [sys.executable, "-m", "tests.bench.subscriber", home.state()["urls"]["nats"], str(record)]
    subscriber = subprocess.Popen(
        bound_to_parent(command, ending=signal.SIGKILL), cwd=ROOT, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        assert subscriber.stdin
        assert subscriber.stdout
        subscriber.stdin.write(home.seed(ADMIN) + "\n")
        subscriber.stdin.flush()
        if subscriber.stdout.readline() != "listening\n":
            raise RuntimeError("the subscriber did not start")
        load = openloop.run(stack.url, plan, first=first, rate=RATE, seconds=seconds, folder=folder)
        stack.settle()
    finally:
        subscriber.terminate()
        subscriber.wait(timeout=30)
    return _compare(stack, load, record, traces)


def _compare(stack: Stack, load: openloop.OpenLoopRun, record: Path, traces: Path) -> Delivery:
    answered = {one.booking: one.answered for one in load.answers if one.status == 201}
    rows = stack.sql(
        """
        SELECT fact_id::text AS fact, body::json ->> 'subject' AS booking,
               split_part(headers::json ->> 'traceparent', '-', 2) AS trace,
               (extract(epoch FROM stated_at) * 1000000000)::bigint AS stated
        FROM outbox WHERE stream = 'BOOKING' AND body::json ->> 'subject' = ANY($1)
        """,
        list(answered),
    )
    arrived = dict(line.split() for line in record.read_text().splitlines())
    heard = [(row, int(arrived[row["fact"]])) for row in rows if row["fact"] in arrived]
    committed = _committed(traces, {row["trace"] for row, _ in heard})
    return Delivery(
        facts=len(heard),
        missing=len(answered) - len(heard),
        untraced=sum(row["trace"] not in committed for row, _ in heard),
        from_stated=Times.of((at - row["stated"]) / 1e6 for row, at in heard),
        from_committed=Times.of(
            (at - committed[row["trace"]]) / 1e6 for row, at in heard if row["trace"] in committed
        ),
        from_answered=Times.of((at - answered[row["booking"]]) / 1e6 for row, at in heard),
        refused=load.refused + load.unanswered,
    )


def _committed(traces: Path, wanted: set[str]) -> dict[str, int]:
    """When each of these traces' commits was known; those that have not been exported in time are missing."""
    found: dict[str, int] = {}
    size = 0

    def exported() -> bool:
        nonlocal size
        if traces.exists() and traces.stat().st_size > size:
            size = traces.stat().st_size
            found.update(sink.ends(traces, COMMITTED))
        return wanted <= found.keys()

    with contextlib.suppress(AssertionError):
        asyncio.run(eventually(exported, within=EXPORTED_WITHIN_S, what="the export of every trace"))
    return found


def at_share(ordered: list[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
