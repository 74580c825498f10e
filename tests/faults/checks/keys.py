"""Same key, same answer: byte for byte, over both gateways, before and after whatever happened in between."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.faults.checks.violation import Broken, Violation
from tests.faults.evidence import Evidence
from tests.faults.history import Kind, Operation, Outcome

OPERATIONS = {
    Kind.RESERVE: "reserve",
    Kind.CONFIRM: "confirm-booking",
    Kind.CANCEL: "cancel-booking",
    Kind.CHECK_IN: "check-in",
    Kind.CHECK_OUT: "check-out",
}


def check(evidence: Evidence) -> Iterator[Violation]:
    """All answers under one key, and what is stored under it."""
    stored = {(row["person"], row["operation"], row["key"]): row for row in evidence.keys}
    groups: dict[tuple[str, Kind, str], list[Operation]] = defaultdict(list)
    for operation in evidence.history.operations:
        if operation.key is not None and operation.outcome is not Outcome.UNKNOWN:
            groups[operation.person, operation.kind, operation.key].append(operation)
    for (person, kind, key), certain in groups.items():
        yield from _same(certain)
        row = stored.get((person, OPERATIONS[kind], key))
        if row is None:
            yield Violation(Broken.KEY, f"{certain[0]}: nothing is stored under its key")
        elif certain[0].outcome is Outcome.OK and row["answer"].encode() != certain[0].body:
            yield Violation(Broken.KEY, f"{certain[0]}: stored is {row['answer']}")


def _same(certain: list[Operation]) -> Iterator[Violation]:
    first = certain[0]
    for one in certain[1:]:
        if (one.sent, one.booking) != (first.sent, first.booking):
            if one.status != 422:
                yield Violation(Broken.KEY, f"{one}: the key was used for another wish")
        elif (one.status, one.body, one.etag) != (first.status, first.body, first.etag):
            yield Violation(Broken.KEY, f"{one} answered {one.body!r}, before {first.body!r}")
