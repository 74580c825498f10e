"""Digests: one mail per person and hub, at their own time, of what is still worth telling then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import pytest_asyncio

from shared.contracts.booking import facts as booking
from shared.contracts.notify.notices import QuietHours
from shared.contracts.notify.words import NoticeKind, Pace
from tests.notify.mailing import Mailing, make_mailing
from tests.notify.post_office import CUT_AFTER
from tests.notify.world import HUB, MONDAY, TUESDAY, World

ANN = "ann@example.org"
NEXT_MORNING = datetime(2027, 3, 2, 6, 30, tzinfo=UTC)
"""07:30 in Stockholm, the day after everything begins."""
MONDAY_AFTER = datetime(2027, 3, 8, 6, 30, tzinfo=UTC)


@pytest_asyncio.fixture
async def mailing(world: World) -> AsyncIterator[Mailing]:
    """Nordviken; Ann hears of bookings once a day, and everybody of the programme once a week."""
    async with make_mailing(world) as made:
        made.knows("ann")
        await made.choose("ann", NoticeKind.BOOKING, Pace.DAILY)
        yield made


async def _booked(mailing: Mailing, *, hub: str = HUB) -> UUID:
    thing = mailing.world.ids()
    await mailing.world.hear(mailing.world.booked(thing=thing, hub=hub))
    return thing


async def test_a_day_of_bookings_is_one_mail_in_the_morning(mailing: Mailing) -> None:
    world = mailing.world
    for _ in range(3):
        await _booked(mailing)
        assert await mailing.gathered() == []
    world.now = NEXT_MORNING - timedelta(seconds=1)
    assert await mailing.send() == []
    (mail,) = await mailing.send(seconds=1)
    assert mail.text.count("10:00–11:00") == 3
    assert str(mail.message["Subject"]) == "News from Nordviken: 3 messages"
    assert mail.message["List-Id"] == "<booking.nordviken.foci.example>"
    assert await mailing.left() == {}
    assert await mailing.send(hours=20) == []


async def test_each_hub_sends_its_own(mailing: Mailing) -> None:
    await mailing.world.hub("soderviken")
    mailing.knows("ann", hub="soderviken")
    await _booked(mailing)
    await _booked(mailing, hub="soderviken")
    await mailing.gathered()
    mailing.world.now = NEXT_MORNING
    assert len(await mailing.send()) == 2


async def test_what_is_over_or_undone_by_then_is_not_in_it(mailing: Mailing) -> None:
    world = mailing.world
    kept, undone = await _booked(mailing), await _booked(mailing)
    await mailing.gathered()
    await world.hear(world.booked(booking.BookingCancelledV1, undone))
    await world.hear(world.booked(booking.BookingMovedV1, kept, minutes=120))
    await mailing.gathered()
    world.now = NEXT_MORNING
    (mail,) = await mailing.send()
    assert mail.text.count("10:00–") == 1
    assert "10:00–12:00" in mail.text
    await world.hear(world.booked(booking.BookingCancelledV1, await _booked(mailing)))
    await mailing.gathered()
    world.now = NEXT_MORNING + timedelta(days=1)
    assert await mailing.send() == [], "a digest with nothing in it is no mail"
    assert await mailing.left() == {}


async def test_what_becomes_urgent_leaves_the_digest_and_goes_at_once(mailing: Mailing) -> None:
    world, thing = mailing.world, mailing.world.ids()
    soon = MONDAY + timedelta(hours=6)
    await world.hear(world.booked(thing=thing, start=soon))
    await _booked(mailing)
    assert await mailing.gathered() == []
    await world.hear(world.booked(booking.BookingCancelledV1, thing, start=soon, by="olle"))
    (urgent,) = await mailing.gathered()
    assert "cancelled" in str(urgent.message["Subject"])
    world.now = NEXT_MORNING
    (mail,) = await mailing.send()
    assert mail.text.count("10:00–11:00") == 1
    assert await mailing.left() == {}


async def test_who_is_erased_or_leaves_while_it_builds_gets_nothing(mailing: Mailing) -> None:
    mailing.knows("bo")
    await mailing.choose("bo", NoticeKind.BOOKING, Pace.DAILY)
    await _booked(mailing)
    await mailing.world.hear(mailing.world.booked(who="bo"))
    assert await mailing.gathered() == []
    mailing.forget("ann")
    mailing.knows("bo", left_at=mailing.world.now)
    mailing.world.now = NEXT_MORNING
    assert await mailing.send() == []
    assert await mailing.left() == {}


async def test_the_programme_comes_on_mondays_in_the_persons_own_morning(mailing: Mailing) -> None:
    world = mailing.world
    mailing.knows("ann", time_zone="Pacific/Auckland")
    await world.member("ann")
    await world.hear(*(world.event(start=TUESDAY + timedelta(days=day)) for day in (2, 3)))
    assert await mailing.gathered() == []
    world.now = datetime(2027, 3, 7, 18, 29, tzinfo=UTC)  # Monday 07:29 in Auckland
    assert await mailing.send() == []
    (mail,) = await mailing.send(minutes=1)
    assert mail.text.count("Breakfast") >= 2
    assert await mailing.left() == {}


async def test_daily_and_weekly_that_come_together_are_one_mail(mailing: Mailing) -> None:
    world = mailing.world
    await world.member("ann")
    await world.hear(world.event(start=TUESDAY + timedelta(days=2)))
    world.now = MONDAY_AFTER - timedelta(hours=10)
    await mailing.send()
    await _booked(mailing)
    await mailing.gathered()
    world.now = MONDAY_AFTER
    (mail,) = await mailing.send()
    assert str(mail.message["Subject"]) == "News from Nordviken: 2 messages"
    assert await mailing.left() == {}


async def test_a_digest_waits_for_the_end_of_quiet_hours(mailing: Mailing) -> None:
    await mailing.change("ann", quiet=QuietHours(start=time(22), end=time(9)))
    await _booked(mailing)
    await mailing.gathered()
    mailing.world.now = NEXT_MORNING
    assert await mailing.send() == []
    assert len(await mailing.send(minutes=90)) == 1
    assert await mailing.left() == {}


async def test_who_chooses_otherwise_meanwhile_is_told_as_they_choose(mailing: Mailing) -> None:
    await _booked(mailing)
    assert await mailing.gathered() == []
    await mailing.choose("ann", NoticeKind.BOOKING, Pace.NOW)
    assert len(await mailing.send()) == 1
    await mailing.choose("ann", NoticeKind.BOOKING, Pace.DAILY)
    await _booked(mailing)
    await mailing.gathered()
    await mailing.choose("ann", NoticeKind.BOOKING, Pace.OFF)
    assert await mailing.send(days=2) == []
    assert await mailing.left() == {}


async def test_a_digest_the_server_does_not_take_comes_later_with_what_is_true_then(mailing: Mailing) -> None:
    world = mailing.world
    kept, undone = await _booked(mailing), await _booked(mailing)
    await mailing.gathered()
    world.now = NEXT_MORNING
    mailing.office.say("RCPT", ANN, "450 4.2.0 later")
    assert await mailing.send() == []
    await world.hear(world.booked(booking.BookingCancelledV1, undone))
    mails = await mailing.send(minutes=1)
    assert [mail.text.count("10:00–11:00") for mail in mails] == [1]
    (row,) = await mailing.messages()
    assert [item["thing"] for item in row.items] == [str(kept)]
    assert await mailing.left() == {}


async def test_a_digest_of_unknown_fate_goes_again_as_the_very_same(mailing: Mailing) -> None:
    world = mailing.world
    await _booked(mailing)
    await _booked(mailing)
    await mailing.gathered()
    world.now = NEXT_MORNING
    mailing.office.say("END", ANN, CUT_AFTER)
    (first,) = await mailing.send()
    await _booked(mailing)
    (again,) = await mailing.send(minutes=5)
    assert (again.message_id, again.raw) == (first.message_id, first.raw)
    world.now = NEXT_MORNING + timedelta(days=1)
    (next_day,) = await mailing.send()
    assert next_day.text.count("10:00–11:00") == 1
    assert await mailing.left() == {}


async def test_a_digest_of_very_much_is_several_mails_and_loses_nothing(mailing: Mailing) -> None:
    world = mailing.world
    await world.hear(*(world.booked() for _ in range(450)))
    await mailing.gathered()
    world.now = NEXT_MORNING
    mails = [*await mailing.send(), *await mailing.send(minutes=1), *await mailing.send(minutes=1)]
    assert [mail.text.count("10:00–11:00") for mail in mails] == [200, 200, 50]
    assert await mailing.left() == {}


async def test_two_who_send_side_by_side_send_each_digest_once(mailing: Mailing) -> None:
    world = mailing.world
    names = [f"p{number}" for number in range(120)]
    for name in names:
        mailing.knows(name)
        await world.member(name)
    await world.hear(
        world.event(start=TUESDAY + timedelta(days=2)), world.event(start=TUESDAY + timedelta(days=3))
    )
    await mailing.gathered()
    world.now = MONDAY_AFTER

    async def all_rounds() -> None:
        sender = mailing.sender()
        while await sender.round():
            pass

    await asyncio.gather(all_rounds(), all_rounds())
    assert sorted(one.to for one in mailing.office.taken) == sorted(f"{name}@example.org" for name in names)
    assert await mailing.left() == {}
