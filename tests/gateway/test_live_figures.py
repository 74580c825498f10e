"""Reading along without being staff: figures that tell nobody's comings and goings, and change every five minutes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from services.gateway.live import keeping
from services.gateway.live.occupancy import PATIENCE, next_five
from tests.gateway.cell import Cell, eventually
from tests.gateway.live_readers import Listening, listening

OPTIONS = {"live_longest_s": 1_000_000}
"""These tests move the clock."""


@pytest.fixture(autouse=True)
def _far_from_five(cell: Cell) -> None:
    """No full five minutes come by while something is prepared."""
    if next_five(cell.clock()) - cell.clock() < timedelta(minutes=1):
        cell.clock.ahead += timedelta(minutes=1)


def _jump(cell: Cell, *, after_five: timedelta) -> None:
    """To so long after the next full five minutes."""
    cell.clock.ahead += next_five(cell.clock()) - cell.clock() + after_five


def _open(cell: Cell, space: str) -> None:
    rooms = cell.app.state.hall.rooms
    eventually(
        "figures from before are forgotten", lambda: getattr(rooms.get("there"), "figures", None) is None
    )
    cell.space("there", space, "flex", seats=40)
    eventually("it is measured", lambda: _public(cell, space) is not None)


def _public(cell: Cell, space: str) -> dict[str, Any] | None:
    """The figures as booking tells everybody who asks."""
    items = cell.http.get("/v1/hubs/there/occupancy").json()["items"]
    return next((one for one in items if one["space"] == space), None)


def _booked(cell: Cell, space: str, times: int) -> None:
    """Taken for now, so often; the gateway has heard of it."""
    for _ in range(times):
        cell.book("there", space, start=cell.near(-1), end=cell.near(40))
    exact = cell.app.state.hall.rooms["there"].exact
    eventually("it is heard of", lambda: f'"booked":{times}' in exact.get(space, (0, ""))[1])


def _wake(cell: Cell) -> None:
    """Booking's timers know nothing of the clock."""
    cell.book("there", "flex", **cell.slot(day=60))


def _told(heard: Listening, space: str) -> list[dict[str, Any]]:
    return [one["data"] for one in heard.facts if one["subject"] == space]


@contextmanager
def _late(cell: Cell) -> Iterator[None]:
    """Booking does not publish meanwhile."""

    async def put_off(by: timedelta) -> None:
        connection = await asyncpg.connect(cell.plain_url("booking"))
        try:
            kind = "occupancy-public"
            moved = await connection.execute(
                "UPDATE timer SET due_at = due_at + $1 WHERE kind = $2", by, kind
            )
            assert moved != "UPDATE 0"
        finally:
            await connection.close()

    cell.run(put_off(timedelta(hours=1)))
    yield
    cell.run(put_off(-timedelta(hours=1)))


def test_everybody_is_shown_protected_figures_that_change_every_five_minutes(cell: Cell) -> None:
    _open(cell, "wide")
    with listening(cell.http, "there", "occupancy") as heard:
        eventually("the figures there are", lambda: _told(heard, "wide"))
        assert {one["type"] for one in heard.facts} == {"foci.booking.public-occupancy.v1"}
        before = len(heard.facts)
        _booked(cell, "wide", 2)
        assert len(heard.facts) == before, "not at the moment it happens"
        _jump(cell, after_five=timedelta(seconds=1))
        _wake(cell)
        eventually("the public figures catch up", lambda: len(heard.facts) > before, seconds=20)
        wide = _told(heard, "wide")[-1]
        assert (wide["booked"], wide["free"], wide["present"]) == (2, 38, None)
        last = heard.last_id
    with listening(cell.http, "there", "occupancy", last=last) as again:
        assert again.facts == []
        assert again.named("reset") == []


def test_figures_that_booking_is_late_with_are_shown_five_minutes_later(cell: Cell) -> None:
    _open(cell, "vast")
    with listening(cell.http, "there", "occupancy") as heard:
        eventually("the figures there are", lambda: _told(heard, "vast"))
        _booked(cell, "vast", 1)
        before = len(heard.facts)
        with _late(cell):
            _jump(cell, after_five=PATIENCE)
            looked = time.monotonic() + 2 * keeping.EVERY_S
            eventually("the gateway has looked", lambda: time.monotonic() > looked)
        _wake(cell)
        eventually("booking has published", lambda: (_public(cell, "vast") or {}).get("booked") == 1)
        assert len(heard.facts) == before, "nobody asks between the times"
        _jump(cell, after_five=timedelta(seconds=1))
        eventually("the public figures catch up", lambda: len(heard.facts) > before)
        assert _told(heard, "vast")[-1]["booked"] == 1
