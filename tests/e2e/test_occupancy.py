"""A booking in progress is occupancy: exact for staff and on the operators' stream, protected for everybody else."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from shared.contracts.booking.facts import OccupancyChangedV1
from tests.gateway.cell import Cell, eventually

URL = "/v1/hubs/here/occupancy"


def figures(cell: Cell, space: str, who: str | None) -> dict[str, Any]:
    """What somebody is told of one space, or of the hub."""
    answer = cell.http.get(URL, headers=cell.auth("here", who) if who else {})
    assert answer.status_code == 200, answer.text
    page = answer.json()
    shown: dict[str, Any] = next((one for one in page["items"] if one["space"] == space), page["total"])
    return shown


def latest(cell: Cell) -> dict[str, OccupancyChangedV1]:
    """What the stream says to somebody who begins to listen now."""

    async def listen() -> dict[str, OccupancyChangedV1]:
        client = await cell.account.connect()
        try:
            js = client.jetstream(timeout=5)
            config = ConsumerConfig(
                name="listener",
                deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
                ack_policy=AckPolicy.NONE,
                filter_subject="occupancy.here.>",
                mem_storage=True,
                inactive_threshold=10,
            )
            info = await js.add_consumer("OCCUPANCY", config)
            waiting = info.num_pending or 0
            subscription = await js.pull_subscribe_bind("listener", stream="OCCUPANCY")
            found = await subscription.fetch(waiting, timeout=5) if waiting else []
            await js.delete_consumer("OCCUPANCY", "listener")
            return {one.subject: OccupancyChangedV1.model_validate(json.loads(one.data)) for one in found}
        finally:
            await client.close()

    return cell.run(listen())


def test_a_booking_in_progress_is_seen_and_goes_by_when_its_time_is_over(cell: Cell) -> None:
    now = {"start": cell.near(-5), "end": cell.near(60)}
    made = cell.book("here", "room", **now)
    eventually("staff see it", lambda: figures(cell, "room", "host")["booked"] == 1)
    assert figures(cell, "room", "host")["present"] == 0
    assert figures(cell, "all", "host")["booked"] == 1
    eventually("the stream says it", lambda: latest(cell)["occupancy.here.room.v1"].data.booked == 1)
    url = f"/v1/hubs/here/bookings/{made['id']}/check-in"
    assert cell.http.post(url, headers=cell.auth("here", "member")).status_code == 200
    eventually("staff see who is there", lambda: figures(cell, "room", "host")["present"] == 1)
    eventually("so does the stream", lambda: latest(cell)["occupancy.here.room.v1"].data.present == 1)
    assert latest(cell)["occupancy.here.room.v1"].data.free == 0
    try:
        cell.clock.ahead = timedelta(minutes=61)
        eventually("time has passed", lambda: figures(cell, "room", "host")["booked"] == 0, seconds=20)
        eventually("on the stream too", lambda: latest(cell)["occupancy.here.all.v1"].data.booked == 0)
    finally:
        cell.clock.ahead = timedelta(0)


def test_few_people_are_nobodys_business(cell: Cell) -> None:
    """Up to four there is no figure; from five a band, and only at full five minutes."""

    def arrive(number: int) -> None:
        name = f"Guest {number}"
        made = cell.book("here", "flex", name=name, start=cell.near(-1), end=cell.near(120))
        url = f"/v1/hubs/here/bookings/{made['id']}/check-in"
        assert cell.http.post(url, headers=cell.auth("here", "member", name)).status_code == 200

    try:
        # Just after full five minutes, so that no boundary falls into the middle of this.
        cell.clock.ahead = timedelta(hours=3)
        cell.clock.ahead += timedelta(seconds=300 - cell.clock().timestamp() % 300 + 2)
        for number in range(4):
            arrive(number)
        eventually("staff see four", lambda: figures(cell, "flex", "host")["present"] == 4)
        before = figures(cell, "flex", None)["at"]
        cell.clock.ahead += timedelta(minutes=5)
        eventually("the public is told again", lambda: figures(cell, "flex", None)["at"] > before, seconds=20)
        for who in (None, "visitor", "member"):
            assert figures(cell, "flex", who)["present"] is None
            assert figures(cell, "all", who)["present"] is None
        arrive(4)
        eventually("staff see five", lambda: figures(cell, "flex", "host")["present"] == 5)
        assert figures(cell, "flex", None)["present"] is None, "not before the next full five minutes"
        cell.clock.ahead += timedelta(minutes=5)
        eventually("a band", lambda: figures(cell, "flex", None)["present"] == "5-9", seconds=20)
    finally:
        cell.clock.ahead = timedelta(0)
