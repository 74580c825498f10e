"""The inbox: newest first, unread counted, read once, and each one's own."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import orjson
from sqlalchemy import text

from services.notify.queries.states import Key, states
from services.notify.rules.differences import Item
from shared.contracts.notify.notices import GetMyNotice, ListMyNotices, MarkNoticesRead
from shared.contracts.notify.words import About, Channel, News, NoticeKind
from tests.notify.world import HUB, TUESDAY, ZONE, World


async def _put(world: World, who: str = "ann", channel: Channel = Channel.INBOX) -> UUID:
    """Somebody is told of a booking of theirs."""
    booked = world.booked(who=who)
    await world.hear(booked)
    key = Key(world.person(who), About.BOOKING, UUID(booked.subject))
    async with world.database.transaction() as session:
        now = (await states(session, [key]))[key].now
        assert now is not None
        item = Item(
            About.BOOKING, key.thing, HUB, "Nordviken", ZONE, News.BOOKED, NoticeKind.BOOKING, now, None, 0
        )
        values = {
            "id": world.ids(),
            "person": key.person,
            "channel": channel,
            "items": orjson.dumps([item.to_json()]).decode(),
            "now": world.later(minutes=1),
        }
        await session.execute(text(_MESSAGE), values)
    return values["id"]  # type: ignore[return-value]


_MESSAGE = """
    INSERT INTO message (id, person, hub, channel, kinds, items, created_at, sent_at)
    VALUES (:id, :person, 'nordviken', :channel, '{booking}', CAST(:items AS jsonb), :now, :now)
"""


async def test_an_empty_inbox(world: World) -> None:
    page = await world.ask(ListMyNotices())
    assert (page.items, page.unread, page.cursor) == ((), 0, None)


async def test_newest_first_in_pages_with_the_number_of_all_that_are_unread(world: World) -> None:
    mine = [await _put(world) for _ in range(5)]
    await _put(world, "bo")
    await _put(world, channel=Channel.EMAIL)
    seen, cursor, pages = [], None, 0
    while pages < 5:
        page = await world.ask(ListMyNotices(limit=2, cursor=cursor))
        seen += [one.id for one in page.items]
        assert page.unread == 5
        pages, cursor = pages + 1, page.cursor
        if cursor is None:
            break
    assert (seen, pages) == (mine[::-1], 3)
    assert (await world.refusal(ListMyNotices(cursor="nonsense"))).code == "invalid"


async def test_a_notice_says_what_when_and_where_in_the_language_asked_for(world: World) -> None:
    notice = await _put(world)
    swedish = await world.ask(GetMyNotice(notice=notice, language="sv"))
    english = await world.ask(GetMyNotice(notice=notice, language="en-GB"))
    [item] = swedish.items
    assert (item.kind, item.news, item.hub) == (NoticeKind.BOOKING, News.BOOKED, HUB)
    assert (item.start, item.end, item.event) == (TUESDAY, TUESDAY + timedelta(hours=1), None)
    assert swedish.title == item.title
    assert swedish.title != english.title
    assert "Studion" in item.title + item.text
    assert "10:00" in item.text, "in the hub's time"


async def test_somebody_elses_notice_is_as_if_there_were_none(world: World) -> None:
    theirs, mailed = await _put(world, "bo"), await _put(world, channel=Channel.EMAIL)
    for notice in (theirs, mailed, world.ids()):
        refused = await world.refusal(GetMyNotice(notice=notice))
        assert (refused.status, refused.code) == (404, "no-such-notice")
    marked = await world.ask(MarkNoticesRead(notices=(theirs, mailed)))
    assert marked.unread == 0
    assert (await world.ask(ListMyNotices(), "bo")).unread == 1, "it is still unread"
    nobody = await world.refusal(ListMyNotices(), None)
    assert nobody.status == 401


async def test_what_is_read_stays_read_since_the_first_time(world: World) -> None:
    first, second, third = [await _put(world) for _ in range(3)]
    assert (await world.ask(MarkNoticesRead(notices=(second,)))).unread == 2
    at = (await world.ask(GetMyNotice(notice=second))).read_at
    assert at == world.now
    world.later(hours=1)
    assert (await world.ask(MarkNoticesRead(notices=(second,)))).unread == 2
    assert (await world.ask(GetMyNotice(notice=second))).read_at == at
    unread = await world.ask(ListMyNotices(unread=True))
    assert [one.id for one in unread.items] == [third, first]
    assert (await world.ask(MarkNoticesRead(until=second))).unread == 1
    assert (await world.ask(GetMyNotice(notice=first))).read_at == world.now
    assert (await world.ask(MarkNoticesRead(until=third))).unread == 0
    assert (await world.ask(MarkNoticesRead())).unread == 0
