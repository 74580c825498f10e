"""Reminders: set, moved and cancelled with what they are about, in the hub's time and as long before as one likes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from shared.contracts.booking import facts as booking
from shared.contracts.events import facts as events
from shared.contracts.events.words import EventPart
from shared.contracts.notify.notices import ChangeMyChoices, GetMyChoices
from shared.contracts.notify.words import Channel, News, NoticeKind
from tests.notify.world import HUB, TUESDAY, World

DAY = timedelta(days=1)
SOON = (News.SOON, NoticeKind.REMINDER)


async def reminders(world: World, channel: Channel = Channel.EMAIL) -> list[datetime]:
    """When they come."""
    return [one.due_at for one in await world.notices(channel) if one.about == "reminder"]


async def test_a_booking_is_reminded_of_the_day_before_over_both_channels(world: World) -> None:
    await world.hear(world.booked())
    assert await reminders(world) == await reminders(world, Channel.INBOX) == [TUESDAY - DAY]
    world.now = TUESDAY - DAY
    assert ("ann", *SOON) in await world.mailed()


@pytest.mark.parametrize(
    ("zone", "start", "due"),
    [
        ("Europe/Stockholm", "2027-03-28T10:00+02:00", "2027-03-27T10:00+01:00"),
        ("Europe/Stockholm", "2027-10-31T10:00+01:00", "2027-10-30T10:00+02:00"),
        ("Australia/Lord_Howe", "2027-10-03T10:00+11:00", "2027-10-02T10:00+10:30"),
        ("Asia/Kathmandu", "2027-05-04T10:00+05:45", "2027-05-03T10:00+05:45"),
    ],
)
async def test_a_day_before_is_the_same_time_on_the_hubs_wall(
    world: World, zone: str, start: str, due: str
) -> None:
    await world.hub("far-away", zone)
    begins = datetime.fromisoformat(start).astimezone(UTC)
    assert datetime.fromisoformat(start).utcoffset() == begins.astimezone(ZoneInfo(zone)).utcoffset()
    await world.hear(world.booked(hub="far-away", start=begins))
    assert await reminders(world) == [datetime.fromisoformat(due)]


async def test_it_moves_with_the_booking_and_goes_with_it(world: World) -> None:
    booked = world.booked()
    await world.hear(booked)
    await world.hear(world.booked(booking.BookingMovedV1, booked.subject, start=TUESDAY + DAY))
    assert await reminders(world) == [TUESDAY]
    await world.hear(world.booked(booking.BookingCancelledV1, booked.subject, start=TUESDAY + DAY))
    assert await reminders(world) == []


async def test_what_is_moved_close_is_told_and_not_reminded_of_too(world: World) -> None:
    booked = world.booked()
    await world.hear(booked)
    world.later(minutes=2)
    await world.tell()
    close = world.now + timedelta(hours=3)
    await world.hear(world.booked(booking.BookingMovedV1, booked.subject, start=close))
    assert await reminders(world) == []
    world.later(minutes=2)
    assert await world.mailed() == [("ann", News.MOVED, NoticeKind.BOOKING)]


async def test_a_reminder_that_waits_for_the_morning_stays_while_nothing_has_moved(world: World) -> None:
    event = world.event()
    await world.hear(event, world.sign_up(event=event.subject))
    world.now = TUESDAY - DAY + timedelta(hours=2)  # the mail server is away
    await world.hear(world.event(events.EventChangedV1, event.subject, changed=(EventPart.TEXTS,)))
    assert await reminders(world) == [TUESDAY - DAY]
    assert ("ann", *SOON) in await world.mailed()


async def test_it_comes_once_for_one_time_and_again_for_another(world: World) -> None:
    booked = world.booked()
    await world.hear(booked)
    world.now = TUESDAY - DAY
    assert ("ann", *SOON) in await world.mailed()
    await world.hear(world.booked(booking.BookingMovedV1, booked.subject, start=TUESDAY, space="loft"))
    world.later(minutes=2)
    assert [news for _, news, _ in await world.mailed()] == [News.MOVED]
    await world.hear(world.booked(booking.BookingMovedV1, booked.subject, start=TUESDAY + 2 * DAY))
    world.now = TUESDAY + DAY
    assert ("ann", *SOON) in await world.mailed()


async def test_everybody_who_goes_is_reminded_of_an_event_when_it_is(world: World) -> None:
    event = world.event()
    signed = [world.sign_up(event=event.subject, who=who) for who in ("ann", "bo")]
    await world.hear(event)
    await world.hear(*signed, world.sign_up(events.PlaceAwaitedV1, event=event.subject, who="cia"))
    assert await reminders(world) == [TUESDAY - DAY] * 2
    later: dict[str, Any] = {"start": TUESDAY + DAY}
    await world.hear(world.event(events.EventChangedV1, event.subject, changed=(EventPart.TIME,), **later))
    assert await reminders(world) == [TUESDAY] * 2
    await world.hear(world.sign_up(events.PlaceGivenBackV1, signed[0].subject, event=event.subject))
    assert await reminders(world) == [TUESDAY]
    await world.hear(world.event(events.EventHiddenV1, event.subject, by="host", **later))
    assert await reminders(world) == []
    await world.hear(world.event(events.EventShownV1, event.subject, by="host", **later))
    assert await reminders(world) == [TUESDAY]
    await world.hear(world.event(events.EventCancelledV1, event.subject, **later))
    assert await reminders(world) == []


async def test_a_sign_up_that_is_heard_of_before_its_event_is_reminded_of_when_that_is_heard_of(
    world: World,
) -> None:
    event = world.event()
    await world.hear(world.sign_up(event=event.subject))
    assert await reminders(world) == []
    await world.hear(event)
    assert await reminders(world) == [TUESDAY - DAY]


async def test_it_comes_as_long_before_as_one_likes_also_for_what_is_booked(world: World) -> None:
    event = world.event()
    await world.hear(event, world.booked())
    await world.hear(world.sign_up(event=event.subject), world.booked(who="bo"))
    view = await world.ask(GetMyChoices())
    await world.ask(ChangeMyChoices(version=view.version, remind_minutes=90))
    close = TUESDAY - timedelta(minutes=90)
    assert await reminders(world) == [TUESDAY - DAY, close, close]
    await world.hear(world.booked(start=TUESDAY + DAY))
    assert await reminders(world) == [TUESDAY - DAY, close, close, close + DAY]


async def test_one_that_is_being_sent_is_past_cancelling(world: World) -> None:
    booked = world.booked()
    await world.hear(booked)
    world.now = TUESDAY - DAY
    async with world.database.transaction() as session:
        claimed = {"until": world.now + timedelta(minutes=1), "hub": HUB}
        await session.execute(text("UPDATE notice SET claimed_until = :until WHERE hub = :hub"), claimed)
    await world.hear(world.booked(booking.BookingCancelledV1, booked.subject))
    assert await reminders(world) == [TUESDAY - DAY], "its sender finds it, and that there is nothing to say"
    assert News.SOON not in [news for _, news, _ in await world.mailed()]
