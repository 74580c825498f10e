"""An event and its room: two services agree by facts alone, whatever becomes of either."""

from __future__ import annotations

from datetime import timedelta

import pytest

from shared.contracts.booking.facts import VenueConfirmedV1, VenueFreedV1, VenueLostV1, VenueRefusedV1
from shared.contracts.booking.requests import CheckIn, ConfirmBooking, MoveBooking
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.directory.facts import MemberLeftV1
from shared.contracts.directory.words import Role
from shared.contracts.events.facts import EventChangedV1, EventPublishedV1, VenueWantedV1
from shared.contracts.events.requests import PublishEvent
from tests.events.agreeing import Both
from tests.events.world import HUB

ways = pytest.mark.parametrize(
    ("twice", "reversed_"), [(False, False), (True, False), (False, True), (True, True)]
)


@ways
async def test_an_event_is_published_when_its_room_is_confirmed(
    both: Both, twice: bool, reversed_: bool
) -> None:
    event = await both.publish()
    assert (event.status, event.venue and event.venue.state) == ("publishing", "wanted")
    await both.settle(twice=twice, reversed_=reversed_)
    seen = await both.events.seen(event)
    assert (seen.status, seen.venue and seen.venue.state) == ("published", "confirmed")
    room = await both.room_of(event)
    assert room
    assert (room.space, room.start, room.end, room.status) == ("studio", seen.start, seen.end, "confirmed")
    assert (room.event, room.person, room.title) == (event.id, both.events.person("ann"), None)
    assert len(await both.events.facts(EventPublishedV1)) == 1
    await both.agree()


@ways
async def test_a_taken_room_is_refused_with_what_is_free(both: Both, twice: bool, reversed_: bool) -> None:
    await both.booking.book("studio", "2027-03-08T18:30")
    event = await both.publish()
    await both.settle(twice=twice, reversed_=reversed_)
    seen = await both.events.seen(event)
    assert seen.status == "draft"
    assert seen.venue
    assert (seen.venue.state, seen.venue.because) == ("refused", "space-taken")
    assert seen.venue.free_spaces == ("lab",)
    assert [one.start.isoformat() for one in seen.venue.free_times][:2] == [
        "2027-03-08T16:30:00+01:00",
        "2027-03-08T19:30:00+01:00",
    ]
    assert all(one.end - one.start == timedelta(hours=2) for one in seen.venue.free_times)
    [row] = await both.events.rows("SELECT because FROM refusal")
    assert row.because == "space-taken"
    await both.agree()
    # The organiser takes one of them.
    free = seen.venue.free_times[0]
    await both.change(event, start=free.start.isoformat(), end=free.end.isoformat())
    await both.events.publish(event)
    await both.settle(twice=twice, reversed_=reversed_)
    assert (await both.events.seen(event)).status == "published"
    await both.agree()


@ways
async def test_a_change_waits_until_booking_has_moved(both: Both, twice: bool, reversed_: bool) -> None:
    event = await both.agreed()
    before = await both.room_of(event)
    changed = await both.change(event, start="2027-03-09T18:00", end="2027-03-09T20:00")
    assert changed.start == event.start
    assert changed.venue
    assert changed.venue.state == "wanted"
    await both.settle(twice=twice, reversed_=reversed_)
    seen, room = await both.events.seen(event), await both.room_of(event)
    assert seen.start.isoformat() == "2027-03-09T18:00:00+01:00"
    assert (seen.status, before and before.id) == ("changed", room and room.id)
    await both.agree()


@ways
async def test_a_change_that_cannot_be_leaves_all_as_it_was(both: Both, twice: bool, reversed_: bool) -> None:
    event = await both.agreed()
    await both.booking.book("lab", "2027-03-08T18:00")
    await both.change(event, place={"space": "lab"})
    await both.settle(twice=twice, reversed_=reversed_)
    seen = await both.events.seen(event)
    assert (seen.status, seen.place.space) == ("published", "studio")
    assert seen.venue
    assert (seen.venue.state, seen.venue.because, seen.venue.space) == ("confirmed", "space-taken", "studio")
    [refused] = await both.booking.facts(VenueRefusedV1)
    assert isinstance(refused, VenueRefusedV1)
    assert refused.kept
    await both.agree()


