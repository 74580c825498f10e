"""Every consumer acts on every fact exactly once, and where order is promised, in order."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.faults.checks.violation import Broken, Violation
from tests.faults.evidence import Evidence
from tests.faults.ledger import IN_BATCHES, IN_TURN


def check(evidence: Evidence) -> Iterator[Violation]:
    """The ledger has one row per consumer and fact in the stream; booking's own inbox has them all."""
    stated = {message.fact_id for message in evidence.messages}
    for consumer in (IN_TURN, IN_BATCHES):
        done = Counter(row["fact_id"] for row in evidence.ledger if row["consumer"] == consumer)
        for fact_id in stated | done.keys():
            if done[fact_id] != 1:
                yield Violation(Broken.EFFECTS, f"{consumer} acted {done[fact_id]} times on {fact_id}")
    known = {row["fact_id"] for row in evidence.measured}
    for fact_id in stated - known:
        yield Violation(Broken.EFFECTS, f"booking never measured occupancy after {fact_id}")
    yield from _order(evidence)


def _order(evidence: Evidence) -> Iterator[Violation]:
    heard: dict[str, list[int]] = defaultdict(list)
    for row in evidence.ledger:  # in the order of writing
        if row["consumer"] == IN_TURN:
            heard[row["subject"]].append(row["version"])
    for subject, versions in heard.items():
        if sorted(versions) != versions:
            yield Violation(Broken.EFFECTS, f"{subject} was heard in the order {versions}")
