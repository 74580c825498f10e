"""Calendars people subscribe to: a hub's programme, one's own events at a secret address, one event."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from icalendar import Calendar

from shared.contracts.booking.facts import SpaceRulesChangedV1
from shared.contracts.directory.words import Role
from shared.contracts.events.calendars import (
    GetEventCalendar,
    GetLinkedData,
    GetPersonalCalendar,
    GetProgrammeCalendar,
    ListFeeds,
    MakeFeed,
    RevokeFeed,
)
from shared.contracts.events.given import GivenPlace
from shared.contracts.events.requests import (
    CancelEvent,
    ChangeEvent,
    HideEvent,
    ShowEvent,
)
from shared.contracts.events.sign_ups import GiveBackPlace
from shared.contracts.events.views import CalendarFile, EventView, NewFeedView
from shared.contracts.events.words import Visibility
from tests.events.world import HUB, World

MEET = "https://meet.example.org/tea"


async def programme(world: World, seen: str | None = None, **more: Any) -> CalendarFile:
    """The hub's programme as anybody fetches it."""
    return await world.ask(GetProgrammeCalendar(hub=HUB, seen=seen, **more), None)


async def mine(world: World, feed: NewFeedView, seen: str | None = None) -> CalendarFile:
    """What whoever knows the address fetches."""
    return await world.ask(GetPersonalCalendar(secret=feed.secret, seen=seen), None)


async def feed_of(world: World, person: str, *, everywhere: bool = False, hub: str = HUB) -> NewFeedView:
    """Somebody makes an address for their own events."""
    return await world.ask(MakeFeed(hub=hub, everywhere=everywhere), person)


def entries(file: CalendarFile) -> dict[str, Any]:
    """Title to entry, as a program reads it."""
    assert file.text is not None
    calendar: Any = Calendar.from_ical(file.text)
    found = {str(one["SUMMARY"]): one for one in calendar.walk("VEVENT")}
    assert len(found) == len(calendar.walk("VEVENT"))
    return found


def states(file: CalendarFile) -> dict[str, str]:
    """Title to STATUS."""
    return {title: str(one["STATUS"]) for title, one in entries(file).items()}


async def cancel(world: World, event: EventView, by: str = "ann") -> None:
    """The organiser calls it off."""
    await world.ask(CancelEvent(hub=HUB, event=event.id, reason="No heating"), by)


async def hide(world: World, event: EventView) -> None:
    """The hub hides it."""
    await world.ask(HideEvent(hub=HUB, event=event.id, reason="Advertising"), "olga", Role.HOST)


async def test_a_programme_has_what_everybody_may_see(world: World) -> None:
    await world.event("Open", tags=("tea",), kind="breakfast", link="https://example.org/tea")
    await world.event("For members", visibility=Visibility.HUB)
    await world.event("For all hubs", visibility=Visibility.FEDERATION)
    await world.draft("Not yet")
    await cancel(world, await world.draft("Never was"))
    hidden = await world.event("Hidden")
    await hide(world, hidden)
    file = await programme(world)
    [entry] = entries(file).values()
    assert str(entry["LOCATION"]) == "Harbour 1"
    assert [str(one) for one in entry["CATEGORIES"].cats] == ["breakfast", "tea"]
    assert str(entry["URL"]) == "https://example.org/tea"
    assert f"{entry['DTSTART'].dt:%Y-%m-%d %H:%M %Z}" == "2027-03-08 18:00 CET"
    assert file.text is not None
    assert "X-WR-CALNAME:Nordviken\r\n" in file.text
    await world.ask(ShowEvent(hub=HUB, event=hidden.id), "olga", Role.HOST)
    assert set(entries(await programme(world))) == {"Open", "Hidden"}


async def test_where_to_join_is_for_those_who_take_part(world: World) -> None:
    place = {"address": "Harbour 1", "online_url": MEET}
    event = await world.event("Hybrid", place=place, capacity=9, capacity_online=9)
    assert MEET not in (await programme(world)).text  # type: ignore[operator]  # it has a text
    assert MEET not in (await single(world, event, None)).text  # type: ignore[operator]  # as above
    await world.sign_up(event, "ben")
    for file in (await single(world, event, "ben"), await mine(world, await feed_of(world, "ben"))):
        [entry] = entries(file).values()
        assert str(entry["CONFERENCE"]) == MEET


