"""How long the oldest has waited that should have been told: what those see who watch over the service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest_asyncio
from prometheus_client import REGISTRY
from sqlalchemy import text

from services.notify.senders.backlog import Backlog
from shared.contracts.notify.words import NoticeKind, Pace
from tests.notify.anything.happenings import add_webhook
from tests.notify.mailing import Mailing, make_mailing
from tests.notify.world import World

_DELIVERY = """
    INSERT INTO delivery (id, webhook, hub, fact, type, body, state, created_at, since, due_at)
    VALUES (:id, :hook, 'nordviken', :id, 'foci.notify.test.v1', '{}', 'waiting', :due, :due, :due)
"""


@pytest_asyncio.fixture
async def mailing(world: World) -> AsyncIterator[Mailing]:
    """Nordviken, where directory knows Ann."""
    async with make_mailing(world) as made:
        made.knows("ann")
        yield made


async def _overdue(world: World, what: str = "notify") -> float | None:
    await Backlog(world.database, clock=world.clock).look()
    return REGISTRY.get_sample_value(f"foci_{what}_overdue_seconds")


async def test_a_notice_is_overdue_from_when_it_is_due_until_it_is_told(mailing: Mailing) -> None:
    world = mailing.world
    assert await _overdue(world) == 0
    await world.hear(world.booked())
    assert await _overdue(world) == 0
    world.later(seconds=320)
    assert await _overdue(world) == 300
    assert len(await mailing.send()) == 1
    assert await _overdue(world) == 0


async def test_so_is_a_digest_and_what_waits_for_it_is_not(mailing: Mailing) -> None:
    world = mailing.world
    await mailing.choose("ann", NoticeKind.BOOKING, Pace.DAILY)
    await world.hear(world.booked())
    await mailing.gathered()
    digest = (await world.rows("SELECT due_at FROM digest"))[0].due_at
    world.now = digest - timedelta(minutes=1)
    assert await _overdue(world) == 0
    world.now = digest + timedelta(minutes=10)
    assert await _overdue(world) == 600


async def test_a_delivery_is_overdue_and_one_that_waits_for_its_next_try_is_not(world: World) -> None:
    hook = world.ids()
    await add_webhook(world, hook)
    for minutes in (-5, 30):
        async with world.database.transaction() as session:
            given = {"id": world.ids(), "hook": hook, "due": world.now + timedelta(minutes=minutes)}
            await session.execute(text(_DELIVERY), given)
    assert await _overdue(world, "webhook") == 300
    async with world.database.transaction() as session:
        await session.execute(text("DELETE FROM delivery WHERE due_at < :now"), {"now": world.now})
    assert await _overdue(world, "webhook") == 0
