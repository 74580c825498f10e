"""Series by a rule: started, changed one by one, from here on or in part, called off, added to, going on for years."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.directory.words import Role
from shared.contracts.events.facts import EventPublishedV1
from shared.contracts.events.requests import (
    AddDate,
    CancelEvent,
    CancelSeries,
    ChangeEvent,
    ChangeSeries,
    GetSeries,
    ListEvents,
    PublishSeries,
)
from shared.contracts.events.views import EventView, SeriesView
from tests.events.world import HUB, Refused, World

MONDAYS = "FREQ=WEEKLY;BYDAY=MO;UNTIL=20270412"
"""Seven Mondays from 1 March 2027; the clocks change before the fifth."""


async def breakfast(world: World, rule: str = MONDAYS, **more: Any) -> EventView:
    """A member starts a series on Monday 1 March at ten; the first event."""
    repeat = {"rule": rule} | more.pop("repeat", {})
    given: dict[str, Any] = {"start": "2027-03-01T10:00", "publish": True} | more
    return await world.ask(world.wish("Breakfast", repeat=repeat, **given))


async def series(
    world: World, event: EventView, by: str | None = "ann", role: Role | None = Role.MEMBER
) -> SeriesView:
    """The series of an event."""
    assert event.series is not None
    return await world.ask(GetSeries(hub=HUB, series=event.series), by, role)


async def events(world: World, event: EventView, **asked: Any) -> list[EventView]:
    """All events of the series, by time."""
    assert event.series is not None
    return list((await world.ask(ListEvents(hub=HUB, series=event.series, limit=100, **asked))).items)


def shown(found: list[EventView]) -> list[str]:
    """When they begin, on the clocks of the hub."""
    return [f"{one.start:%m-%d %H:%M}" for one in found]


async def order(world: World, event: EventView, **what: Any) -> SeriesView:
    """An order to change the series of an event as it is now."""
    present = await series(world, event)
    request = {"hub": HUB, "series": event.series, "version": present.version} | what
    return await world.ask(ChangeSeries.model_validate(request))


async def test_each_date_is_an_event_of_its_own_at_ten_by_the_hubs_clock(world: World) -> None:
    first = await breakfast(world)
    found = await events(world, first)
    assert shown(found) == [
        f"{day} 10:00" for day in ("03-01", "03-08", "03-15", "03-22", "03-29", "04-05", "04-12")
    ]
    assert [one.end - one.start for one in found] == [timedelta(hours=2)] * 7
    assert {one.status for one in found} == {"published"}
    assert found[0].id == first.id
    view = await series(world, first, None, None)
    assert (view.kind, view.title, view.dates, view.first) == ("rule", "Breakfast", 7, first.id)
    assert (view.rule, view.first_start, view.skipped) == (MONDAYS, "2027-03-01T10:00", ())
    facts = await world.facts(EventPublishedV1)
    assert {fact.series for fact in facts if isinstance(fact, EventPublishedV1)} == {first.series}


async def test_a_draft_series_is_published_at_once(world: World) -> None:
    first = await breakfast(world, publish=False)
    with pytest.raises(Refused) as refused:
        await series(world, first, "ben")
    assert refused.value.status == 404
    assert first.series is not None
    view = await world.ask(PublishSeries(hub=HUB, series=first.series))
    assert (view.dates, view.refused) == (7, ())
    assert {one.status for one in await events(world, first)} == {"published"}
    assert (await series(world, first, "ben")).dates == 7


async def test_a_time_that_does_not_exist_is_left_out_and_one_that_is_excepted_too(world: World) -> None:
    first = await breakfast(
        world,
        "FREQ=WEEKLY;COUNT=4",
        start="2027-03-14T02:30",
        minutes=60,
        repeat={"without": ["2027-03-21T02:30"], "also": ["2027-03-17T19:00"]},
    )
    assert shown(await events(world, first)) == ["03-14 02:30", "03-17 19:00", "04-04 02:30", "04-11 02:30"]
    view = await series(world, first)
    assert [(one.start, one.because) for one in view.skipped] == [
        ("2027-03-21T02:30", "left-out"),
        ("2027-03-28T02:30", "time-does-not-exist"),
    ]


@pytest.mark.parametrize(
    ("rule", "code"),
    [
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "rule-without-dates"),
        ("FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30", "rule-without-dates"),
        ("every monday", "rule-not-understood"),
        ("FREQ=DAILY", "too-many-dates"),
    ],
)
async def test_a_rule_nobody_can_follow_is_refused_at_once(world: World, rule: str, code: str) -> None:
    began = time.perf_counter()
    refused = await world.refusal(world.wish(repeat={"rule": rule}))
    assert (refused.status, refused.code) == (422, code)
    assert time.perf_counter() - began < 1
    assert await world.rows("SELECT 1 FROM event UNION ALL SELECT 1 FROM series") == []


async def test_one_date_can_be_changed_and_then_goes_its_own_way(world: World) -> None:
    first = await breakfast(world)
    third = (await events(world, first))[2]
    await world.ask(ChangeEvent(hub=HUB, event=third.id, version=third.version, start="2027-03-15T11:00"))
    await order(world, first, change={"title": "Big breakfast"})
    found = await events(world, first)
    assert shown(found)[1:4] == ["03-08 10:00", "03-15 11:00", "03-22 10:00"]
    assert [one.title for one in found] == ["Big breakfast"] * 2 + ["Breakfast"] + ["Big breakfast"] * 4
    assert (await series(world, first)).title == "Big breakfast"


async def test_this_and_following_move_on_each_days_own_clock(world: World) -> None:
    first = await breakfast(world)
    third = (await events(world, first))[2]
    view = await order(
        world,
        first,
        from_event=str(third.id),
        change={"start": "2027-03-15T08:30", "end": "2027-03-15T09:30"},
    )
    assert view.refused == ()
    found = await events(world, first)
    assert shown(found) == [
        *(
            "03-01 10:00",
            "03-08 10:00",
            "03-15 08:30",
            "03-22 08:30",
            "03-29 08:30",
            "04-05 08:30",
            "04-12 08:30",
        ),
    ]
    assert found[-1].end - found[-1].start == timedelta(hours=1)
    assert [one.status for one in found] == ["published"] * 2 + ["changed"] * 5


async def test_a_range_is_changed_and_nothing_else(world: World) -> None:
    first = await breakfast(world)
    second = (await events(world, first))[1]
    await order(world, first, from_event=str(second.id), until="2027-03-22", change={"cost": "20 kr"})
    assert [one.cost for one in await events(world, first)] == [None] + ["20 kr"] * 3 + [None] * 3


async def test_a_date_that_cannot_be_changed_does_not_stop_the_others(world: World) -> None:
    first = await breakfast(world, capacity=5)
    fourth = (await events(world, first))[3]
    for name in ("ben", "cal"):
        await world.sign_up(fourth, name)
    view = await order(world, first, change={"capacity": 1, "cost": "Free"})
    [refused] = view.refused
    assert (refused.event, refused.because) == (fourth.id, "capacity-below-sign-ups")
    found = await events(world, first)
    assert [one.places[0].capacity for one in found] == [1, 1, 1, 5, 1, 1, 1]
    assert [one.cost for one in found] == ["Free"] * 3 + [None] + ["Free"] * 3
    assert (
        await world.ask(ChangeEvent(hub=HUB, event=fourth.id, version=found[3].version, cost="Free"))
    ).cost


async def test_what_has_been_is_not_changed(world: World) -> None:
    first = await breakfast(world)
    await world.until(first.end + timedelta(days=8))
    await order(world, first, change={"title": "Late breakfast"})
    assert [one.title for one in await events(world, first)] == ["Breakfast"] * 2 + ["Late breakfast"] * 5


async def test_this_and_following_can_be_called_off(world: World) -> None:
    first = await breakfast(world)
    fifth = (await events(world, first))[4]
    assert first.series is not None
    view = await world.ask(
        CancelSeries(hub=HUB, series=first.series, from_event=fifth.id, reason="The oven is broken")
    )
    assert (view.dates, len(view.skipped)) == (4, 3)
    assert {one.because for one in view.skipped} == {"cancelled"}
    found = await events(world, first)
    assert [one.status for one in found] == ["published"] * 4 + ["cancelled"] * 3
    assert found[-1].cancel_reason == "The oven is broken"


async def test_a_date_that_was_left_out_or_called_off_can_be_added_again(world: World) -> None:
    first = await breakfast(world, repeat={"without": ["2027-03-08T10:00"]})
    assert first.series is not None
    third = (await events(world, first))[1]
    await world.ask(CancelEvent(hub=HUB, event=third.id))
    assert [one.because for one in (await series(world, first)).skipped] == ["left-out", "cancelled"]
    for day in ("2027-03-08", "2027-03-15", "2027-03-17"):
        added = await world.ask(AddDate(hub=HUB, series=first.series, start=f"{day}T10:00"))
        assert (added.status, added.title, added.end - added.start) == (
            "published",
            "Breakfast",
            timedelta(hours=2),
        )
    view = await series(world, first)
    assert (view.dates, view.skipped) == (8, ())
    refused = await world.refusal(AddDate(hub=HUB, series=first.series, start="2027-03-08T10:00"))
    assert (refused.status, refused.code) == (409, "wrong-state")
    assert (
        await world.refusal(AddDate(hub=HUB, series=first.series, start="2027-03-28T02:30"))
    ).status == 422


async def test_another_rule_keeps_makes_and_calls_off_dates(world: World) -> None:
    first = await breakfast(world)
    kept = {one.id for one in await events(world, first)}
    view = await order(world, first, rule="FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;UNTIL=20270331")
    found = [one for one in await events(world, first) if one.status != "cancelled"]
    assert shown(found) == ["03-01 10:00", "03-04 10:00", "03-15 10:00", "03-18 10:00", "03-29 10:00"]
    assert [one.id in kept for one in found] == [True, False, True, False, True]
    assert (view.dates, view.rule) == (5, "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH;UNTIL=20270331")
    refused = await world.refusal(
        ChangeSeries.model_validate(
            {
                "hub": HUB,
                "series": first.series,
                "version": view.version,
                "rule": "FREQ=DAILY",
                "until": "2027-03-31",
            }
        )
    )
    assert refused.status == 422


async def test_a_rule_that_is_changed_back_gives_its_days_again(world: World) -> None:
    first = await breakfast(world, repeat={"without": ["2027-03-22T10:00"]})
    await order(world, first, rule="FREQ=WEEKLY;BYDAY=TU;UNTIL=20270412")
    await order(world, first, rule="FREQ=WEEKLY;BYDAY=MO;UNTIL=20270412")
    found = [one for one in await events(world, first) if one.status != "cancelled"]
    assert [one for one in shown(found) if "03-22" in one] == []
    assert shown(found)[1:] == [f"{day} 10:00" for day in ("03-08", "03-15", "03-29", "04-05", "04-12")]
    assert first.id == found[0].id


async def test_what_is_left_out_or_added_years_ahead_stays_so(world: World) -> None:
    repeat = {"without": ["2028-03-13T10:00"], "also": ["2029-01-01T10:00"]}
    first = await breakfast(world, "FREQ=WEEKLY", repeat=repeat)
    assert first.series is not None
    await world.ask(AddDate(hub=HUB, series=first.series, start="2028-03-20T10:00"))
    await world.let_time_pass(days=62)
    found = await events(world, first, start="2028-03-01T12:00")
    assert shown(found)[:4] == ["03-06 10:00", "03-20 10:00", "03-27 10:00", "04-03 10:00"]
    assert shown(found)[-1] == "01-01 10:00"


async def test_a_series_from_an_old_page_or_by_somebody_else_is_not_changed(world: World) -> None:
    first = await breakfast(world)
    stale = ChangeSeries.model_validate(
        {"hub": HUB, "series": first.series, "version": 9, "change": {"cost": "1"}}
    )
    assert (await world.refusal(stale)).status == 412
    assert (await world.refusal(stale, "ben")).status == 403
    assert (await world.refusal(stale, "hanna", Role.HOST)).status == 412
    await world.hub("sydviken")
    elsewhere = world.principal("ann", Role.ADMIN, "sydviken")
    assert first.series is not None
    assert (await world.refusal(GetSeries(hub="sydviken", series=first.series), elsewhere)).status == 404
    unknown = ChangeEvent.model_validate({"hub": HUB, "event": first.series, "version": 1})
    assert (await world.refusal(unknown)).status == 404


async def test_an_endless_series_goes_on_by_itself(world: World) -> None:
    first = await breakfast(world, "FREQ=WEEKLY")
    assert len(await events(world, first)) == 53
    await order(
        world, first, change={"title": "Morning", "start": "2027-03-01T09:00", "end": "2027-03-01T10:30"}
    )
    await world.let_time_pass(days=62)
    found = await events(world, first, start="2028-03-02T00:00")
    assert shown(found)[0] == "03-06 09:00"
    assert {one.title for one in found} == {"Morning"}
    assert {one.end - one.start for one in found} == {timedelta(minutes=90)}
    assert {one.status for one in found} == {"published"}
    view = await series(world, first)
    assert view.dates == 53 + len(found)
    assert len(found) in {8, 9}


async def test_dates_still_to_be_made_are_made_as_the_others_are_now(world: World) -> None:
    first = await breakfast(
        world, "FREQ=WEEKLY", place={"online_url": "https://meet.example.org/x"}, tags=["Bread"]
    )
    change = {"place": {"address": "Harbour 2"}, "tags": None, "cost": "20 kr", "capacity": 9}
    await order(world, first, change=change)
    await order(world, first, change={"cost": None, "texts": {"da": {"title": "Morgenmad"}}})
    await world.let_time_pass(days=62)
    late = (await events(world, first, start="2028-03-02T00:00"))[0]
    assert (late.place.address, late.place.online, late.tags, late.cost) == ("Harbour 2", False, (), None)
    assert (late.title, late.places[0].capacity) == ("Morgenmad", 9)


async def test_a_series_that_was_called_off_does_not_go_on(world: World) -> None:
    first = await breakfast(world, "FREQ=WEEKLY")
    assert first.series is not None
    await world.ask(CancelSeries(hub=HUB, series=first.series))
    await world.let_time_pass(days=70)
    assert (await series(world, first)).dates == 0


async def test_an_imported_event_repeats_nothing(world: World) -> None:
    wish = world.wish(repeat={"rule": MONDAYS}, source={"calendar": "c", "uid": "u"})
    assert (await world.refusal(wish, "olga", Role.OPERATOR)).status == 422