async def test_a_room_is_called_by_its_name(world: World) -> None:
    event = await world.draft("In the studio", place={"space": "studio"})
    await world.publish(event)
    await world.agreed(event.id)
    before = await programme(world)
    [entry] = entries(before).values()
    assert str(entry["LOCATION"]) == "Studio, Nordviken"
    opened = world.space_fact("studio", capacity=12).model_dump()
    await world.hear(SpaceRulesChangedV1.model_validate(opened | {"name": "Blue studio"}))
    after = await programme(world, seen=f'"{before.tag}"')
    assert str(entries(after)["In the studio"]["LOCATION"]) == "Blue studio, Nordviken"


async def test_who_has_it_already_is_sent_nothing(world: World) -> None:
    event = await world.event("Tea")
    first = await programme(world)
    assert await programme(world) == first
    for seen in (f'"{first.tag}"', f'W/"{first.tag}", "other"', "*"):
        assert await programme(world, seen) == CalendarFile(tag=first.tag)
    assert (await programme(world, '"other"')).text == first.text
    assert (await programme(world, language="da")).tag != first.tag
    later = {"start": "2027-03-08T19:00", "end": "2027-03-08T20:00"}
    await world.let_time_pass(minutes=5)
    await world.ask(ChangeEvent(hub=HUB, event=event.id, version=event.version, **later))
    second = await programme(world, f'"{first.tag}"')
    before, after = entries(first)["Tea"], entries(second)["Tea"]
    assert f"{after['DTSTART'].dt:%H:%M}" == "19:00"
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after["DTSTAMP"].dt - before["DTSTAMP"].dt == timedelta(minutes=5)
    assert str(after["UID"]) == str(before["UID"])
    await world.let_time_pass(days=1)
    next_day = await programme(world, f'"{second.tag}"')
    assert next_day.text == second.text


async def test_a_cancelled_event_says_so_for_sixty_days(world: World) -> None:
    event = await world.event("Tea", start="2027-09-01T10:00")
    await cancel(world, event)
    file = await programme(world)
    assert states(file) == {"Tea": "CANCELLED"}
    assert str(entries(file)["Tea"]["COMMENT"]) == "No heating"
    await world.let_time_pass(days=59)
    assert states(await programme(world)) == {"Tea": "CANCELLED"}
    await world.let_time_pass(days=3)
    assert states(await programme(world)) == {}


async def test_a_feed_reaches_sixty_days_back_and_four_hundred_ahead(world: World) -> None:
    await world.event("Soon")
    await world.event("In a year", start="2028-03-20T10:00")
    await world.event("Far", start="2028-05-20T10:00")
    assert set(entries(await programme(world))) == {"Soon", "In a year"}
    await world.let_time_pass(days=66)
    assert set(entries(await programme(world))) == {"Soon", "In a year", "Far"}
    await world.let_time_pass(days=3)
    assert set(entries(await programme(world))) == {"In a year", "Far"}


async def test_a_language_is_chosen_and_fallen_back_from(world: World) -> None:
    texts = {"sv": {"title": "Frukost", "text": "Hej"}, "en": {"title": "Breakfast"}}
    await world.event(texts=texts, language="sv")
    assert set(entries(await programme(world, language="en"))) == {"Breakfast"}
    assert set(entries(await programme(world, language="da"))) == {"Frukost"}
    assert set(entries(await programme(world))) == {"Frukost"}


async def test_a_programme_larger_than_a_feed_keeps_what_comes_first(world: World) -> None:
    event = await world.event("Tea")
    names = await world.rows(
        "SELECT string_agg(quote_ident(attname), ', ') AS names FROM pg_attribute WHERE attrelid = 'event'::regclass"
        " AND attnum > 0 AND NOT attisdropped AND attname NOT IN ('id', 'starts_at', 'ends_at')"
    )
    columns = names[0].names
    async with world.database.transaction() as session:
        connection = await session.connection()
        await connection.exec_driver_sql(
            f"INSERT INTO event (id, starts_at, ends_at, {columns}) SELECT uuidv7(), starts_at + n * interval '1 hour',"
            f" ends_at + n * interval '1 hour', {columns} FROM event, generate_series(1, 1100) n WHERE id = '{event.id}'"
        )
    file = await programme(world)
    assert file.text is not None
    assert file.text.count("BEGIN:VEVENT") == 1000
    assert "X-FOCI-LEFT-OUT:101\r\n" in file.text
    assert len(file.model_dump_json()) < 1_000_000
    calendar: Any = Calendar.from_ical(file.text)
    assert min(one["DTSTART"].dt for one in calendar.walk("VEVENT")) == event.start


