"""Occupancy is what the bookings say, counted anew and not by the code under test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import orjson

from tests.faults.checks.violation import Broken, Violation
from tests.faults.evidence import Evidence, Row

LIVE = frozenset({"held", "confirmed", "checked_in"})
ALL = "all"


def check(evidence: Evidence) -> Iterator[Violation]:
    """Rows against bookings, the stream's latest message against the rows."""
    for words in [*differences(evidence), *untold(evidence)]:
        yield Violation(Broken.OCCUPANCY, words)
    latest = _latest(evidence)
    for row in evidence.occupancy:
        told = latest.get(row["space"])
        if told is not None and told["version"] == row["version"] and _figures(told) != _figures(row):
            yield Violation(Broken.OCCUPANCY, f"the stream says {told}, the row {row}")


def untold(evidence: Evidence) -> list[str]:
    """Rows whose figures the stream does not have yet."""
    latest = _latest(evidence)
    return [
        f"the stream's figures of {row['space']} are old: {latest.get(row['space'])}"
        for row in evidence.occupancy
        if latest.get(row["space"], {"version": 0})["version"] < row["version"]
    ]


def _latest(evidence: Evidence) -> dict[str, Any]:
    return {
        message.subject.split(".")[2]: orjson.loads(message.body)["data"]
        for message in evidence.latest_occupancy
    }


def _figures(of: Mapping[str, Any]) -> tuple[Any, ...]:
    return of["capacity"], of["booked"], of["present"]


def differences(evidence: Evidence) -> list[str]:
    """Where a row of the occupancy table is not what counting gives; a second's slack around every boundary."""
    moments = [evidence.now - timedelta(seconds=seconds) for seconds in (0.0, 0.5, 1.0, 2.0)]
    counted = [_counted(evidence, moment) for moment in moments]
    wrong = []
    for row in evidence.occupancy:
        figures = row["capacity"], row["booked"], row["present"]
        possible = [one.get(row["space"]) for one in counted]
        if figures not in possible:
            wrong.append(f"occupancy of {row['space']} is {figures}, counted {possible[0]}")
    if counted[0].keys() - {row["space"] for row in evidence.occupancy}:
        wrong.append("some space has no occupancy")
    return wrong


def _counted(evidence: Evidence, now: object) -> dict[str, tuple[int, int, int]]:
    places = {row["slug"]: row["units"] if row["active"] else frozenset() for row in evidence.spaces}
    places[ALL] = frozenset().union(*places.values())
    now_on = [row for row in evidence.bookings if row["status"] in LIVE and _covers(row, now)]
    taken = frozenset().union(*(row["units"] for row in now_on))
    return {
        place: (len(units), len(units & taken), sum(_present(row, units) for row in now_on))
        for place, units in places.items()
    }


def _covers(row: Row, now: object) -> bool:
    dead = row["status"] == "held" and row["expires_at"] <= now
    return bool(row["starts_at"] <= now < row["ends_at"] and not dead)


def _present(row: Row, units: frozenset[int]) -> int:
    if row["status"] != "checked_in" or not row["units"] & units:
        return 0
    # Where each seat is somebody's place the places count, else the people the booking is for.
    return len(row["units"] & units) if len(row["units"]) == row["seats"] else int(row["seats"])
