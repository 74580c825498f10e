"""Facts heard: twice, late and reversed give the same as once and in order, and what is nobody's news stays quiet."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest

from services.notify.commands.following import OLD
from shared.contracts.base import Fact
from shared.contracts.booking import facts as booking
from shared.contracts.booking.words import BookingStatus
from shared.contracts.directory import facts as directory
from shared.contracts.directory.words import Role
from shared.contracts.events import facts as events
from shared.contracts.events.words import EventPart, EventStatus, SignUpStatus
from shared.contracts.notify.words import Channel, News, NoticeKind
from tests.notify.world import GATHER, HUB, TUESDAY, World

ORDERS = list(itertools.permutations(range(3)))
MINE = NoticeKind.BOOKING


async def _hear_in(world: World, facts: list[Fact], order: tuple[int, ...]) -> None:
    """One by one in that order, each twice; then all at once again."""
    for number in order:
        await world.hear(facts[number])
        await world.hear(facts[number])
    await world.hear(*facts)


@pytest.mark.parametrize("order", ORDERS)
async def test_mirrors_read_as_the_newest_facts_whatever_the_order(
    empty: World, order: tuple[int, ...]
) -> None:
    zones = ("Europe/Stockholm", "Europe/Oslo", "Asia/Kolkata")
    kinds = (directory.HubRegisteredV1, directory.HubProfileChangedV1, directory.HubProfileChangedV1)
    hubs: list[Fact] = [
        empty.fact(kind, HUB, name=zone, time_zone=zone) for kind, zone in zip(kinds, zones, strict=True)
    ]
    await _hear_in(empty, hubs, order)
    ann: dict[str, Any] = {"person": empty.person("ann")}
    member = f"{HUB}/{ann['person']}"
    members: list[Fact] = [
        empty.fact(directory.MemberJoinedV1, member, role=Role.MEMBER, **ann),
        empty.fact(directory.RoleChangedV1, member, role=Role.HOST, previous=Role.MEMBER, **ann),
        empty.fact(directory.MemberLeftV1, member, **ann),
    ]
    await _hear_in(empty, members, order)
    place = f"{HUB}/studio"
    spaces: list[Fact] = [
        empty.fact(kind, place, space="studio", name=name)
        for kind, name in (
            (booking.SpaceOpenedV1, "Ett"),
            (booking.SpaceRulesChangedV1, "Två"),
            (booking.SpaceRulesChangedV1, "Tre"),
        )
    ]
    await _hear_in(empty, spaces, order)
    [hub] = await empty.rows("SELECT * FROM hub")
    assert (hub.name, hub.time_zone, hub.languages, hub.version) == (zones[2], zones[2], ["sv", "en"], 3)
    [one] = await empty.rows("SELECT * FROM member")
    assert (one.role, one.version) == (None, 3)
    [space] = await empty.rows("SELECT * FROM space")
    assert (space.name, space.version) == ("Tre", 3)


@pytest.mark.parametrize("order", ORDERS)
async def test_a_booking_is_as_its_newest_fact_says_and_told_once(
    world: World, order: tuple[int, ...]
) -> None:
    booked = world.booked()
    thing = {"thing": booked.subject}
    moved = world.booked(booking.BookingMovedV1, start=TUESDAY + timedelta(hours=1), **thing)
    again = world.booked(booking.BookingMovedV1, start=TUESDAY + timedelta(hours=2), **thing)
    await _hear_in(world, [booked, moved, again], order)
    [row] = await world.rows("SELECT * FROM booking")
    assert (row.starts_at, row.version, row.status) == (again.start, 3, "confirmed")
    world.later(seconds=GATHER.total_seconds())
    assert await world.mailed() == [("ann", News.BOOKED, MINE)]
    await _hear_in(world, [booked, moved, again], order)
    world.later(minutes=5)
    assert await world.mailed() == []


@pytest.mark.parametrize("order", ORDERS)
async def test_a_sign_up_is_as_its_newest_fact_says_and_told_once(
    world: World, order: tuple[int, ...]
) -> None:
    event = world.event()
    await world.hear(event)
    waits = world.sign_up(events.PlaceAwaitedV1, event=event.subject)
    thing = {"thing": waits.subject, "event": event.subject}
    facts = [
        waits,
        world.sign_up(events.PlaceOfferedV1, by=None, **thing),
        world.sign_up(events.PlaceTakenV1, **thing),
    ]
    await _hear_in(world, facts, order)
    [row] = await world.rows("SELECT * FROM sign_up")
    assert (row.status, row.version) == ("attending", 3)
    world.later(minutes=2)
    assert await world.mailed() == [("ann", News.PLACE_TAKEN, NoticeKind.PLACE)]
    await _hear_in(world, facts, order)
    world.later(minutes=5)
    assert await world.mailed() == []


@pytest.mark.parametrize("order", ORDERS)
async def test_an_event_is_taken_in_in_its_order(world: World, order: tuple[int, ...]) -> None:
    published = world.event()
    thing = {"thing": published.subject}
    facts = [
        published,
        world.event(events.EventHiddenV1, by="host", **thing),
        world.event(events.EventChangedV1, changed=(EventPart.TEXTS,), titles={}, **thing),
    ]
    await _hear_in(world, facts, order)
    [row] = await world.rows("SELECT * FROM event")
    assert (row.status, row.hidden, row.version) == ("changed", True, 3)
    assert row.titles == {"sv": "Frukost", "en": "Breakfast"}, "kept for who runs it, and until it is shown"


async def test_edits_in_quick_succession_are_one_notice_and_not_put_off_for_ever(world: World) -> None:
    booked = world.booked()
    await world.hear(booked)
    first = world.now
    for seconds in range(0, 150, 10):
        world.now = first + timedelta(seconds=seconds)
        start = TUESDAY + timedelta(minutes=seconds)
        await world.hear(world.booked(booking.BookingMovedV1, booked.subject, start=start))
        notices = [one for one in await world.notices() if one.about == "booking"]
        assert len(notices) == 1
        assert notices[0].due_at == min(world.now + GATHER, first + timedelta(minutes=2))
    assert await world.mailed() == [("ann", News.BOOKED, MINE)]


async def test_a_hold_that_lapses_and_somebody_who_comes_are_no_news(world: World) -> None:
    held = world.booked(booking.BookingHeldV1)
    thing = {"thing": held.subject}
    await world.hear(held)
    await world.hear(world.booked(booking.BookingExpiredV1, **thing))
    assert await world.notices() == []
    booked = world.booked(start=world.now + timedelta(minutes=5))
    await world.hear(booked)
    world.later(minutes=2)
    await world.tell()
    await world.hear(world.booked(booking.BookingCheckedInV1, booked.subject, start=booked.start))
    await world.hear(world.booked(booking.BookingCheckedOutV1, booked.subject, start=booked.start))
    assert await world.notices() == []


@pytest.mark.parametrize(
    "silent", [{"for_event": "01981f0e-5a00-7000-8000-0000000000e1"}, {"imported": True}]
)
async def test_an_events_room_and_an_import_are_nobodys_news(world: World, silent: dict[str, Any]) -> None:
    booked = world.booked(**silent)
    await world.hear(booked)
    await world.hear(world.booked(booking.BookingCancelledV1, booked.subject, by="olga", **silent))
    assert await world.notices() == []
    assert await world.notices(Channel.INBOX) == []
    [row] = await world.rows("SELECT status, silent FROM booking")
    assert (row.status, row.silent) == ("cancelled", True)


async def test_what_happened_long_ago_is_known_and_its_reminder_is_set(world: World) -> None:
    long_ago = world.now - OLD - timedelta(seconds=1)
    old = world.booked(occurred_at=long_ago)
    await world.hear(old)
    assert [one.about for one in await world.notices()] == ["reminder"]
    await world.hear(world.booked(booking.BookingMovedV1, old.subject, start=TUESDAY + timedelta(hours=1)))
    world.later(minutes=2)
    assert await world.mailed() == [("ann", News.MOVED, MINE)]


async def test_what_is_stated_again_is_known_when_it_is_new_and_told_when_something_was_missed(
    world: World,
) -> None:
    booked = world.booked()
    snapshot = world.booked(
        booking.BookingSnapshotV1, booked.subject, version=1, status=BookingStatus.CONFIRMED
    )
    await world.hear(snapshot)
    assert [one.about for one in await world.notices()] == ["reminder"]
    missed = world.booked(
        booking.BookingSnapshotV1,
        booked.subject,
        version=3,
        status=BookingStatus.CONFIRMED,
        start=TUESDAY + timedelta(hours=1),
    )
    await world.hear(missed)
    await world.hear(world.booked(booking.BookingSnapshotV1, booked.subject, version=3, status="confirmed"))
    world.later(minutes=2)
    assert await world.mailed() == [("ann", News.MOVED, MINE)]


async def test_sign_ups_stated_again_before_their_event_are_known_once_it_is_heard_of(world: World) -> None:
    event = world.ids()
    mine = world.sign_up(events.SignUpSnapshotV1, event=event, version=4, status=SignUpStatus.ATTENDING)
    await world.hear(mine)
    await world.hear(
        world.event(events.EventSnapshotV1, event, version=7, status=EventStatus.PUBLISHED, hidden=False)
    )
    assert {one.about for one in await world.notices()} == {"reminder"}
    changed = world.event(
        events.EventChangedV1, event, changed=(EventPart.TIME,), start=TUESDAY + timedelta(hours=1)
    )
    await world.hear(changed)
    world.later(minutes=2)
    assert await world.mailed() == [("ann", News.EVENT_CHANGED, NoticeKind.EVENT)]


async def test_old_facts_do_not_swallow_what_waits_to_be_told(world: World) -> None:
    event = world.event(occurred_at=world.now - OLD - timedelta(hours=2))
    mine = world.sign_up(event=event.subject)
    await world.hear(mine)
    await world.hear(event)
    world.later(minutes=2)
    assert await world.mailed() == [("ann", News.PLACE_TAKEN, NoticeKind.PLACE)]


async def test_a_guests_notices_go_by_mail_only(world: World) -> None:
    event = world.event()
    await world.hear(event)
    pending = world.sign_up(events.SignUpPendingV1, event=event.subject, guest=True, by=None, number=None)
    await world.hear(pending)
    assert [one.due_at for one in await world.notices() if one.about == "sign-up"] == [world.now]
    assert await world.mailed() == [("ann", News.CONFIRM, NoticeKind.CONFIRM)]
    await world.hear(world.sign_up(thing=pending.subject, event=event.subject, guest=True))
    world.later(minutes=2)
    assert [(one.channel, one.news) for one in await world.tell()] == [(Channel.EMAIL, News.PLACE_TAKEN)]
    assert [one.person for one in await world.notices(Channel.INBOX)] == []


async def test_a_cancelled_event_reaches_everybody_who_counted_on_it_at_once(world: World) -> None:
    event = world.event(start=world.now + timedelta(hours=3))
    thing = {"event": event.subject}
    await world.hear(event)
    going = [world.sign_up(who="ann", **thing), world.sign_up(events.PlaceAwaitedV1, who="bo", **thing)]
    gone = world.sign_up(who="cia", **thing)
    await world.hear(*going, gone)
    await world.hear(world.sign_up(events.PlaceGivenBackV1, gone.subject, who="cia", **thing))
    world.later(minutes=2)
    await world.tell()
    await world.hear(world.event(events.EventCancelledV1, event.subject, start=event.start, by="host"))
    assert await world.mailed() == [
        ("ann", News.EVENT_CANCELLED, NoticeKind.SAFETY),
        ("bo", News.EVENT_CANCELLED, NoticeKind.SAFETY),
        ("olle", News.EVENT_CANCELLED, NoticeKind.SAFETY),
    ]


async def test_a_new_event_goes_to_the_hubs_people_and_its_approval_to_those_who_run_the_hub(
    world: World,
) -> None:
    for name, role in (
        ("ann", Role.MEMBER),
        ("host", Role.HOST),
        ("vera", Role.VISITOR),
        ("olle", Role.MEMBER),
    ):
        await world.member(name, role)
    gone = await world.member("gone")
    await world.hear(world.fact(directory.MemberLeftV1, f"{HUB}/{gone}", person=gone))
    proposed = world.event(events.EventProposedV1)
    await world.hear(proposed)
    world.later(minutes=1)
    assert await world.mailed() == [("host", News.AWAITS_APPROVAL, NoticeKind.ALERT)]
    await world.hear(world.event(thing=proposed.subject, by="host"))
    inbox = [one for one in await world.notices(Channel.INBOX) if one.about == "programme"]
    assert inbox == [], "nobody has asked for new events in the inbox"
    world.later(minutes=1)
    assert await world.mailed() == [
        ("ann", News.NEW_EVENT, NoticeKind.PROGRAMME),
        ("host", News.NEW_EVENT, NoticeKind.PROGRAMME),
        ("olle", News.EVENT_PUBLISHED, NoticeKind.EVENT),
        ("vera", News.NEW_EVENT, NoticeKind.PROGRAMME),
    ]
    for kind in (events.EventHiddenV1, events.EventShownV1):
        await world.hear(world.event(kind, proposed.subject, by="host"))
        world.later(minutes=1)
    assert await world.mailed() == [], (
        "hidden and shown again between two looks, and nobody has lost anything"
    )


async def test_organisers_hear_what_others_do_to_their_event_and_not_what_they_do_themselves(
    world: World,
) -> None:
    async def after(kind: type[Fact], by: str = "host", **said: Any) -> list[tuple[str, News, NoticeKind]]:
        await world.hear(world.event(kind, event.subject, by=by, **said))
        world.later(minutes=1)
        return await world.mailed()

    event = world.event()
    await world.hear(event)
    world.later(minutes=1)
    assert await world.mailed() == []
    kind = NoticeKind.EVENT
    assert await after(events.EventHiddenV1) == [("olle", News.EVENT_HIDDEN, kind)]
    assert await after(events.EventShownV1) == [("olle", News.EVENT_SHOWN, kind)]
    lost: dict[str, Any] = {"changed": (EventPart.PLACE,), "venue_lost": True}
    assert await after(events.EventChangedV1, **lost) == [("olle", News.VENUE_LOST, kind)]
    assert await after(events.EventChangedV1, changed=(EventPart.TEXTS,)) == []
    assert await after(events.EventChangedV1, changed=(EventPart.PLACE,)) == []
    assert await after(events.EventChangedV1, **lost) == [("olle", News.VENUE_LOST, kind)]
    assert await after(events.EventCancelledV1, by="olle") == []


async def test_a_proposal_that_is_sent_back_and_made_again_is_told_each_time(world: World) -> None:
    await world.member("host", Role.HOST)
    event = world.event(events.EventProposedV1)
    told: list[Any] = []
    for kind, by in (
        (events.EventProposedV1, "olle"),
        (events.EventReturnedV1, "host"),
        (events.EventProposedV1, "olle"),
        (events.EventReturnedV1, "host"),
    ):
        fact = event if not told else world.event(kind, event.subject, by=by)
        await world.hear(fact)
        world.later(minutes=1)
        told.append(await world.mailed())
    asked = [("host", News.AWAITS_APPROVAL, NoticeKind.ALERT)]
    back = [("olle", News.EVENT_RETURNED, NoticeKind.EVENT)]
    assert told == [asked, back, asked, back]


async def test_a_cancellation_by_the_hub_is_looked_at_at_once_and_by_oneself_in_a_while(world: World) -> None:
    mine, theirs = world.booked(), world.booked()
    await world.hear(mine, theirs)
    world.later(minutes=2)
    await world.tell()
    await world.hear(
        world.booked(booking.BookingCancelledV1, mine.subject),
        world.booked(booking.BookingCancelledV1, theirs.subject, by="olga"),
    )
    assert await world.mailed() == [("ann", News.CANCELLED, MINE)]
    world.later(seconds=20)
    assert await world.mailed() == [("ann", News.CANCELLED, MINE)]


async def test_what_is_over_when_it_is_heard_of_costs_nothing(world: World) -> None:
    await world.member("ann")
    yesterday = world.now - timedelta(days=1)
    event = world.event(start=yesterday)
    await world.hear(event, world.booked(start=yesterday))
    await world.hear(world.event(events.EventHeldV1, event.subject, start=yesterday))
    assert await world.notices() == []
    assert await world.rows("SELECT * FROM told") == []
    assert [row.status for row in await world.rows("SELECT status FROM event")] == ["held"]


async def test_an_event_that_has_begun_is_no_new_event(world: World) -> None:
    await world.member("ann")
    await world.hear(world.event(start=world.now))
    assert [one.about for one in await world.notices()] == ["organising"]


async def test_a_snapshot_of_an_event_says_what_was_missed(world: World) -> None:
    await world.member("ann")
    proposed = world.event(events.EventProposedV1)
    await world.hear(proposed)
    world.later(minutes=1)
    await world.tell()
    published = world.event(
        events.EventSnapshotV1,
        proposed.subject,
        version=4,
        by=None,
        status=EventStatus.PUBLISHED,
        hidden=False,
    )
    await world.hear(published, world.sign_up(event=proposed.subject, who="bo"))
    world.later(minutes=1)
    assert await world.mailed() == [
        ("ann", News.NEW_EVENT, NoticeKind.PROGRAMME),
        ("bo", News.PLACE_TAKEN, NoticeKind.PLACE),
        ("olle", News.EVENT_PUBLISHED, NoticeKind.EVENT),
    ]
    cancelled = world.event(
        events.EventSnapshotV1,
        proposed.subject,
        version=9,
        by=None,
        status=EventStatus.CANCELLED,
        hidden=False,
    )
    await world.hear(cancelled)
    assert await world.mailed() == [
        ("bo", News.EVENT_CANCELLED, NoticeKind.EVENT),
        ("olle", News.EVENT_CANCELLED, NoticeKind.EVENT),
    ]
