"""What the machine of tests/notify/anything has found, each as the small story it came down to."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.notify.commands import webhooks
from services.notify.tables import Webhook
from shared.contracts.booking import facts as booking
from shared.contracts.directory.words import Role
from shared.contracts.events import facts as events
from shared.contracts.events.words import EventPart
from shared.contracts.notify.webhooks import ChangeWebhook, GetWebhook
from shared.contracts.notify.words import Channel, News
from tests.notify.anything.happenings import add_webhook
from tests.notify.mailing import LEASE, Mailing, make_mailing
from tests.notify.post_office import CUT
from tests.notify.world import HUB, TUESDAY, World


@pytest_asyncio.fixture
async def mailing(world: World) -> AsyncIterator[Mailing]:
    """Nordviken, where directory knows Ann, Olle and Olga."""
    async with make_mailing(world) as made:
        for name in ("ann", "olle", "olga"):
            made.knows(name)
        yield made


async def _news(mailing: Mailing, name: str) -> list[str]:
    """What somebody has been mailed, in order."""
    rows = await mailing.messages(Channel.EMAIL)
    who = mailing.world.person(name)
    return [item["news"] for row in rows if row.person == who for item in row.items]


async def test_a_webhook_that_fails_again_after_it_was_mended_is_told_again(mailing: Mailing) -> None:
    world = mailing.world
    await world.member("olga", Role.OPERATOR)
    hook = world.ids()
    await add_webhook(world, hook)
    for _ in range(2):
        async with world.database.transaction() as session:
            row = await session.get_one(Webhook, hook)
            await webhooks.pause(session, row, because="failing", now=world.now, ids=world.ids)
        await mailing.gathered()
        version = (await world.ask(GetWebhook(hub=HUB, webhook=hook), "olga", Role.OPERATOR)).version
        change = ChangeWebhook(hub=HUB, webhook=hook, active=True, version=version)
        await world.ask(change, "olga", Role.OPERATOR)
        await mailing.gathered()
    assert await _news(mailing, "olga") == [News.WEBHOOK_PAUSED] * 2


async def test_an_approval_that_is_heard_together_with_the_proposal_is_told(mailing: Mailing) -> None:
    world = mailing.world
    proposed = world.event(events.EventProposedV1)
    await world.hear(proposed, world.event(events.EventPublishedV1, proposed.subject, by="olga"))
    await mailing.gathered()
    assert await _news(mailing, "olle") == [News.EVENT_PUBLISHED]


async def test_who_signed_up_for_what_was_heard_of_much_later_is_told_then(mailing: Mailing) -> None:
    world = mailing.world
    published = world.event()
    await world.hear(world.sign_up(event=published.subject))
    for _ in range(12):
        assert await mailing.send(minutes=1) == []
    await world.hear(published)
    await mailing.gathered()
    assert await _news(mailing, "ann") == [News.PLACE_TAKEN]


async def test_who_has_left_is_not_told_of_the_second_change_either(mailing: Mailing) -> None:
    world = mailing.world
    published = world.event()
    await world.hear(published, world.sign_up(event=published.subject))
    await mailing.gathered()
    mailing.knows("ann", left_at=world.now)
    for hours in (1, 2):
        start = TUESDAY + timedelta(hours=hours)
        more: dict[str, Any] = {"changed": (EventPart.TIME,), "start": start}
        await world.hear(world.event(events.EventChangedV1, published.subject, **more))
        await mailing.gathered()
    assert await _news(mailing, "ann") == [News.PLACE_TAKEN]


async def test_who_left_long_ago_and_books_something_new_is_told(mailing: Mailing) -> None:
    mailing.knows("ann", left_at=mailing.world.now)
    await mailing.gathered()
    booked = mailing.world.booked()
    await mailing.world.hear(booked)
    await mailing.gathered()
    await mailing.world.hear(mailing.world.booked(booking.BookingCancelledV1, booked.subject, by="olle"))
    await mailing.gathered()
    assert await _news(mailing, "ann") == [News.BOOKED, News.CANCELLED]


async def test_who_has_left_is_not_reminded_of_what_was_moved_afterwards(mailing: Mailing) -> None:
    world = mailing.world
    booked = world.booked(start=world.now + timedelta(hours=3))  # so soon that there is no reminder of it
    await world.hear(booked)
    await mailing.gathered()
    mailing.knows("ann", left_at=world.now)
    await mailing.gathered()
    moved = world.booked(booking.BookingMovedV1, booked.subject, by="olga", start=TUESDAY + timedelta(days=4))
    await world.hear(moved)
    for _ in range(14):
        await mailing.send(minutes=24 * 60)
    assert await _news(mailing, "ann") == [News.BOOKED]


async def test_that_the_hub_has_hidden_an_event_is_told_also_when_its_words_are_changed_meanwhile(
    mailing: Mailing,
) -> None:
    world = mailing.world
    published = world.event()
    await world.hear(published)
    await mailing.gathered()
    reworded: dict[str, Any] = {"changed": (EventPart.TEXTS,), "by": "olle"}
    await world.hear(world.event(events.EventHiddenV1, published.subject, by="olga"))
    await world.hear(world.event(events.EventChangedV1, published.subject, **reworded))
    await mailing.gathered()
    assert await _news(mailing, "olle") == [News.EVENT_HIDDEN]


async def test_an_approval_is_told_also_to_who_hears_only_meanwhile_that_it_was_given_back(
    mailing: Mailing,
) -> None:
    world = mailing.world
    proposed = world.event(events.EventProposedV1)
    await world.hear(proposed)
    await mailing.gathered()
    await world.hear(world.event(events.EventReturnedV1, proposed.subject, by="olga"))
    mailing.office.always["END", ""] = CUT  # whether it has been taken is not known: it is sent again
    await mailing.gathered()
    mailing.office.always.clear()
    await world.hear(world.event(events.EventProposedV1, proposed.subject))
    await world.hear(world.event(events.EventPublishedV1, proposed.subject, by="olga"))
    await mailing.send(seconds=LEASE.total_seconds())
    await mailing.gathered()
    assert await _news(mailing, "olle") == [News.EVENT_RETURNED, News.EVENT_PUBLISHED]


@pytest.mark.parametrize("looked_at", [True, False])
async def test_who_could_not_be_told_of_an_offer_in_time_hears_that_it_is_over(
    mailing: Mailing, looked_at: bool
) -> None:
    """Whether anybody has looked in between or not: else they would believe to stand in line."""
    world = mailing.world
    published = world.event()
    waits = world.sign_up(events.PlaceAwaitedV1, event=published.subject)
    await world.hear(published, waits)
    await mailing.gathered()
    until = world.now + timedelta(hours=2)
    offered = world.sign_up(
        events.PlaceOfferedV1, waits.subject, event=published.subject, by=None, until=until
    )
    await world.hear(offered)
    world.later(hours=3)  # in which nothing could be sent
    if looked_at:
        await mailing.gathered()
    await world.hear(world.sign_up(events.OfferLapsedV1, waits.subject, event=published.subject, by=None))
    await mailing.gathered()
    assert await _news(mailing, "ann") == [News.WAITING, News.OFFER_OVER]


async def test_who_left_while_a_mail_was_on_its_way_is_not_told_of_later_changes(mailing: Mailing) -> None:
    world = mailing.world
    booked = world.booked()
    await world.hear(booked)
    mailing.office.always["END", ""] = CUT  # whether it has been taken is not known
    await mailing.gathered()
    mailing.office.always.clear()
    mailing.knows("ann", left_at=world.now)
    await mailing.send(seconds=LEASE.total_seconds())
    moved = world.booked(
        booking.BookingMovedV1, booked.subject, by="olga", start=TUESDAY + timedelta(hours=3)
    )
    await world.hear(moved)
    await mailing.gathered()
    assert await _news(mailing, "ann") == [News.BOOKED]
