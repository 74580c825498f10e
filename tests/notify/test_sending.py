"""Mail to people: once, of what is true when it goes, to those who are still there, at a time that suits them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest_asyncio

from services.notify.commands.claiming import Claim, claim
from shared.contracts.booking import facts as booking
from shared.contracts.events import facts as events
from shared.contracts.notify.notices import ListMyNotices, QuietHours
from shared.contracts.notify.words import Channel, NoticeKind, Pace
from tests.notify.mailing import Mailing, make_mailing
from tests.notify.world import TUESDAY, World
from tests.waiting import eventually


@pytest_asyncio.fixture
async def mailing(world: World) -> AsyncIterator[Mailing]:
    """Nordviken, whose people are sent mail."""
    async with make_mailing(world) as made:
        made.knows("ann")
        made.knows("bo", language="sv")
        made.knows("olle", language="da")
        yield made


async def test_a_booking_is_told_by_mail_and_in_the_inbox(mailing: Mailing) -> None:
    await mailing.world.hear(mailing.world.booked(who="ann"))
    assert await mailing.send() == []
    (mail,) = await mailing.gathered()
    assert (mail.to, mail.sender) == ("ann@example.org", "no-reply@foci.example")
    assert "Studion" in mail.text
    page = await mailing.world.ask(ListMyNotices())
    assert (page.unread, [one.title for one in page.items]) == (1, [str(mail.message["Subject"])])
    assert await mailing.left() == {}
    assert await mailing.send(hours=12) == []


async def test_edits_in_quick_succession_are_one_mail_of_how_it_is_in_the_end(mailing: Mailing) -> None:
    world, thing = mailing.world, mailing.world.ids()
    await world.hear(world.booked(thing=thing))
    for minutes in (90, 120, 180):
        await mailing.send(seconds=10)
        await world.hear(world.booked(booking.BookingMovedV1, thing, minutes=minutes))
    (mail,) = await mailing.gathered()
    assert "10:00–13:00" in mail.text
    assert await mailing.left() == {}


async def test_what_is_overtaken_before_it_is_told_is_not_told(mailing: Mailing) -> None:
    world, thing = mailing.world, mailing.world.ids()
    await world.hear(world.booked(thing=thing))
    await world.hear(world.booked(booking.BookingCancelledV1, thing))
    assert await mailing.gathered() == []
    assert await mailing.send(days=9) == []
    assert await mailing.left() == {}


async def test_the_same_fact_twice_is_one_mail(mailing: Mailing) -> None:
    fact = mailing.world.booked()
    await mailing.world.hear(fact, fact)
    assert len(await mailing.gathered()) == 1
    await mailing.world.hear(fact)
    assert await mailing.gathered() == []


async def test_what_is_moved_while_its_mail_is_on_its_way_is_told_after_it(mailing: Mailing) -> None:
    world, thing = mailing.world, mailing.world.ids()
    await world.hear(world.booked(thing=thing))
    mailing.office.say("END", "ann@example.org", "cut-after")
    (first,) = await mailing.gathered()
    await world.hear(world.booked(booking.BookingMovedV1, thing, minutes=120))
    assert await mailing.gathered() == [], "nobody knows yet what became of the first"
    again, second = await mailing.send(minutes=1)
    assert again.message_id == first.message_id
    assert second.message_id != first.message_id
    assert await mailing.left() == {}


async def test_mail_waits_for_the_end_of_the_night_and_the_inbox_does_not(mailing: Mailing) -> None:
    world = mailing.world
    world.now = datetime(2027, 3, 1, 21, 30, tzinfo=UTC)  # 22:30 in Stockholm
    await world.hear(world.booked())
    assert await mailing.gathered() == []
    assert (await world.ask(ListMyNotices())).unread == 1
    world.now = datetime(2027, 3, 2, 5, 59, 59, tzinfo=UTC)
    assert await mailing.send() == []
    assert len(await mailing.send(seconds=1)) == 1


async def test_quiet_hours_are_those_of_the_persons_own_zone_and_choice(mailing: Mailing) -> None:
    world = mailing.world
    mailing.knows("ann", time_zone="America/New_York")  # 03:00 there
    await mailing.change("bo", quiet=QuietHours(start=time(8), end=time(10)))
    await mailing.change("olle", quiet=QuietHours(start=time(9), end=time(9)))
    await world.hear(*(world.booked(who=name) for name in ("ann", "bo", "olle")))
    assert [one.to for one in await mailing.gathered()] == ["olle@example.org"]
    world.now = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
    assert [one.to for one in await mailing.send()] == ["bo@example.org"]
    world.now = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)
    assert [one.to for one in await mailing.send()] == ["ann@example.org"]


async def test_what_is_cancelled_by_others_for_today_is_told_in_the_night_and_to_who_wants_nothing(
    mailing: Mailing,
) -> None:
    world, thing = mailing.world, mailing.world.ids()
    await mailing.choose("ann", NoticeKind.BOOKING, Pace.OFF)
    await world.hear(world.booked(thing=thing))
    assert await mailing.gathered() == []
    world.now = TUESDAY - timedelta(hours=9)  # 01:00 in Stockholm
    await world.hear(world.booked(booking.BookingCancelledV1, thing, by="olle"))
    (mail,) = await mailing.gathered()
    assert mail.message["List-Unsubscribe"] is None
    assert await mailing.left() == {}


async def test_who_wants_nothing_of_a_kind_gets_nothing_and_later_only_what_is_new(mailing: Mailing) -> None:
    world, thing = mailing.world, mailing.world.ids()
    await mailing.choose("ann", NoticeKind.BOOKING, Pace.OFF)
    await world.hear(world.booked(thing=thing))
    assert await mailing.gathered() == []
    await mailing.choose("ann", NoticeKind.BOOKING, Pace.NOW)
    assert await mailing.gathered() == []
    await world.hear(world.booked(booking.BookingMovedV1, thing, minutes=120))
    assert len(await mailing.gathered()) == 1


async def test_everybody_reads_their_own_language(mailing: Mailing) -> None:
    world = mailing.world
    await world.hear(*(world.booked(who=name) for name in ("ann", "bo", "olle")))
    mails = {one.to.split("@")[0]: one.message for one in await mailing.gathered()}
    assert {name: mail["Content-Language"] for name, mail in mails.items()} == {
        "ann": "en",
        "bo": "sv",
        "olle": "da",
    }
    assert len({str(mail["Subject"]) for mail in mails.values()}) == 3


async def test_who_is_erased_left_or_has_no_address_gets_nothing(mailing: Mailing) -> None:
    world = mailing.world
    names = ("ann", "bo", "olle", "eva")
    mailing.knows("eva", email=None)
    await world.hear(*(world.booked(who=name) for name in names))
    mailing.forget("ann")
    mailing.knows("bo", left_at=world.now + timedelta(seconds=5))
    assert [one.to for one in await mailing.gathered()] == ["olle@example.org"]
    assert await mailing.left() == {}
    inboxes = {row.person for row in await mailing.messages(Channel.INBOX)}
    assert inboxes == {world.person("olle"), world.person("eva")}
    told = {row.person for row in await world.rows("SELECT person FROM told")}
    assert world.person("ann") not in told, "nothing is kept of who was erased"


async def test_the_end_of_what_one_had_is_not_told_after_leaving_but_something_new_is(
    mailing: Mailing,
) -> None:
    world, thing = mailing.world, mailing.world.ids()
    await world.hear(world.booked(thing=thing))
    assert len(await mailing.gathered()) == 1
    mailing.knows("ann", left_at=world.now + timedelta(minutes=1))
    world.later(minutes=2)
    await world.hear(world.booked(booking.BookingCancelledV1, thing, by="olle"))
    assert await mailing.gathered() == []
    await world.hear(world.booked())
    assert len(await mailing.gathered()) == 1


async def test_while_directory_is_away_nothing_is_decided_and_nothing_lost(mailing: Mailing) -> None:
    world = mailing.world
    await world.hear(world.booked())
    mailing.away = True
    assert await mailing.gathered() == []
    assert (await mailing.left())["notices"] >= 2
    mailing.away = False
    assert len(await mailing.send(seconds=5)) == 1
    assert (await world.ask(ListMyNotices())).unread == 1


async def test_directory_is_asked_once_for_all_that_is_due(mailing: Mailing) -> None:
    world = mailing.world
    names = [f"p{number}" for number in range(60)]
    for name in names:
        mailing.knows(name)
    await world.hear(*(world.booked(who=name) for name in names))
    assert len(await mailing.gathered()) == 60
    assert mailing.asked == 1


async def test_an_event_not_heard_of_yet_is_waited_for(mailing: Mailing) -> None:
    world, event = mailing.world, mailing.world.ids()
    await world.hear(world.sign_up(event=event))
    assert await mailing.gathered() == []
    await world.hear(world.event(thing=event))
    mails = await mailing.send(seconds=30)
    assert ("ann@example.org", True) in [
        (one.to, "Breakfast" in str(one.message["Subject"])) for one in mails
    ]


async def test_an_event_never_heard_of_is_given_up_after_a_while(mailing: Mailing) -> None:
    world = mailing.world
    await world.hear(world.sign_up(event=world.ids()))
    for _ in range(12):
        assert await mailing.send(minutes=1) == []
    assert await mailing.left() == {}


async def test_a_guest_confirms_accepts_and_leaves_by_links_that_are_theirs(mailing: Mailing) -> None:
    world, event, thing = mailing.world, mailing.world.ids(), mailing.world.ids()
    mailing.knows("gustav", guest=True)
    await world.hear(world.event(thing=event))
    said: dict[str, Any] = {"event": event, "who": "gustav", "guest": True}
    links = {}
    for kind in (events.SignUpPendingV1, events.PlaceOfferedV1, events.PlaceTakenV1):
        await world.hear(world.sign_up(kind, thing, **said))
        (mail,) = [one for one in await mailing.gathered() if one.to.startswith("gustav")]
        text = mail.text
        links[kind] = text.count("/v1/links/") - ("List-Unsubscribe" in mail.message)
    assert links == {events.SignUpPendingV1: 1, events.PlaceOfferedV1: 2, events.PlaceTakenV1: 1}
    assert all(row.person != world.person("gustav") for row in await mailing.messages(Channel.INBOX))


async def test_claims_wait_for_each_other(mailing: Mailing) -> None:
    """One that began before another was committed would lock that one's rows, and they would lie until the claim is over."""
    world = mailing.world
    mailing.knows("ann")
    await world.hear(world.booked())
    world.later(minutes=1)

    async def claimed() -> Claim:
        async with world.database.transaction() as session:
            return await claim(session, now=world.now)

    waiting = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    async with world.database.transaction() as session:
        first = await claim(session, now=world.now)
        second = asyncio.create_task(claimed())
        await eventually(lambda: world.rows(waiting), what="the second claim waits")
    assert (len(first.notices), len((await second).notices)) == (2, 0)


async def test_edits_free_what_was_claimed_and_not_judged_yet(mailing: Mailing) -> None:
    world = mailing.world
    mailing.knows("ann")
    booked = world.booked()
    await world.hear(booked)
    world.later(minutes=1)
    async with world.database.transaction() as session:
        assert len((await claim(session, now=world.now)).notices) == 2
    await world.hear(world.booked(booking.BookingMovedV1, booked.subject, minutes=120))
    assert not await world.rows("SELECT 1 FROM notice WHERE claimed_until IS NOT NULL")


async def test_two_who_send_side_by_side_send_each_mail_once(mailing: Mailing) -> None:
    world = mailing.world
    names = [f"p{number}" for number in range(300)]
    for name in names:
        mailing.knows(name)
    await world.hear(*(world.booked(who=name) for name in names))
    world.later(minutes=1)

    async def all_rounds() -> None:
        sender = mailing.sender()
        while await sender.round():
            pass

    await asyncio.gather(all_rounds(), all_rounds(), all_rounds())
    assert sorted(one.to for one in mailing.office.taken) == sorted(f"{name}@example.org" for name in names)
    assert len(await mailing.messages(Channel.INBOX)) == 300
    assert await mailing.left() == {}