@ways
async def test_a_cancelled_event_gives_its_room_back(both: Both, twice: bool, reversed_: bool) -> None:
    event = await both.agreed()
    await both.cancel(event)
    await both.settle(twice=twice, reversed_=reversed_)
    assert await both.room_of(event) is None
    assert len(await both.booking.facts(VenueFreedV1)) == 1
    await both.booking.book("studio", "2027-03-08T18:00")
    await both.agree()


async def test_an_event_cancelled_before_booking_has_answered_leaves_nothing(both: Both) -> None:
    event = await both.publish()
    await both.cancel(event)
    await both.settle()
    assert await both.room_of(event) is None
    await both.agree()


@ways
async def test_a_room_that_a_host_cancels_is_lost_and_people_hear(
    both: Both, twice: bool, reversed_: bool
) -> None:
    event = await both.agreed()
    await both.host_cancels(event)
    await both.settle(twice=twice, reversed_=reversed_)
    seen = await both.events.seen(event)
    assert seen.status == "changed"
    assert seen.venue
    assert (seen.venue.state, seen.venue.because, seen.venue.booking) == ("lost", "cancelled", None)
    [changed] = await both.events.facts(EventChangedV1)
    assert isinstance(changed, EventChangedV1)
    assert (changed.venue_lost, changed.by) == (True, both.events.person("olga"))
    await both.agree()
    # Its organiser finds another one.
    await both.change(event, place={"space": "lab"})
    await both.settle(twice=twice, reversed_=reversed_)
    assert (await both.events.seen(event)).place.space == "lab"
    await both.agree()


async def test_a_lost_room_can_be_had_again(both: Both) -> None:
    event = await both.agreed()
    await both.host_cancels(event)
    await both.settle()
    await both.events.ask(PublishEvent(hub=HUB, event=event.id))
    await both.settle()
    seen = await both.events.seen(event)
    assert seen.venue
    assert seen.venue.state == "confirmed"
    changed = [fact for fact in await both.events.facts(EventChangedV1) if isinstance(fact, EventChangedV1)]
    assert [fact.venue_lost for fact in changed] == [True, False]
    await both.agree()


@ways
async def test_an_event_follows_its_room(both: Both, twice: bool, reversed_: bool) -> None:
    event = await both.agreed()
    await both.host_moves(event, "2027-03-08T19:00", "2027-03-08T21:00", "lab")
    await both.settle(twice=twice, reversed_=reversed_)
    seen = await both.events.seen(event)
    assert (seen.place.space, seen.start.isoformat()) == ("lab", "2027-03-08T19:00:00+01:00")
    [changed] = await both.events.facts(EventChangedV1)
    assert isinstance(changed, EventChangedV1)
    assert (changed.previous_space, changed.by) == ("studio", both.events.person("olga"))
    await both.agree()


async def test_a_booking_moved_while_its_event_asks_for_another_time(both: Both) -> None:
    event = await both.agreed()
    await both.change(event, start="2027-03-10T18:00", end="2027-03-10T20:00")
    await both.host_moves(event, "2027-03-08T19:00", "2027-03-08T21:00")
    await both.settle()
    assert (await both.events.seen(event)).start.isoformat() == "2027-03-10T18:00:00+01:00"
    await both.agree()


async def test_an_event_moved_in_booking_while_it_was_only_held(both: Both) -> None:
    event = await both.publish()
    await both.booking.hear(*await both._new("events"))
    await both.host_moves(event, "2027-03-08T19:00", "2027-03-08T21:00")
    await both.settle()
    seen = await both.events.seen(event)
    assert (seen.status, seen.start.isoformat()) == ("published", "2027-03-08T19:00:00+01:00")
    await both.agree()