async def test_there_is_no_programme_where_there_is_no_hub(world: World) -> None:
    assert (await world.refusal(GetProgrammeCalendar(hub="nowhere"), None)).status == 404


async def single(
    world: World, event: EventView, by: str | None, role: Role | None = Role.MEMBER
) -> CalendarFile:
    """The event's own file."""
    return await world.ask(GetEventCalendar(hub=HUB, event=event.id), by, role)


async def test_one_event_has_all_of_its_text_and_is_for_those_who_may_see_it(world: World) -> None:
    text = "long " * 300
    event = await world.draft("Draft", text=text.strip())
    assert states(await single(world, event, "ann")) == {"Draft": "TENTATIVE"}
    ask = GetEventCalendar(hub=HUB, event=event.id)
    for stranger in (None, "ben"):
        assert (await world.refusal(ask, stranger)).status == 404
        assert (await world.refusal(GetLinkedData(hub=HUB, event=event.id), stranger)).status == 404
    await world.publish(event)
    file = await single(world, event, None)
    assert states(file) == {"Draft": "CONFIRMED"}
    assert str(entries(file)["Draft"]["DESCRIPTION"]) == text.strip()
    again = await world.ask(GetEventCalendar(hub=HUB, event=event.id, seen=f'"{file.tag}"'), None)
    assert again == CalendarFile(tag=file.tag)
    assert len(str(entries(await programme(world))["Draft"]["DESCRIPTION"])) <= 400
    await cancel(world, event)
    assert states(await single(world, event, None)) == {"Draft": "CANCELLED"}
    elsewhere = GetEventCalendar(hub="lindeby", event=event.id)
    assert (await world.refusal(elsewhere, None)).status == 404


async def test_linked_data_says_what_people_see(world: World) -> None:
    event = await world.event("Tea", place={"online_url": MEET}, cost="50 kr")
    told = await world.ask(GetLinkedData(hub=HUB, event=event.id), None)
    assert told.document["name"] == "Tea"
    assert told.document["organizer"]["name"] == "Nordviken"
    assert told.document["eventAttendanceMode"].endswith("/OnlineEventAttendanceMode")
    assert MEET not in told.model_dump_json()
    assert (await world.ask(GetLinkedData(hub=HUB, event=event.id), "ann")).tag == told.tag


async def test_ones_own_calendar_has_what_one_takes_part_in_and_runs(world: World) -> None:
    tea = await world.event("Tea", capacity=1, by="ann")
    talk = await world.event("Talk", by="ann")
    await world.event("Not mine", by="ann")
    await world.draft("My draft", by="ben")
    await cancel(world, await world.draft("My dead draft", by="ben"), by="ben")
    feed = await feed_of(world, "ben")
    await world.sign_up(tea, "eve")
    waiting = await world.sign_up(tea, "ben")
    await world.sign_up(talk, "ben")
    first = await mine(world, feed)
    assert states(first) == {"Tea": "TENTATIVE", "Talk": "CONFIRMED", "My draft": "TENTATIVE"}
    assert await mine(world, feed, f'"{first.tag}"') == CalendarFile(tag=first.tag)
    await world.ask(GiveBackPlace(hub=HUB, event=tea.id, sign_up=waiting.id), "ben")
    second = await mine(world, feed, f'"{first.tag}"')
    assert states(second) == {"Talk": "CONFIRMED", "My draft": "TENTATIVE"}
    await cancel(world, talk)
    third = await mine(world, feed, f'"{second.tag}"')
    assert states(third) == {"Talk": "CANCELLED", "My draft": "TENTATIVE"}
    await hide(world, tea)
    assert "Tea" not in states(await mine(world, await feed_of(world, "eve")))
    assert states(await mine(world, await feed_of(world, "ann")))["Tea"] == "CONFIRMED"


