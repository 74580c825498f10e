"""From commit to subscriber: how long until a fact is where somebody listens."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from deploy.local.servers import bound_to_parent
from shared.contracts.access import ADMIN
from tests.bench import openloop
from tests.bench.machine import ROOT
from tests.bench.plan import Plan
from tests.bench.stack import Stack

RATE = 100.0


@dataclass(frozen=True)
class Delivery:
    """Milliseconds, at 50 and 99 %: from the outbox row being written, and from the HTTP answer, to the subscriber."""

    facts: int
    missing: int
    p50_ms: float
    p99_ms: float
    max_ms: float
    after_answer_p50_ms: float
    after_answer_p99_ms: float
    refused: int


def measure(stack: Stack, plan: Plan, *, first: int, seconds: float, folder: Path) -> Delivery:
    """Book at a constant rate while a subscriber in a process of its own listens."""
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
    return _compare(stack, load, record)


def _compare(stack: Stack, load: openloop.OpenLoopRun, record: Path) -> Delivery:
    answered = {one.booking: one.answered for one in load.answers if one.status == 201}
    rows = stack.sql(
        """
        SELECT fact_id::text AS fact, body::json ->> 'subject' AS booking,
               (extract(epoch FROM stated_at) * 1000000000)::bigint AS stated
        FROM outbox WHERE stream = 'BOOKING' AND body::json ->> 'subject' = ANY($1)
        """,
        list(answered),
    )
    arrived = dict(line.split() for line in record.read_text().splitlines())
    heard = [row for row in rows if row["fact"] in arrived]
    since_stated = sorted((int(arrived[row["fact"]]) - row["stated"]) / 1e6 for row in heard)
    since_answer = sorted((int(arrived[row["fact"]]) - answered[row["booking"]]) / 1e6 for row in heard)
    return Delivery(
        facts=len(heard),
        missing=len(answered) - len(heard),
        p50_ms=at_share(since_stated, 0.5),
        p99_ms=at_share(since_stated, 0.99),
        max_ms=since_stated[-1],
        after_answer_p50_ms=at_share(since_answer, 0.5),
        after_answer_p99_ms=at_share(since_answer, 0.99),
        refused=load.refused + load.unanswered,
    )


def at_share(ordered: list[float], share: float) -> float:
    """The value that so large a share does not exceed."""
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]