async def test_a_room_the_organiser_confirms_in_booking(both: Both) -> None:
    event = await both.publish()
    await both.booking.hear(*await both._new("events"))
    room = await both.room_of(event)
    assert room
    await both.booking.ask(ConfirmBooking(hub=HUB, booking=room.id))
    await both.settle()
    assert (await both.events.seen(event)).status == "published"
    await both.agree()


async def test_a_hold_that_lapses_while_events_is_away_is_asked_for_again(both: Both) -> None:
    event = await both.publish()
    await both.booking.hear(*await both._new("events"))
    await both.booking.let_time_pass(minutes=11)
    assert await both.room_of(event) is None
    await both.settle()
    assert len(await both.events.facts(VenueWantedV1)) == 2
    assert (await both.events.seen(event)).status == "published"
    await both.agree()


async def test_an_acceptance_that_comes_late_is_good_while_nobody_else_has_the_room(both: Both) -> None:
    event = await both.publish()
    await both.booking.hear(*await both._new("events"))
    await both.events.hear(*await both._new("booking"))
    both.booking.now += timedelta(minutes=11)  # no timer has come round yet
    await both.settle()
    assert (await both.events.seen(event)).status == "published"
    assert await both.booking.facts(VenueLostV1) == []
    await both.agree()


async def test_a_lapsed_hold_somebody_else_has_taken_is_refused(both: Both) -> None:
    event = await both.publish()
    await both.booking.hear(*await both._new("events"))
    await both.events.hear(*await both._new("booking"))
    both.booking.now += timedelta(minutes=11)
    await both.booking.book("studio", "2027-03-08T18:00")
    await both.settle()
    assert (await both.events.seen(event)).status == "draft"
    await both.agree()


async def test_the_floor_takes_its_flex_seats(both: Both) -> None:
    """Also as operators see it: while the event lasts, every flex seat is booked."""
    event = await both.agreed("floor", capacity=40)
    room = await both.room_of(event)
    assert room
    assert (room.seats, len(room.units)) == (40, 7)
    assert (await both.booking.refusal(both.booking.wish("flex", "2027-03-08T18:30"))).code == "space-taken"
    await both.let_time_pass(days=7, hours=9, minutes=30)  # 18:30 in Stockholm
    await both.booking.listen_to_itself()
    await both.booking.until(both.booking.now)
    figures = {row.space: row for row in await both.booking.rows("SELECT * FROM occupancy")}
    assert [(figures[one].booked, figures[one].capacity) for one in ("flex", "floor", "studio", "lab", "all")] == [
        (6, 6), (7, 7), (1, 1), (0, 1), (7, 8)
    ]  # fmt: skip
    await both.agree()


async def test_flex_seats_for_as_many_as_the_event_takes(both: Both) -> None:
    event = await both.agreed("flex", capacity=4)
    room = await both.room_of(event)
    assert room
    assert (room.seats, len(room.units)) == (4, 4)
    await both.booking.book("flex", "2027-03-08T18:30", seats=2)
    assert (await both.events.seen(event)).status == "published"


@pytest.mark.parametrize(
    ("start", "place", "capacity", "because"),
    [
        ("2027-03-08T18:00", "cellar", None, "no-such-space"),
        ("2027-03-08T18:00", "studio", 13, "too-small"),
        ("2027-03-08T18:00", "attic", None, "closed"),
        ("2027-03-08T09:00", "booth", None, "too-long"),
    ],
)
async def test_what_the_rules_of_a_space_refuse(
    both: Both, start: str, place: str, capacity: int | None, because: str
) -> None:
    hours = {day: [{"opens": "08:00", "closes": "17:00"}] for day in ("mon", "tue", "wed", "thu", "fri")}
    await both.booking.space(
        "attic", rules=GivenRules.model_validate({"opening_hours": hours, "longest_minutes": 600})
    )
    await both.booking.space("booth", rules=GivenRules(longest_minutes=60))
    await both.settle()
    event = await both.publish(place, start, capacity=capacity)
    await both.settle()
    seen = await both.events.seen(event)
    assert seen.status == "draft"
    assert seen.venue
    assert seen.venue.because == because
    if because == "closed":
        assert [one.start.hour for one in seen.venue.free_times][:1] == [15]
    if because == "too-small":
        assert seen.venue.free_spaces == ()
    await both.agree()


