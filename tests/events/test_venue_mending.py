"""What is apart is found and mended: orphans on either side, backups brought back, facts that were given up."""

from __future__ import annotations

import pytest
from sqlalchemy import text

from shared.contracts.base import Fact
from shared.contracts.booking.facts import (
    VenueConfirmedV1,
    VenueFreedV1,
    VenueHeldV1,
    VenueLostV1,
    VenueRefusedV1,
    VenueSnapshotV1,
)
from shared.contracts.events.facts import (
    VenueAcceptedV1,
    VenueReleasedV1,
    VenueWantedV1,
    VenueWishSnapshotV1,
)
from tests.events.agreeing import Both
from tests.events.world import EVENING

EVENTS_TABLES = ("event", "venue", "places", "organiser", "heard_version", "inbox", "timer", "refusal")
BOOKING_TABLES = ("booking", "venue", "heard_version", "inbox", "timer")


async def by_hand(both: Both, service: str, *statements: str) -> None:
    """Somebody changes rows behind the service's back."""
    world = both.events if service == "events" else both.booking
    async with world.database.transaction() as session:
        for statement in statements:
            await session.execute(text(statement))


async def back_up(both: Both, service: str) -> None:
    """Keep the tables as they are; the outbox and the streams are no part of it."""
    for table in EVENTS_TABLES if service == "events" else BOOKING_TABLES:
        await by_hand(
            both, service, f"DROP TABLE IF EXISTS kept_{table}", f"CREATE TABLE kept_{table} AS TABLE {table}"
        )


async def bring_back(both: Both, service: str) -> None:
    """Put the kept rows in place of those there are now."""
    tables = EVENTS_TABLES if service == "events" else BOOKING_TABLES
    await by_hand(both, service, f"TRUNCATE {', '.join(tables)} CASCADE")
    for table in tables:
        await by_hand(
            both, service, f"INSERT INTO {table} SELECT * FROM kept_{table}", f"DROP TABLE kept_{table}"
        )


async def test_at_rest_comparing_changes_nothing(both: Both) -> None:
    await both.agreed()
    cancelled = await both.agreed("lab")
    await both.cancel(cancelled)
    await both.settle()
    before = [len(await world.facts()) for world in (both.events, both.booking)]
    for _ in range(3):
        await both.compare()
    snapshots = (VenueSnapshotV1, VenueWishSnapshotV1)
    after = [
        [fact for fact in await world.facts() if not isinstance(fact, snapshots)]
        for world in (both.events, both.booking)
    ]
    assert [len(facts) for facts in after] == before
    await both.agree()


async def test_a_booking_that_vanished_is_made_again(both: Both) -> None:
    event = await both.agreed()
    await by_hand(both, "booking", "DELETE FROM booking")
    await both.compare()
    assert await both.room_of(event) is not None
    assert (await both.events.seen(event)).status == "published"
    await both.agree()


async def test_a_booking_that_vanished_and_whose_room_is_taken_is_lost(both: Both) -> None:
    event = await both.agreed()
    await by_hand(both, "booking", "DELETE FROM booking")
    await both.booking.book("studio", "2027-03-08T18:00")
    await both.compare()
    seen = await both.events.seen(event)
    assert seen.status == "changed"
    assert seen.venue
    assert (seen.venue.state, seen.venue.because) == ("refused", "space-taken")
    await both.agree()


async def test_a_booking_without_its_row_and_its_event_is_given_back(both: Both) -> None:
    event = await both.agreed()
    await by_hand(both, "events", "DELETE FROM event", "DELETE FROM venue")
    await both.compare()
    assert await both.room_of(event) is None
    await both.agree()


async def test_a_booking_whose_event_was_deleted_alone_is_given_back(both: Both) -> None:
    event = await both.agreed()
    await by_hand(both, "events", "DELETE FROM event")
    await both.compare()
    assert await both.room_of(event) is None
    await both.agree()


async def test_a_booking_for_an_event_nobody_ever_knew_is_given_back(both: Both) -> None:
    await both.booking.book("studio", EVENING)
    await by_hand(both, "booking", "UPDATE booking SET event = '00000000-0000-7000-8000-0000000000e1'")
    assert await both.apart() != []
    await both.compare()
    await both.compare()
    await both.agree()
    assert await both.booking.rows("SELECT 1 FROM booking WHERE status = 'confirmed'") == []


@pytest.mark.parametrize("service", ["events", "booking"])
async def test_a_row_of_the_agreement_that_was_deleted_comes_back(both: Both, service: str) -> None:
    event = await both.agreed()
    room = await both.room_of(event)
    await by_hand(both, service, "DELETE FROM venue")
    await both.compare()
    await both.compare()
    assert room == await both.room_of(event)
    seen = await both.events.seen(event)
    assert seen.venue
    assert (seen.status, seen.venue.state) == ("published", "confirmed")
    await both.agree()
    await both.host_moves(event, "2027-03-08T19:00", "2027-03-08T21:00")
    await both.settle()
    await both.agree()


async def test_rows_of_both_that_were_deleted_come_back(both: Both) -> None:
    await both.agreed()
    for service in ("events", "booking"):
        await by_hand(both, service, "DELETE FROM venue")
    await both.compare()
    await both.compare()
    await both.agree()


@pytest.mark.parametrize("service", ["events", "booking"])
async def test_a_row_that_was_set_back_by_hand_catches_up(both: Both, service: str) -> None:
    event = await both.agreed()
    await both.change(event, start="2027-03-09T18:00", end="2027-03-09T20:00")
    await both.settle()
    kept = "heard = 1, version = 1" if service == "events" else "heard = 1, stated = 1"
    await by_hand(both, service, f"UPDATE venue SET edition = 1, {kept}")
    await both.compare()
    await both.compare()
    await both.agree()
    await both.change(event, start="2027-03-10T18:00", end="2027-03-10T20:00")
    await both.settle()
    assert (await both.events.seen(event)).start.day == 10
    await both.agree()


