"""Lists of bookings: by time, in pages, filtered; and that the database finds them by index."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import text

from services.booking.commands import attempts, holds, occupancy
from services.booking.queries import bookings, claims
from shared.contracts.booking.requests import (
    BookingView,
    CancelBooking,
    GetBooking,
    ListBookings,
    ListMyBookings,
)
from shared.contracts.booking.words import BookingStatus, SpaceKind
from shared.contracts.directory.words import Role
from tests.booking.world import HUB, World


async def test_a_hubs_bookings_by_time_in_pages(world: World) -> None:
    await world.space("flex", SpaceKind.FLEX, seats=9)
    await world.space("room")
    made = [
        await world.book("flex", f"2027-03-0{day}T10:00", by=name)
        for day in (3, 1, 2)
        for name in ("ann", "ben")
    ]
    in_room = await world.book("room", "2027-03-02T12:00")
    hanna = world.principal("hanna", Role.HOST)
    everything = await world.ask(ListBookings(hub=HUB), hanna)
    assert [one.start for one in everything.items] == sorted(one.start for one in [*made, in_room])
    pages: list[BookingView] = []
    cursor = None
    while True:
        page = await world.ask(ListBookings(hub=HUB, limit=3, cursor=cursor), hanna)
        pages += page.items
        cursor = page.cursor
        if cursor is None:
            break
    assert tuple(pages) == everything.items
    of_ann = await world.ask(ListBookings(hub=HUB, person=world.person("ann"), space="flex"), hanna)
    assert {one.person for one in of_ann.items} == {world.person("ann")}
    assert len(of_ann.items) == 3
    second = await world.ask(ListBookings(hub=HUB, start="2027-03-02T00:00", end="2027-03-03T00:00"), hanna)
    assert len(second.items) == 3
    await world.ask(CancelBooking(hub=HUB, booking=in_room.id))
    gone = await world.ask(ListBookings(hub=HUB, status=(BookingStatus.CANCELLED,)), hanna)
    assert [one.id for one in gone.items] == [in_room.id]


async def test_what_is_going_on_is_listed_with_what_begins_later(world: World) -> None:
    await world.space("room")
    long = await world.book("room", "2027-03-01T10:00", "2027-03-20T10:00")
    hanna = world.principal("hanna", Role.HOST)
    seen = await world.ask(ListBookings(hub=HUB, start="2027-03-19T00:00"), hanna)
    assert [one.id for one in seen.items] == [long.id]
    assert (await world.ask(ListBookings(hub=HUB, start="2027-03-20T10:00"), hanna)).items == ()


@pytest.mark.parametrize(
    "cursor",
    ["x", "_", "2027-03-01T10:00_0", "9999-12-31T23:59:59-14:00_00000000-0000-0000-0000-000000000000"],
)
async def test_a_cursor_that_is_not_ours_is_refused(world: World, cursor: str) -> None:
    for request in (ListBookings(hub=HUB, cursor=cursor), ListMyBookings(cursor=cursor)):
        refused = await world.refusal(request, "hanna", Role.HOST)
        assert (refused.status, refused.problem["field"]) == (422, "cursor")


@pytest.mark.parametrize("edge", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
async def test_times_at_the_edge_of_the_calendar_are_refused(world: World, edge: str) -> None:
    for field in ("start", "end"):
        refused = await world.refusal(ListMyBookings.model_validate({field: edge}), "ann")
        assert (refused.status, refused.problem["field"]) == (422, field)


# ---- plans -----------------------------------------------------------------------------------------------------

MANY = """
    INSERT INTO booking (id, hub, hub_number, space, units, seats, starts_at, ends_at, kept_until, status, person, booked_by,
                         time_zone, rules_version, created_at)
    SELECT gen_random_uuid(), 'hub-' || hub, hub, 'flex', int4multirange(int4range(seat, seat + 1)), 1, at,
           at + interval '50 minutes', at + interval '50 minutes',
           (ARRAY['confirmed', 'cancelled', 'checked_out'])[1 + seat % 3],
           ('00000000-0000-0000-0000-0000000000' || lpad((seat + hub)::text, 2, '0'))::uuid, gen_random_uuid(),
           'UTC', 1, now()
    FROM generate_series(1, 3) hub, generate_series(1, 8) seat,
         generate_series('2027-01-01T00:00Z'::timestamptz, '2027-02-15T00:00Z', '1 hour') at
