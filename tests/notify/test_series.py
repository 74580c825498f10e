"""A series in a digest: dates with the same news are one line, and each of them is told all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from shared.contracts.events import facts as events
from shared.contracts.events.words import EventPart
from shared.contracts.notify.words import NoticeKind, Pace
from tests.notify.mailing import Mailing, make_mailing
from tests.notify.world import TUESDAY, World

MONDAY_AFTER = datetime(2027, 3, 8, 6, 30, tzinfo=UTC)
WEEK = timedelta(days=7)


@pytest_asyncio.fixture
async def mailing(world: World) -> AsyncIterator[Mailing]:
    """Nordviken, whose member Ann hears of the programme on Mondays and of changes once a day."""
    async with make_mailing(world) as made:
        made.knows("ann")
        await made.world.member("ann")
        await made.choose("ann", NoticeKind.EVENT, Pace.DAILY)
        await made.choose("ann", NoticeKind.PLACE, Pace.DAILY)
        yield made


def _dates(world: World, number: int, **said: Any) -> list[Any]:
    series: UUID = world.ids()
    return [world.event(start=TUESDAY + WEEK * n, series=series, **said) for n in range(number)]


@pytest.mark.parametrize(
    ("language", "line"),
    [
        ("en", "Dates: 52 dates, next on Tuesday, 9 March"),
        ("sv", "Datum: 52 datum, nästa tisdag"),
        ("da", "Datoer: 52 datoer, næste gang tirsdag"),
    ],
)
async def test_a_year_of_a_series_is_one_line(mailing: Mailing, language: str, line: str) -> None:
    world = mailing.world
    mailing.knows("ann", language=language)
    await world.hear(*_dates(world, 52), world.event(start=TUESDAY + timedelta(days=1)))
    await mailing.gathered()
    world.now = MONDAY_AFTER
    (mail,) = await mailing.send()
    assert line in mail.text
    assert mail.text.replace(".", ":").count("10:00–12:00") == 2, "the series, and what is none of it"
    assert ": 2 " in str(mail.message["Subject"])
    (row,) = await mailing.messages()
    assert len(row.items) == 53, "each date is told"
    assert await mailing.left() == {}
    assert await mailing.send(days=7) == []


async def test_two_series_are_two_lines_and_another_room_is_another_change(mailing: Mailing) -> None:
    world = mailing.world
    await world.hear(*_dates(world, 3), *_dates(world, 4))
    await mailing.gathered()
    world.now = MONDAY_AFTER
    (mail,) = await mailing.send()
    assert "3 dates" in mail.text
    assert "4 dates" in mail.text


async def test_dates_that_are_moved_alike_are_one_line(mailing: Mailing) -> None:
    world = mailing.world
    shows = _dates(world, 4)
    await world.hear(*shows, *(world.sign_up(event=one.subject) for one in shows))
    await mailing.gathered()
    world.later(days=1)
    await mailing.send()
    for number, one in enumerate(shows):
        moved = one.start + timedelta(hours=1 if number < 3 else 2)
        more: dict[str, Any] = {"start": moved, "series": one.series, "changed": (EventPart.TIME,)}
        await world.hear(world.event(events.EventChangedV1, one.subject, **more))
    await mailing.gathered()
    (mail,) = await mailing.send(days=1)
    assert mail.text.count("3 dates, next on Tuesday, 9 March") == 1
    assert mail.text.count("New time") == 1, "the fourth is moved otherwise"
