"""What must hold between events and booking when nothing is on its way: each event has its room, each room its event."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

Row = Mapping[str, Any]

EVENTS = """
    SELECT e.id, e.hub, e.status, e.space, e.starts_at, e.ends_at, v.state, v.wants
    FROM event e LEFT JOIN venue v ON v.event = e.id
"""
ROOMS = """
    SELECT b.id, b.hub, b.event, b.space, b.starts_at, b.ends_at, b.status, v.event IS NOT NULL AS known
    FROM booking b LEFT JOIN venue v ON v.booking = b.id AND v.event = b.event
    WHERE b.event IS NOT NULL AND b.status IN ('held', 'confirmed', 'checked_in')
"""
LEFT_OVER = """
    SELECT format('%s has parked %s version %s', consumer, subject, version) AS it FROM parked_fact
    UNION ALL SELECT format('%s has given up %s: %s', consumer, subject, reason) FROM dead_letter
"""
OPEN = ("published", "changed")
WITHOUT_ROOM = ("lost", "refused")


def differences(events: Sequence[Row], rooms: Sequence[Row], now: datetime) -> list[str]:
    """Everything on which the two differ, in words; what is over is not looked at."""
    booked: dict[Any, list[Row]] = defaultdict(list)
    found = []
    for room in rooms:
        if room["ends_at"] > now:
            booked[room["event"]].append(room)
            if not room["known"]:
                found.append(f"booking {room['id']} for event {room['event']} is in no agreement")
    ahead = [event for event in events if event["ends_at"] > now]
    found += [one for event in ahead for one in _about(event, booked.pop(event["id"], []))]
    for strangers in booked.values():
        found += [
            f"booking {room['id']} is for event {room['event']}, which is unknown" for room in strangers
        ]
    return found


def _about(event: Row, rooms: Sequence[Row]) -> list[str]:
    """What is wrong about one event."""
    name, status, state = event["id"], event["status"], event["state"]
    if status == "publishing":
        return [f"event {name} still waits for its room"]
    if status in OPEN and state == "confirmed":
        return _has_its_room(event, rooms)
    found = [
        f"event {name} is {status}, its venue {state}, and yet it holds {room['space']}" for room in rooms
    ]
    if status in OPEN and event["space"] is not None and state not in WITHOUT_ROOM:
        found.append(f"event {name} is at {event['space']} and its venue is {state}")
    return found


def _has_its_room(event: Row, rooms: Sequence[Row]) -> list[str]:
    """Exactly one live booking, there and then."""
    should = (event["space"], event["starts_at"], event["ends_at"])
    there = [(room["space"], room["starts_at"], room["ends_at"]) for room in rooms]
    if there != [should]:
        return [f"event {event['id']} is at {should}, its bookings are {there}"]
    return [f"booking {room['id']} is only held" for room in rooms if room["status"] == "held"]