"""


@pytest_asyncio.fixture
async def crowded(world: World) -> World:
    """Three hubs with thousands of bookings each, known to the planner."""
    async with world.database.engine.connect() as connection:
        await connection.execution_options(isolation_level="AUTOCOMMIT")
        await connection.exec_driver_sql(MANY)
        await connection.exec_driver_sql("ANALYZE booking")
    return world


async def plan(world: World, statement: Any, **values: Any) -> str:
    """How PostgreSQL means to carry a statement out, as lines."""
    async with world.database.engine.connect() as connection:
        found = await connection.execute(text(f"EXPLAIN {statement.text}"), values)
        return "\n".join(row[0] for row in found)


def moments(**more: Any) -> dict[str, Any]:
    """Two hours in the middle of what is booked."""
    start = datetime(2027, 1, 20, 10, tzinfo=UTC)
    return {"start": start, "end": start + timedelta(hours=2), **more}


async def test_what_is_claimed_is_found_by_the_constraints_own_index(crowded: World) -> None:
    now = moments()["start"]
    asked = moments(hub="hub-2", units="{[1,9)}", now=now)
    for found in (
        await plan(crowded, claims._CLAIMS, **asked, but=None, most=None),
        await plan(crowded, holds._DEAD, **asked),
    ):
        assert "booking_no_overlap" in found
        assert "Seq Scan on booking" not in found


async def test_occupancy_reads_only_what_goes_on_now(crowded: World) -> None:
    now = moments()["start"]
    measured = await plan(crowded, occupancy._MEASURE, hub="hub-2", now=now, all="all", public_at=now)
    following = await plan(crowded, occupancy._NEXT_BOUNDARY, hub="hub-2", now=now)
    for found in (measured, following):
        assert "booking_no_overlap" in found
        assert "Seq Scan on booking" not in found
    assert "booking_by_time" in following


async def test_lists_walk_an_index_from_where_the_page_begins(crowded: World) -> None:
    page = moments(statuses=[], after_start=moments()["start"], after_id=bookings._NOBODY, limit=51)
    in_hub = await plan(crowded, bookings._HUB, hub="hub-2", space=None, calendar=None, **page)
    assert "booking_by_time" in in_hub
    person = {"person": bookings._NOBODY}
    of_person = await plan(
        crowded, bookings._PERSON_IN_HUB, hub="hub-2", space=None, calendar=None, **person, **page
    )
    mine = await plan(crowded, bookings._MINE, **person, **page)
    for found in (of_person, mine):
        assert "booking_by_person" in found
    for found in (in_hub, of_person, mine):
        assert "Seq Scan" not in found
        assert "Sort" not in found


async def test_reserving_touches_a_handful_of_blocks_however_many_bookings_there_are(crowded: World) -> None:
    await crowded.hub("hub-2")
    await crowded.space("room", hub="hub-2")
    statement = attempts.STATEMENTS[False, False]
    assert "status IN" not in statement  # nothing is looked up but what the constraints look up
    booking = await crowded.book(
        "room", "2027-03-01T10:00", hub="hub-2", by=crowded.principal("ann", hub="hub-2")
    )
    one = await plan(crowded, bookings._ONE, hub="hub-2", booking=booking.id)
    assert "booking_pkey" in one
    assert (await crowded.ask(GetBooking(hub="hub-2", booking=booking.id))).id == booking.id
