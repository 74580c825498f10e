"""The checks themselves, on evidence made by hand: a checker that always says yes proves nothing."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from tests.faults.checks import Broken, check, classes
from tests.faults.evidence import Evidence, Message
from tests.faults.history import History, Kill, Kind, Operation, Outcome
from tests.faults.ledger import IN_BATCHES, IN_TURN

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
START = NOW + timedelta(days=2)
BOOKING = "00000000-0000-7000-8000-000000000001"
PERSON = "00000000-0000-7000-8000-00000000beef"
FACT = "00000000-0000-7000-8000-0000000000f1"


def view(**other: Any) -> dict[str, Any]:
    """What a client is shown."""
    shown = {
        "id": BOOKING, "hub": "h", "space": "room", "units": [1], "seats": 1, "start": START.isoformat(),
        "end": (START + timedelta(hours=1)).isoformat(), "status": "confirmed", "title": "c.1", "person": PERSON,
        "booked_by": PERSON, "expires_at": None, "cancel_reason": None, "rules_version": 1, "version": 1,
        "created_at": NOW.isoformat(),
    }  # fmt: skip
    return {**shown, **other}


def answered(number: int, shown: dict[str, Any], *, kind: Kind = Kind.RESERVE, **more: Any) -> Operation:
    """An operation that was answered ok."""
    body, key = orjson.dumps(shown), None if kind is Kind.READ else "key"
    asked: dict[str, Any] = {
        "booking": shown["id"] if kind is not Kind.RESERVE else None,
        "mark": "c.1",
        "key": key,
    }
    made = Operation(number, "c", PERSON, kind, 0, number * 10.0, **{**asked, **more})
    made.completed, made.outcome, made.status = number * 10.0 + 1, Outcome.OK, 201
    made.body, made.etag = body, f'"{shown["version"]}"'
    return made


def sound() -> Evidence:
    """A run of one reservation that went as it should."""
    shown = view()
    fact = {
        "id": FACT, "hub": "h", "subject": BOOKING, "subject_version": 1, "space": "room", "units": [1], "seats": 1,
        "start": shown["start"], "end": shown["end"], "person": PERSON,
    }  # fmt: skip
    subject, body = "hubs.h.booking.booking-confirmed.v1", orjson.dumps(fact).decode()
    made = Evidence("h", History([answered(1, shown)]), now=NOW)
    row = {name: shown[name] for name in shown if name not in ("start", "end", "units", "created_at")}
    times = {"starts_at": START, "ends_at": START + timedelta(hours=1), "created_at": NOW}
    made.bookings = [{**row, **times, "units": frozenset({1})}]
    rules = orjson.dumps({"buffer_before_minutes": 0, "buffer_after_minutes": 15}).decode()
    made.terms = [{"slug": "room", "version": 1, "rules": rules}]
    made.spaces = [{"slug": "room", "units": frozenset({1}), "active": True}]
    figures = {"capacity": 1, "booked": 0, "present": 0, "version": 1}
    made.occupancy = [{"space": space, **figures} for space in ("room", "all")]
    made.latest_occupancy = [
        Message(1, f"occupancy.h.{space}.v1", "x", orjson.dumps({"data": figures}))
        for space in ("room", "all")
    ]
    made.outbox = [{"fact_id": FACT, "xid": 1, "id": 1, "subject": subject, "body": body}]
    made.messages = [Message(1, subject, FACT, body.encode())]
    entry = {"fact_id": FACT, "subject": BOOKING, "version": 1}
    made.ledger = [{"consumer": consumer, **entry} for consumer in (IN_TURN, IN_BATCHES)]
    made.measured = [{"fact_id": FACT}]
    stored = made.history.operations[0].body.decode()
    made.keys = [{"person": PERSON, "operation": "reserve", "key": "key", "status": 201, "answer": stored}]
    return made


def test_a_sound_run_breaks_nothing() -> None:
    assert check(sound()) == []


def test_a_booking_that_was_answered_and_is_gone_is_found() -> None:
    made = sound()
    made.bookings.clear()
    assert Broken.LOST_CHANGE in classes(check(made))


def test_a_booking_that_was_refused_and_is_there_is_found() -> None:
    made = sound()
    made.history.operations[0].outcome = Outcome.FAIL
    made.history.operations[0].status = 409
    assert Broken.GHOST_CHANGE in classes(check(made))


def test_an_unknown_reservation_may_be_there_or_not() -> None:
    for there in (True, False):
        made = sound()
        made.history.operations[0].outcome = Outcome.UNKNOWN
        made.keys.clear()
        if not there:
            made.bookings, made.outbox, made.messages, made.ledger = [], [], [], []
        assert classes(check(made)) == {Broken.UNDECIDED}, there


def test_a_buffer_that_was_not_kept_is_found() -> None:
    made = sound()
    other = deepcopy(made.bookings[0])
    other |= {"id": "other", "title": "c.2", "starts_at": START + timedelta(minutes=70)}
    other["ends_at"] = START + timedelta(hours=3)
    made.bookings.append(other)
    assert Broken.DOUBLE_BOOKING in classes(check(made))


def test_an_older_version_after_a_newer_one_is_found() -> None:
    made = sound()
    newer = view(version=2, title="c.1 c.2")
    made.history.operations += [
        answered(2, newer, kind=Kind.READ, mark=None), answered(3, view(), kind=Kind.READ, mark=None)
    ]  # fmt: skip
    assert any("after 2 was shown" in violation.words for violation in check(made))


def test_a_repeat_that_is_answered_otherwise_is_found() -> None:
    made = sound()
    made.history.operations.append(answered(2, view(title="another")))
    assert Broken.KEY in classes(check(made))


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        (lambda made: made.messages.clear(), Broken.UNSTATED),
        (lambda made: made.outbox.clear(), Broken.UNCOMMITTED),
        (
            lambda made: made.messages.append(Message(2, "hubs.h.booking.x.v1", FACT, b"{}")),
            Broken.TWO_BODIES,
        ),
        (lambda made: made.ledger.append(made.ledger[0]), Broken.EFFECTS),
        (lambda made: made.ledger.pop(), Broken.EFFECTS),
        (lambda made: made.measured.clear(), Broken.EFFECTS),
        (lambda made: made.keys.clear(), Broken.KEY),
        (lambda made: made.occupancy[0].update(booked=1), Broken.OCCUPANCY),
        (lambda made: made.latest_occupancy.pop(), Broken.OCCUPANCY),
        (lambda made: made.left_over.append("a fact is parked"), Broken.LEFT_OVER),
        (lambda made: made.ended_unasked.append("booking"), Broken.CRASH),
        (
            lambda made: made.bookings[0].update(status="held", expires_at=NOW - timedelta(minutes=1)),
            Broken.LEFT_OVER,
        ),
        (lambda made: made.history.operations[0].lose("Hangs: no answer"), Broken.HANG),
    ],
)
def test_each_promise_is_looked_at(change: Any, broken: Broken) -> None:
    made = sound()
    change(made)
    assert broken in classes(check(made))


def test_too_many_undecided_operations_in_calm_times_are_found() -> None:
    made = sound()
    lost = [Operation(number, "c", PERSON, Kind.READ, 0, number * 10.0) for number in range(2, 30)]
    for one in lost:
        one.completed = one.invoked + 1
    made.history.operations += lost
    assert classes(check(made)) == {Broken.UNDECIDED}
    made.history.kills = [Kill(one.invoked - 1, ("booking",)) for one in lost]
    assert check(made) == []
