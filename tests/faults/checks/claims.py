"""No unit is claimed twice at a time: not at the end, buffers included, and not at any moment clients could see."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import chain

import orjson

from tests.faults.checks.violation import Broken, Violation
from tests.faults.evidence import Evidence, Row, parsed
from tests.faults.history import Kind, Outcome

LIVE = frozenset({"held", "confirmed", "checked_in"})
DAY = timedelta(days=1)
CAUSED_BY = {
    "booking-confirmed": Kind.CONFIRM,
    "booking-moved": Kind.MOVE,
    "booking-cancelled": Kind.CANCEL,
    "booking-checked-in": Kind.CHECK_IN,
    "booking-checked-out": Kind.CHECK_OUT,
}


def check(evidence: Evidence) -> Iterator[Violation]:
    """Overlaps in the database, and overlaps that clients were certain of at the same moment."""
    return chain(at_the_end(evidence), at_any_moment(evidence))


@dataclass(frozen=True)
class Claim:
    """A live booking's units and time, the buffers around it as its space's rules were then."""

    booking: str
    start: datetime
    end: datetime
    kept_from: datetime
    kept_until: datetime

    def clashes(self, other: Claim) -> bool:
        """Of two neighbours' buffers the longer counts."""
        after = self.start < other.kept_until and other.start < self.kept_until
        before = self.kept_from < other.end and other.kept_from < self.end
        return after or before


def at_the_end(evidence: Evidence) -> Iterator[Violation]:
    """Live bookings in the database, unit by unit."""
    rules = {(row["slug"], row["version"]): orjson.loads(row["rules"]) for row in evidence.terms}
    by_unit: dict[int, list[Claim]] = defaultdict(list)
    for row in evidence.bookings:
        if row["status"] not in LIVE:
            continue
        kept = rules[row["space"], row["rules_version"]]
        before = timedelta(minutes=kept["buffer_before_minutes"])
        after = timedelta(minutes=kept["buffer_after_minutes"])
        claim = Claim(
            row["id"], row["starts_at"], row["ends_at"], row["starts_at"] - before, row["ends_at"] + after
        )
        for unit in row["units"]:
            by_unit[unit].append(claim)
    seen = set()
    for unit, claims in by_unit.items():
        claims.sort(key=lambda claim: claim.start)
        for number, one in enumerate(claims):
            for other in claims[number + 1 :]:
                if other.start - DAY > one.end:
                    break
                pair = frozenset((one.booking, other.booking))
                if one.clashes(other) and pair not in seen:
                    seen.add(pair)
                    yield Violation(
                        Broken.DOUBLE_BOOKING,
                        f"unit {unit}: {one.booking} and {other.booking} at {other.start}",
                    )


@dataclass(frozen=True)
class Certain:
    """A claim somebody had been told of and nobody had begun to end: certainly live from `since` to `until`."""

    booking: str
    start: datetime
    end: datetime
    since: float
    until: float


def at_any_moment(evidence: Evidence) -> Iterator[Violation]:
    """Two claims on one unit that were certainly live at the same moment, even if one is gone by now."""
    by_unit: dict[int, list[Certain]] = defaultdict(list)
    told = first_told(evidence)
    for facts in facts_by_booking(evidence).values():
        for fact, following in zip(facts, [*facts[1:], None], strict=True):
            certain = _certain(fact, following, told, evidence)
            if certain is not None:
                for unit in parsed(fact)["units"]:
                    by_unit[unit].append(certain)
    seen = set()
    for unit, claims in by_unit.items():
        claims.sort(key=lambda one: one.start)
        for number, one in enumerate(claims):
            for other in claims[number + 1 :]:
                if other.start >= one.end:
                    break
                pair = frozenset((one.booking, other.booking))
                together = one.since < other.until and other.since < one.until
                if len(pair) == 2 and together and pair not in seen:
                    seen.add(pair)
                    yield Violation(
                        Broken.DOUBLE_BOOKING,
                        f"unit {unit}: {one.booking} and {other.booking} were both promised {other.start}",
                    )


def facts_by_booking(evidence: Evidence) -> dict[str, list[Row]]:
    """Each booking's committed facts in the order of their versions."""
    found: dict[str, list[Row]] = defaultdict(list)
    for row in evidence.outbox:
        if row["subject"].split(".")[3].startswith("booking-"):
            found[parsed(row)["subject"]].append(row)
    for facts in found.values():
        facts.sort(key=lambda row: parsed(row)["subject_version"])
    return found


def first_told(evidence: Evidence) -> dict[tuple[str, int], float]:
    """When somebody first had an answer that showed this version of a booking."""
    told: dict[tuple[str, int], float] = {}
    for operation in evidence.history.operations:
        for view in operation.views():
            shown = view["id"], view["version"]
            told[shown] = min(told.get(shown, operation.completed), operation.completed)
    return told


def _certain(
    row: Row, following: Row | None, told: dict[tuple[str, int], float], evidence: Evidence
) -> Certain | None:
    fact = parsed(row)
    since = told.get((fact["subject"], fact["subject_version"]))
    if since is None or row["kind"] in ("booking-cancelled", "booking-expired", "booking-checked-out"):
        return None
    until = float("inf") if following is None else _begun(following, evidence)
    if row["kind"] == "booking-held":
        lapses = datetime.fromisoformat(fact["expires_at"]).timestamp()
        until = (
            lapses if following is not None and _kind(following) == "booking-expired" else min(until, lapses)
        )
    if until <= since:
        return None
    start, end = datetime.fromisoformat(fact["start"]), datetime.fromisoformat(fact["end"])
    return Certain(fact["subject"], start, end, since, until)


def _kind(row: Row) -> str:
    parsed(row)
    return str(row["kind"])


def _begun(row: Row, evidence: Evidence) -> float:
    """When the change a fact tells of may have begun: the earliest order that could be its cause."""
    fact = parsed(row)
    kind = CAUSED_BY.get(row["kind"])
    if kind is None:
        return 0.0
    causes = evidence.orders.get((fact["subject"], kind), [])
    return min((one.invoked for one in causes if one.outcome is not Outcome.FAIL), default=0.0)
