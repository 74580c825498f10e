"""Another service's database has gone back in time: whoever was told of what is gone is told that it is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from uuid import UUID

import pytest_asyncio

from services.notify.commands import webhooks
from services.notify.commands.recollecting import recollect
from services.notify.tables import Webhook
from shared.contracts.booking import facts as booking
from shared.contracts.directory.words import Role
from shared.contracts.notify.facts import WebhookPausedV1
from shared.contracts.notify.words import Channel, News
from tests.notify.anything.happenings import add_webhook
from tests.notify.mailing import Mailing, make_mailing
from tests.notify.world import HUB, World


@pytest_asyncio.fixture
async def mailing(world: World) -> AsyncIterator[Mailing]:
    """Nordviken, where directory knows Ann."""
    async with make_mailing(world) as made:
        made.knows("ann")
        yield made


async def _told(mailing: Mailing) -> list[str]:
    return [item["news"] for row in await mailing.messages(Channel.EMAIL) for item in row.items]


async def test_a_booking_that_booking_has_forgotten_is_cancelled_for_the_person_who_was_told(
    mailing: Mailing,
) -> None:
    confirmed = mailing.world.booked()
    await mailing.world.hear(confirmed)
    await mailing.gathered()
    gone = mailing.world.booked(booking.BookingCancelledV1, confirmed.subject)
    await mailing.world.hear(gone.model_copy(update={"by": UUID(int=0)}))
    await mailing.gathered()
    assert await _told(mailing) == [News.BOOKED, News.CANCELLED]


async def test_a_booking_that_went_back_to_an_older_time_is_told_once_more(mailing: Mailing) -> None:
    confirmed = mailing.world.booked()
    await mailing.world.hear(confirmed)
    await mailing.gathered()
    later = {"start": confirmed.start.replace(hour=20), "end": confirmed.end.replace(hour=21)}
    moved = mailing.world.booked(booking.BookingMovedV1, confirmed.subject, **later)
    await mailing.world.hear(moved)
    await mailing.gathered()
    back = mailing.world.booked(booking.BookingSnapshotV1, confirmed.subject, status="confirmed")
    await mailing.world.hear(back)
    await mailing.gathered()
    assert await _told(mailing) == [News.BOOKED, News.MOVED, News.MOVED]


async def test_what_is_said_of_a_webhook_is_counted_on(mailing: Mailing) -> None:
    world, hook = mailing.world, mailing.world.ids()
    await world.member("olga", Role.OPERATOR)
    await add_webhook(world, hook)
    paused = WebhookPausedV1(
        id=world.ids(), hub=HUB, occurred_at=world.now, subject=str(hook), subject_version=5, webhook=hook, because="failing",
    )  # fmt: skip
    async with world.database.transaction() as session:
        await recollect(session, [paused])
        row = await session.get_one(Webhook, hook)
        assert (row.state, row.because) == ("paused", "failing"), "what had ended is not sent to again"
        await webhooks.pause(session, row, because="failing", now=world.now, ids=world.ids)
    (stated,) = await world.facts(WebhookPausedV1)
    assert stated.subject_version == 6
