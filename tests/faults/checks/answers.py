"""What was answered is so: every ok is there as answered, no fail is, what is unknown is there once or not at all."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import chain
from typing import Any

from tests.faults.checks.claims import CAUSED_BY, facts_by_booking
from tests.faults.checks.violation import Broken, Violation
from tests.faults.evidence import Evidence, Row, parsed
from tests.faults.history import Kind, Operation, Outcome

BECOMES = {
    Kind.CONFIRM: {"confirmed"},
    Kind.CANCEL: {"cancelled"},
    Kind.CHECK_IN: {"checked_in"},
    Kind.CHECK_OUT: {"checked_out"},
    Kind.MOVE: {"held", "confirmed"},
    Kind.RESERVE: {"held", "confirmed"},
}
SAME_IN_FACT = ("hub", "space", "seats", "person")


def check(evidence: Evidence) -> Iterator[Violation]:
    """Every answer against the database, the facts and the other answers."""
    return chain(
        shown(evidence),
        orders_did_what_they_said(evidence),
        reservations(evidence),
        causes(evidence),
        order(evidence),
    )


def shown(evidence: Evidence) -> Iterator[Violation]:
    """A version of a booking has one content, the same in all answers, in its fact and in the database."""
    rows = {row["id"]: row for row in evidence.bookings}
    facts = {
        (booking, parsed(row)["subject_version"]): parsed(row)
        for booking, known in facts_by_booking(evidence).items()
        for row in known
    }
    contents: dict[tuple[str, int], Any] = {}
    for operation in evidence.history.operations:
        for view in operation.views():
            version = view["id"], view["version"]
            if contents.setdefault(version, view) != view:
                yield Violation(Broken.HISTORY, f"two contents of {version}: {view} and {contents[version]}")
            row, fact = rows.get(view["id"]), facts.get(version)
            if row is None or fact is None or row["version"] < view["version"]:
                yield Violation(Broken.LOST_CHANGE, f"{operation}: version {version} is not there")
            elif not _told_by(fact, view):
                yield Violation(Broken.LOST_CHANGE, f"{operation}: the fact of {version} says otherwise")
            elif row["version"] == view["version"] and not _is(row, view):
                yield Violation(Broken.LOST_CHANGE, f"{operation}: {version} reads otherwise in the database")


def _told_by(fact: Row, view: dict[str, Any]) -> bool:
    same = all(fact[name] == view[name] for name in SAME_IN_FACT)
    return (
        same
        and fact["units"] == view["units"]
        and _moment(fact["start"]) == _moment(view["start"])
        and (_moment(fact["end"]) == _moment(view["end"]))
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _is(row: Row, view: dict[str, Any]) -> bool:
    plain = (
        "hub",
        "space",
        "seats",
        "status",
        "title",
        "person",
        "booked_by",
        "cancel_reason",
        "rules_version",
    )
    expires = None if view["expires_at"] is None else _moment(view["expires_at"])
    return (
        all(row[name] == view[name] for name in plain)
        and row["units"] == frozenset(view["units"])
        and (row["starts_at"], row["ends_at"]) == (_moment(view["start"]), _moment(view["end"]))
        and (row["expires_at"], row["created_at"]) == (expires, _moment(view["created_at"]))
    )


def orders_did_what_they_said(evidence: Evidence) -> Iterator[Violation]:
    """An order that was answered ok shows its effect; one about a booking that is there is never told 404."""
    known = {row["id"] for row in evidence.bookings}
    for operation in evidence.history.operations:
        if operation.outcome is Outcome.FAIL and operation.status == 404 and operation.booking in known:
            yield Violation(Broken.LOST_CHANGE, f"{operation}: it is there")
        if operation.outcome is not Outcome.OK or operation.kind not in BECOMES:
            continue
        view = operation.answer
        if view["status"] not in BECOMES[operation.kind] or operation.booking not in (None, view["id"]):
            yield Violation(Broken.HISTORY, f"{operation}: answered {view['status']}")
        if operation.kind is Kind.MOVE and view["version"] != (operation.if_match or 0) + 1:
            yield Violation(
                Broken.HISTORY,
                f"{operation}: moved {operation.if_match} to {view['version']}, over another change",
            )
        if operation.etag != f'"{view["version"]}"':
            yield Violation(Broken.HISTORY, f"{operation}: its ETag is {operation.etag}")


def reservations(evidence: Evidence) -> Iterator[Violation]:
    """A reservation's mark is in the database once when it was answered ok, never when refused, else at most once."""
    rows: dict[str, int] = defaultdict(int)
    for row in evidence.bookings:
        rows[(row["title"] or "").split(" ")[0]] += 1
    attempts: dict[str, list[Operation]] = defaultdict(list)
    for operation in evidence.history.operations:
        if operation.kind is Kind.RESERVE and operation.mark is not None:
            attempts[operation.mark].append(operation)
    for mark, tries in attempts.items():
        outcomes = {one.outcome for one in tries}
        if Outcome.OK in outcomes:
            wanted = {1}
        elif Outcome.FAIL in outcomes:
            wanted = {0}
        else:
            wanted = {0, 1}
        if rows[mark] in wanted:
            continue
        broken = Broken.LOST_CHANGE if rows[mark] == 0 else Broken.GHOST_CHANGE
        if rows[mark] > 1 and tries[0].key is not None:
            broken = Broken.KEY
        yield Violation(broken, f"{rows[mark]} bookings for {mark}: {'; '.join(map(str, tries))}")
    for mark in rows.keys() - attempts.keys():
        yield Violation(Broken.GHOST_CHANGE, f"nobody asked for the booking titled {mark!r}")