async def test_a_confirmation_reset_by_hand_is_asked_for_again(both: Both) -> None:
    event = await both.agreed()
    await by_hand(both, "events", "UPDATE venue SET state = 'held'")
    await both.compare()
    seen = await both.events.seen(event)
    assert seen.venue
    assert seen.venue.state == "confirmed"
    await both.agree()


async def test_a_booking_moved_by_hand_takes_its_event_along(both: Both) -> None:
    event = await both.agreed()
    later = "starts_at = starts_at + interval '1 hour', ends_at = ends_at + interval '1 hour'"
    await by_hand(both, "booking", f"UPDATE booking SET {later}, kept_until = kept_until + interval '1 hour'")
    await both.compare()
    assert (await both.events.seen(event)).start.hour == 19
    await both.agree()


@pytest.mark.parametrize("service", ["events", "booking"])
@pytest.mark.parametrize("deed", ["change", "cancel", "host_cancels", "host_moves", "another"])
async def test_a_backup_that_is_brought_back(both: Both, service: str, deed: str) -> None:
    """Whatever happened since is forgotten on one side; both agree again, and go on agreeing."""
    event = await both.agreed()
    await back_up(both, service)
    if deed == "change":
        await both.change(event, start="2027-03-09T18:00", end="2027-03-09T20:00")
    elif deed == "cancel":
        await both.cancel(event)
    elif deed == "host_cancels":
        await both.host_cancels(event)
    elif deed == "host_moves":
        await both.host_moves(event, "2027-03-08T19:00", "2027-03-08T21:00")
    else:
        await both.agreed("lab")
    await both.settle()
    await bring_back(both, service)
    for _ in range(3):
        await both.compare()
    await both.agree()
    if (await both.events.seen(event)).status in ("published", "changed"):
        await both.change(event, place={"space": "flex"})
        await both.settle()
        assert (await both.events.seen(event)).place.space == "flex"
    await both.cancel(event)
    await both.settle()
    assert await both.room_of(event) is None
    await both.agree()


GIVEN_UP = (
    VenueWantedV1,
    VenueAcceptedV1,
    VenueReleasedV1,
    VenueHeldV1,
    VenueConfirmedV1,
    VenueRefusedV1,
    VenueLostV1,
    VenueFreedV1,
)


@pytest.mark.parametrize("given_up", GIVEN_UP, ids=lambda one: one.__name__)
async def test_a_fact_that_was_given_up_is_made_good(both: Both, given_up: type[Fact]) -> None:
    """Once it never arrives, whoever asked for what; time and comparing put it right."""
    first = await both.agreed()
    await both.booking.book("lab", "2027-03-08T18:00", minutes=120)
    gone: list[Fact] = []

    def lost(fact: Fact) -> bool:
        if isinstance(fact, given_up) and not gone:
            gone.append(fact)
        return fact in gone

    both.lost = lost
    await both.publish("flex")
    await both.publish("lab")
    await both.settle()
    await both.host_cancels(first)
    cancelled = await both.publish("studio", "2027-03-12T18:00")
    await both.settle()
    await both.cancel(cancelled)
    await both.settle()
    assert gone
    await both.let_time_pass(minutes=3)
    for _ in range(2):
        await both.compare()
    await both.agree()


async def test_booking_is_asked_whether_it_has_heard(both: Both) -> None:
    """Without anybody republishing: the wish is stated again after two minutes, and again every ten."""
    both.lost = lambda fact: isinstance(fact, VenueWantedV1)
    event = await both.publish()
    await both.settle()
    assert (await both.events.seen(event)).status == "publishing"
    await both.let_time_pass(minutes=1)
    assert (await both.events.seen(event)).status == "publishing"
    await both.let_time_pass(minutes=2)
    assert (await both.events.seen(event)).status == "published"
    await both.agree()


@pytest.mark.parametrize("service", ["events", "booking"])
async def test_both_compare_by_themselves(both: Both, service: str) -> None:
    event = await both.agreed()
    for world in (both.events, both.booking):
        async with world.database.transaction() as session:
            await session.execute(
                text("INSERT INTO timer (kind, key, due_at) VALUES ('venues-compared', '', now())")
            )
            await session.execute(
                text("UPDATE timer SET due_at = :now WHERE kind = 'venues-compared'"), {"now": world.now}
            )
    await by_hand(both, service, "DELETE FROM booking" if service == "booking" else "DELETE FROM event")
    await both.let_time_pass(minutes=20)
    assert (await both.room_of(event) is None) == (service == "events")
    await both.agree()


async def test_comparing_goes_on_where_it_has_stopped(both: Both, monkeypatch: pytest.MonkeyPatch) -> None:
    from services.booking.commands import venue_comparing  # noqa: PLC0415
    from services.events.commands import snapshots  # noqa: PLC0415

    monkeypatch.setattr(venue_comparing, "AT_ONCE", 2)
    monkeypatch.setattr(snapshots, "AT_ONCE", 2)
    for day in range(1, 6):
        await both.agreed("studio", f"2027-03-1{day}T18:00")
    await by_hand(both, "booking", "DELETE FROM booking")
    for world in (both.events, both.booking):
        async with world.database.transaction() as session:
            await session.execute(
                text("INSERT INTO timer (kind, key, due_at) VALUES ('venues-compared', '', :now)"),
                {"now": world.now},
            )
    await both.let_time_pass(minutes=20)
    assert len(await both.booking.rows("SELECT 1 FROM booking WHERE status = 'confirmed'")) == 5
    await both.agree()
