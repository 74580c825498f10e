"""Nothing is left over: no lapsed hold still held, no timer forgotten, nothing parked or given up, nobody died unasked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from tests.faults.checks.violation import Broken, Violation
from tests.faults.evidence import OVERDUE_S, Evidence

DECIDED_AT_LEAST = 0.95


def check(evidence: Evidence) -> Iterator[Violation]:
    """What quiescence should have cleared, and what was promised about answering at all."""
    for words in evidence.left_over:
        yield Violation(Broken.LEFT_OVER, words)
    timers = {(row["kind"], row["key"]) for row in evidence.timers}
    for row in evidence.bookings:
        if row["status"] != "held":
            continue
        if row["expires_at"] + timedelta(seconds=OVERDUE_S) < evidence.now:
            yield Violation(Broken.LEFT_OVER, f"{row['id']} is still held, since {row['expires_at']} in vain")
        if ("hold-expires", row["id"]) not in timers:
            yield Violation(Broken.LEFT_OVER, f"no timer will end the hold {row['id']}")
    for words in evidence.ended_unasked:
        yield Violation(Broken.CRASH, words)
    for operation in evidence.history.operations:
        if operation.trouble.startswith("Hangs"):
            yield Violation(Broken.HANG, str(operation))
    _, decided = evidence.history.decided()
    if decided < DECIDED_AT_LEAST:
        yield Violation(Broken.UNDECIDED, f"{decided:.1%} of the undisturbed operations")