def causes(evidence: Evidence) -> Iterator[Violation]:
    """Versions count from 1 without gaps, and each has an order behind it: one answered ok, or one left unknown."""
    versions = {row["id"]: row for row in evidence.bookings}
    for booking, facts in facts_by_booking(evidence).items():
        row = versions.get(booking)
        told = [parsed(fact)["subject_version"] for fact in facts]
        if row is None or told != list(range(1, row["version"] + 1)):
            yield Violation(Broken.HISTORY, f"{booking} at {row and row['version']} has facts {told}")
            continue
        spare = _spare(evidence, booking)
        for fact in facts[1:]:
            yield from _cause(evidence, booking, fact, spare)
    for booking in versions.keys() - facts_by_booking(evidence).keys():
        yield Violation(Broken.HISTORY, f"{booking} has no facts at all")


def _spare(evidence: Evidence, booking: str) -> dict[Kind, int]:
    """How many changes of each kind unknown orders may have made; retries under one key make one at most."""
    spare: dict[Kind, int] = {}
    for kind in BECOMES:
        lost = [one for one in evidence.orders.get((booking, kind), []) if one.outcome is Outcome.UNKNOWN]
        spare[kind] = len({one.key or one.number for one in lost})
    return spare


def _cause(evidence: Evidence, booking: str, row: Row, spare: dict[Kind, int]) -> Iterator[Violation]:
    fact = parsed(row)
    if row["kind"] == "booking-expired":
        return
    kind = CAUSED_BY[row["kind"]]
    for one in evidence.orders.get((booking, kind), []):
        if one.outcome is Outcome.OK and one.answer["version"] == fact["subject_version"]:
            return
    if spare[kind] == 0:
        yield Violation(
            Broken.GHOST_CHANGE,
            f"{booking} version {fact['subject_version']}: no order explains {row['kind']}",
        )
    spare[kind] -= 1


def order(evidence: Evidence) -> Iterator[Violation]:
    """Nobody is shown an older version of a booking than somebody had been shown before they asked."""
    moments: dict[str, list[tuple[float, float, int, Operation]]] = defaultdict(list)
    for operation in evidence.history.operations:
        # A repeat under a key answers what was, not what is.
        if operation.key is None:
            for view in operation.views():
                moments[view["id"]].append(
                    (operation.invoked, operation.completed, view["version"], operation)
                )
    for booking, seen in moments.items():
        ends = sorted((completed, version) for _, completed, version, _ in seen)
        newest, place = 0, 0
        for invoked, _, version, operation in sorted(seen, key=lambda one: one[0]):
            while place < len(ends) and ends[place][0] < invoked:
                newest, place = max(newest, ends[place][1]), place + 1
            if version < newest:
                yield Violation(
                    Broken.HISTORY, f"{operation}: {booking} at {version} after {newest} was shown"
                )