async def test_one_address_is_for_a_hub_or_for_everywhere(world: World) -> None:
    await world.hub("lindeby", "Europe/Copenhagen")
    await world.event("Here", by="ann")
    there = world.principal("ann", Role.MEMBER, "lindeby")
    await world.ask(world.wish("There", hub="lindeby", publish=True), there)
    here = await mine(world, await feed_of(world, "ann"))
    everywhere = await mine(world, await feed_of(world, "ann", everywhere=True))
    assert set(entries(here)) == {"Here"}
    assert set(entries(everywhere)) == {"Here", "There"}
    assert str(entries(everywhere)["There"]["DTSTART"].params["TZID"]) == "Europe/Copenhagen"
    assert everywhere.text is not None
    assert everywhere.text.count("BEGIN:VTIMEZONE") == 2
    assert "X-WR-CALNAME:My events\\, Nordviken\r\n" in (here.text or "")


async def test_a_revoked_address_answers_nobody_at_once(world: World) -> None:
    feed, other = await feed_of(world, "ben"), await feed_of(world, "ben", everywhere=True)
    assert states(await mine(world, feed)) == {}
    stranger = await world.refusal(RevokeFeed(feed=feed.id), "eve")
    assert stranger.status == 404
    for _ in range(2):
        assert (await world.ask(RevokeFeed(feed=feed.id), "ben")).id == feed.id
    refused = await world.refusal(GetPersonalCalendar(secret=feed.secret), None)
    never = await world.refusal(GetPersonalCalendar(secret="x" * 43), None)
    assert refused.problem == never.problem
    assert refused.status == 404
    assert states(await mine(world, other)) == {}
    assert [one.id for one in (await world.ask(ListFeeds(), "ben")).items] == [other.id]


async def test_a_secret_is_shown_once_and_kept_nowhere(world: World) -> None:
    feed = await feed_of(world, "ben")
    assert len(feed.secret) == 43
    listed = await world.ask(ListFeeds(), "ben")
    assert feed.secret not in listed.model_dump_json()
    [row] = await world.rows("SELECT * FROM feed")
    assert feed.secret.encode() not in bytes(row.secret_hash)
    assert all(feed.secret not in str(value) for value in row)
    assert await world.rows("SELECT 1 FROM outbox WHERE body::text LIKE :like", like=f"%{feed.secret}%") == []
    assert (await feed_of(world, "ben")).secret != feed.secret


async def test_addresses_come_in_pages_and_are_not_endless(world: World) -> None:
    made = [(await feed_of(world, "ben")).id for _ in range(50)]
    assert (await world.refusal(MakeFeed(hub=HUB), "ben")).status == 409
    found, cursor = [], None
    while True:
        page = await world.ask(ListFeeds(limit=20, cursor=cursor), "ben")
        found += [one.id for one in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == made
    await world.ask(RevokeFeed(feed=made[0]), "ben")
    await feed_of(world, "ben")
    assert (await world.refusal(ListFeeds(cursor="nonsense"), "ben")).status == 422


@pytest.mark.parametrize("who", [None, "ben"])
async def test_an_address_needs_somebody_and_a_hub(world: World, who: str | None) -> None:
    refused = await world.refusal(MakeFeed(hub=HUB if who is None else "nowhere"), who)
    assert refused.status == (401 if who is None else 404)
    if who is None:
        assert (await world.refusal(ListFeeds(), None)).status == 401


async def test_a_place_that_changes_counts_for_calendars_and_a_word_does_not(world: World) -> None:
    event = await world.event("Tea")
    first = entries(await programme(world))["Tea"]["SEQUENCE"]
    worded = await world.ask(ChangeEvent(hub=HUB, event=event.id, version=event.version, text="Bring a cup"))
    assert entries(await programme(world))["Tea"]["SEQUENCE"] == first
    moved = ChangeEvent(hub=HUB, event=event.id, version=worded.version, place=GivenPlace(address="Quay 2"))
    await world.ask(moved)
    assert entries(await programme(world))["Tea"]["SEQUENCE"] > first
