"""The stream tells what was committed and nothing else: each change at least once, one id never with two bodies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import chain

import orjson

from tests.faults.checks.claims import facts_by_booking
from tests.faults.checks.violation import Broken, Violation
from tests.faults.evidence import Evidence, parsed

STATUS_AFTER = {
    "booking-held": {"held"},
    "booking-confirmed": {"confirmed"},
    "booking-moved": {"held", "confirmed"},
    "booking-cancelled": {"cancelled"},
    "booking-expired": {"expired"},
    "booking-checked-in": {"checked_in"},
    "booking-checked-out": {"checked_out"},
}


def check(evidence: Evidence) -> Iterator[Violation]:
    """The stream against the outbox, and the outbox against the rows."""
    return chain(carried(evidence), retold(evidence))


def carried(evidence: Evidence) -> Iterator[Violation]:
    """Outbox and stream hold the same facts; repeats say the same thing."""
    committed = {row["fact_id"]: row for row in evidence.outbox}
    for fact_id, times in Counter(row["fact_id"] for row in evidence.outbox).items():
        if times > 1:
            yield Violation(Broken.TWO_BODIES, f"fact {fact_id} is in the outbox {times} times")
    bodies: dict[str, tuple[str, bytes]] = {}
    for message in evidence.messages:
        said = message.subject, message.body
        if bodies.setdefault(message.fact_id, said) != said:
            yield Violation(Broken.TWO_BODIES, f"{message.fact_id} at {message.sequence} differs from before")
        if orjson.loads(message.body).get("id") != message.fact_id:
            yield Violation(Broken.TWO_BODIES, f"message {message.sequence} is not the fact its header names")
        row = committed.get(message.fact_id)
        if row is None:
            yield Violation(Broken.UNCOMMITTED, f"{message.subject} {message.fact_id} at {message.sequence}")
        elif said != (row["subject"], row["body"].encode()):
            yield Violation(Broken.TWO_BODIES, f"{message.fact_id} differs from the outbox")
    for fact_id in committed.keys() - bodies.keys():
        yield Violation(Broken.UNSTATED, f"{committed[fact_id]['subject']} {fact_id} is not in the stream")


def retold(evidence: Evidence) -> Iterator[Violation]:
    """Whoever reads only the facts ends up with the rows of the database."""
    facts = facts_by_booking(evidence)
    for row in evidence.bookings:
        if row["id"] not in facts:
            continue  # told by the check of versions
        last = facts[row["id"]][-1]
        fact = parsed(last)
        same = (
            row["status"] in STATUS_AFTER[last["kind"]]
            and row["units"] == frozenset(fact["units"])
            and row["starts_at"] == datetime.fromisoformat(fact["start"])
            and row["ends_at"] == datetime.fromisoformat(fact["end"])
            and (row["space"], row["person"]) == (fact["space"], fact["person"])
        )
        if not same:
            yield Violation(
                Broken.HISTORY, f"{row['id']} is {row['status']}, its facts end with {last['body']}"
            )
