"""The check of sagas itself, on rows made by hand: a checker that always says yes proves nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.faults.saga_checks import differences

NOW = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
TIMES = {"starts_at": NOW + timedelta(days=1), "ends_at": NOW + timedelta(days=1, hours=2)}
EVENT: dict[str, Any] = {"id": "e1", "status": "published", "space": "studio", "state": "confirmed", **TIMES}
ROOM: dict[str, Any] = {
    "id": "b1", "event": "e1", "space": "studio", "status": "confirmed", "known": True, **TIMES
}  # fmt: skip


def found(events: list[dict[str, Any]], rooms: list[dict[str, Any]]) -> int:
    """How much is apart."""
    return len(differences(events, rooms, NOW))


def test_an_event_and_its_room_are_in_agreement() -> None:
    assert found([EVENT], [ROOM]) == 0


@pytest.mark.parametrize("status", ["draft", "awaiting", "cancelled", "held"])
def test_an_event_that_holds_no_room_needs_none(status: str) -> None:
    assert found([EVENT | {"status": status, "state": "released"}], []) == 0


@pytest.mark.parametrize("state", ["lost", "refused"])
def test_a_room_that_is_known_to_be_lost_is_in_agreement(state: str) -> None:
    assert found([EVENT | {"state": state}], []) == 0


@pytest.mark.parametrize(
    ("event", "room"),
    [
        ({}, None),
        ({}, {"event": "unknown"}),
        ({}, {"space": "lab"}),
        ({}, {"starts_at": NOW + timedelta(hours=23)}),
        ({}, {"status": "held"}),
        ({}, {"known": False}),
        ({"status": "publishing"}, {}),
        ({"status": "cancelled", "state": "released"}, {}),
        ({"status": "draft", "state": None}, {}),
        ({"state": "lost"}, {}),
        ({"state": "wanted"}, None),
        ({"state": None}, None),
    ],
)
def test_whatever_is_apart_is_found(event: dict[str, Any], room: dict[str, Any] | None) -> None:
    assert found([EVENT | event], [] if room is None else [ROOM | room]) >= 1


def test_two_bookings_of_one_event_are_found() -> None:
    assert found([EVENT], [ROOM, ROOM | {"id": "b2"}]) == 1


def test_what_is_over_is_left_alone() -> None:
    past = {"starts_at": NOW - timedelta(hours=3), "ends_at": NOW - timedelta(hours=1)}
    assert found([EVENT | past], []) == 0
    assert found([], [ROOM | past]) == 0