async def test_a_day_too_far_ahead_is_asked_for_again_when_it_can_be_booked(both: Both) -> None:
    await both.booking.space("den", rules=GivenRules(days_ahead=5, longest_minutes=600))
    await both.settle()
    event = await both.publish("den")
    await both.settle()
    seen = await both.events.seen(event)
    assert seen.venue
    assert seen.venue.because == "too-far-ahead"
    assert seen.venue.bookable_from
    assert seen.venue.bookable_from.isoformat() == "2027-03-03T00:00:00+01:00"
    await both.let_time_pass(days=1, hours=14)
    assert (await both.events.seen(event)).status == "draft"
    await both.let_time_pass(hours=2)
    assert (await both.events.seen(event)).status == "published"
    await both.agree()


async def test_a_draft_that_was_changed_meanwhile_is_not_asked_for_again(both: Both) -> None:
    await both.booking.space("den", rules=GivenRules(days_ahead=5, longest_minutes=600))
    await both.settle()
    event = await both.publish("den")
    await both.settle()
    await both.change(event, start="2027-03-07T18:00", end="2027-03-07T20:00")
    await both.let_time_pass(days=3)
    assert (await both.events.seen(event)).status == "draft"
    await both.agree()


async def test_an_event_without_a_room_can_get_one_and_give_it_up(both: Both) -> None:
    event = await both.events.event()
    await both.change(event, place={"space": "studio"})
    await both.settle()
    assert (await both.events.seen(event)).place.space == "studio"
    await both.agree()
    await both.change(event, place={"address": "Harbour 1"})
    await both.settle()
    assert await both.room_of(event) is None
    await both.agree()


async def test_an_event_that_no_longer_needs_the_room_it_waits_for_is_published(both: Both) -> None:
    event = await both.publish()
    await both.change(event, place={"address": "Harbour 1"})
    await both.settle()
    assert (await both.events.seen(event)).status == "published"
    await both.agree()


async def test_who_leaves_the_hub_leaves_the_events_room_alone(both: Both) -> None:
    event = await both.agreed()
    left = MemberLeftV1(
        id=both.events.ids(),
        hub=HUB,
        occurred_at=both.events.now,
        subject=f"{HUB}/{both.events.person('ann')}",
        subject_version=1,
        person=both.events.person("ann"),
        role=Role.MEMBER,
    )
    await both.booking.hear(left)
    assert await both.room_of(event) is not None


async def test_people_who_are_in_the_room_already_stay(both: Both) -> None:
    event = await both.agreed(start="2027-03-01T09:20")
    room = await both.room_of(event)
    assert room
    await both.booking.ask(CheckIn(hub=HUB, booking=room.id))
    await both.change(event, start="2027-03-02T09:20", end="2027-03-02T11:20")
    await both.settle()
    assert (await both.events.seen(event)).start == event.start
    await both.cancel(event)
    await both.settle()
    [row] = await both.booking.rows("SELECT status, event FROM booking WHERE id = :id", id=room.id)
    assert (row.status, row.event) == ("checked_in", None)
    await both.agree()


async def test_a_new_title_of_the_booking_is_nobodys_news(both: Both) -> None:
    event = await both.agreed()
    room = await both.room_of(event)
    assert room
    said = len(await both.booking.facts(VenueConfirmedV1))
    renamed = MoveBooking(hub=HUB, booking=room.id, version=room.version, title="Choir")
    await both.booking.ask(renamed)
    await both.settle()
    assert len(await both.booking.facts(VenueConfirmedV1)) == said
    assert (await both.events.seen(event)).status == "published"
