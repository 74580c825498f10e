"""When a space can be booked: opening hours, closed days, how long, how far ahead, not in the past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.contracts.booking.requests import ChangeSpace
from shared.contracts.booking.space_rules import GivenRules
from shared.contracts.directory.words import Role
from tests.booking.world import HUB, OPEN_ALWAYS, World


def rules(**given: object) -> GivenRules:
    return GivenRules.model_validate({"days_ahead": 400, "longest_minutes": 44640, **given})


WEEK = {
    "mon": [{"opens": "08:00", "closes": "12:00"}, {"opens": "13:00", "closes": "18:00"}],
    "fri": [{"opens": "18:00", "closes": "24:00"}],
    "sat": [{"opens": "00:00", "closes": "02:00"}, {"opens": "10:00", "closes": "14:00"}],
}


@pytest.mark.parametrize(
    ("start", "end", "open_then"),
    [
        ("2027-03-01T10:00", "2027-03-01T12:00", True),
        ("2027-03-01T11:00", "2027-03-01T13:30", False),  # over lunch
        ("2027-03-01T13:00", "2027-03-01T18:00", True),
        ("2027-03-01T17:30", "2027-03-01T18:01", False),
        ("2027-03-02T10:00", "2027-03-02T11:00", False),  # Tuesday
        ("2027-03-05T22:00", "2027-03-06T02:00", True),  # across midnight
        ("2027-03-06T01:30", "2027-03-06T02:30", False),
        ("2027-03-06T10:00", "2027-03-06T14:00", True),
    ],
)
async def test_opening_hours_per_weekday(world: World, start: str, end: str, open_then: bool) -> None:
    await world.space("room", rules=rules(opening_hours=WEEK))
    if open_then:
        await world.book("room", start, end)
    else:
        refused = await world.refusal(world.wish("room", start, end))
        assert (refused.status, refused.code) == (409, "closed")
        assert refused.problem["open"]


async def test_closed_days(world: World) -> None:
    await world.space("room", rules=rules(closed_days=["2027-03-02"]))
    assert (await world.refusal(world.wish("room", "2027-03-02T10:00"))).code == "closed"
    assert (await world.refusal(world.wish("room", "2027-03-01T23:30"))).code == "closed"
    await world.book("room", "2027-03-01T23:00")
    await world.book("room", "2027-03-03T00:00")


async def test_shortest_and_longest(world: World) -> None:
    await world.space("room", rules=GivenRules(shortest_minutes=30, longest_minutes=120))
    assert (await world.refusal(world.wish("room", minutes=29))).code == "too-short"
    assert (await world.refusal(world.wish("room", minutes=121))).code == "too-long"
    await world.book("room", minutes=30)
    await world.book("room", "2027-03-01T12:00", minutes=120)


async def test_days_ahead_end_at_the_hubs_midnight(world: World) -> None:
    await world.space("room", rules=GivenRules(days_ahead=7))
    world.now = datetime(2027, 3, 1, 22, 59, tzinfo=UTC)  # 23:59 in Stockholm
    await world.book("room", "2027-03-08T22:00")
    assert (await world.refusal(world.wish("room", "2027-03-09T00:00"))).code == "too-far-ahead"
    world.now += timedelta(minutes=1)
    await world.book("room", "2027-03-09T00:00")


async def test_a_time_that_has_begun_can_be_booked_for_a_quarter_of_an_hour(world: World) -> None:
    await world.space("room")
    assert (await world.refusal(world.wish("room", "2027-03-01T08:44"))).code == "in-the-past"
    assert (await world.refusal(world.wish("room", "2027-03-01T08:45", minutes=15))).code == "in-the-past"
    await world.book("room", "2027-03-01T08:45")


async def test_the_rules_of_the_day_are_frozen_into_the_booking(world: World) -> None:
    space = await world.space("room", rules=rules(longest_minutes=60))
    first = await world.book("room")
    changed = await world.ask(
        ChangeSpace(hub=HUB, space="room", version=space.version, rules=rules(longest_minutes=30)),
        "olga",
        Role.OPERATOR,
    )
    assert (await world.refusal(world.wish("room", "2027-03-01T12:00"))).code == "too-long"
    second = await world.book("room", "2027-03-01T12:00", "2027-03-01T12:30")
    assert (first.rules_version, second.rules_version) == (space.version, changed.version)
    terms = await world.rows(
        "SELECT version, rules ->> 'longest_minutes' AS longest FROM space_terms ORDER BY version"
    )
    assert [(row.version, row.longest) for row in terms] == [(1, "60"), (2, "30")]


async def test_a_remembered_space_that_has_changed_is_noticed(world: World) -> None:
    space = await world.space("room", rules=rules(opening_hours=WEEK))
    await world.book("room")  # remembered from now on
    wider = ChangeSpace(hub=HUB, space="room", version=space.version, rules=OPEN_ALWAYS)
    space = await world.ask(wider, "olga", Role.OPERATOR)
    # A refusal by what is remembered would stay for ever: nothing but a success used to look again.
    assert (await world.book("room", "2027-03-02T10:00")).rules_version == space.version
    narrower = ChangeSpace(hub=HUB, space="room", version=space.version, rules=rules(opening_hours=WEEK))
    space = await world.ask(narrower, "olga", Role.OPERATOR)
    assert (await world.refusal(world.wish("room", "2027-03-02T12:00"))).code == "closed"
    shut = ChangeSpace(hub=HUB, space="room", version=space.version, active=False)
    space = await world.ask(shut, "olga", Role.OPERATOR)
    assert (await world.refusal(world.wish("room", "2027-03-01T14:00"))).status == 404
    again = ChangeSpace(hub=HUB, space="room", version=space.version, active=True)
    await world.ask(again, "olga", Role.OPERATOR)
    await world.book("room", "2027-03-01T14:00")


async def test_wall_time_is_the_hubs_and_an_offset_is_what_it_says(world: World) -> None:
    await world.space("room")
    wall = await world.book("room", "2027-07-01T10:00")
    assert wall.start == datetime(2027, 7, 1, 8, tzinfo=UTC)
    offset = await world.book("room", "2027-07-02T10:00:00-04:00")
    assert offset.start.isoformat() == "2027-07-02T16:00:00+02:00"
    mixed = await world.book("room", "2027-07-03T10:00", "2027-07-03T09:00:00Z")
    assert mixed.end - mixed.start == timedelta(hours=1)
    assert (await world.refusal(world.wish("room", "2027-07-04T10:00", "2027-07-04T08:00:00Z"))).problem[
        "field"
    ] == "end"


@pytest.mark.parametrize(
    ("start", "code", "choices"),
    [
        (
            "2027-03-28T02:30",
            "time-does-not-exist",
            ["2027-03-28T01:30:00+01:00", "2027-03-28T03:30:00+02:00"],
        ),
        ("2027-10-31T02:30", "time-exists-twice", ["2027-10-31T02:30:00+02:00", "2027-10-31T02:30:00+01:00"]),
    ],
)
async def test_a_time_the_clocks_skip_or_repeat_is_refused_with_choices(
    world: World, start: str, code: str, choices: list[str]
) -> None:
    await world.space("room")
    refused = await world.refusal(world.wish("room", start, minutes=240))
    assert (refused.status, refused.code, refused.problem["choices"]) == (422, code, choices)
    for number, choice in enumerate(choices):
        await world.book("room", choice, minutes=30 + number)


async def test_a_new_zone_counts_from_now_on(world: World) -> None:
    await world.space("room", rules=rules(opening_hours=WEEK))
    before = await world.book("room", "2027-03-01T17:00")
    await world.hear(world.hub_fact(zone="Asia/Kathmandu"))
    after = await world.book("room", "2027-03-08T17:00")
    assert (before.time_zone, after.time_zone) == ("Europe/Stockholm", "Asia/Kathmandu")
    assert after.start.isoformat() == "2027-03-08T17:00:00+05:45"
    assert after.rules_version == before.rules_version + 1
    terms = await world.rows("SELECT version, time_zone FROM space_terms ORDER BY version")
    assert [row.time_zone for row in terms] == ["Europe/Stockholm", "Asia/Kathmandu"]


@pytest.mark.parametrize(
    "nonsense",
    [
        "2027-03-01",
        "2027-W09-1-x",
        "tomorrow at ten",
        "0001-01-01T00:00",
        "9999-12-31T23:59:59+14:00",
        "9999-12-31T23:59:59-14:00",
        "2027-03-01T10:00+25:00",
        "2027-02-30T10:00",
        "2027-03-01T10:00:00\x00",
        "٢٠٢٧-٠٣-٠١T10:00",
    ],
)
async def test_what_is_no_time_is_refused(world: World, nonsense: str) -> None:
    await world.space("room")
    refused = await world.refusal(world.wish("room", nonsense, "2027-03-01T11:00"))
    assert (refused.status, refused.problem["field"]) == (422, "start")


@pytest.mark.parametrize(
    "nonsense",
    [
        {"opening_hours": {"mon": [{"opens": "22:00", "closes": "02:00"}]}},
        {"opening_hours": {"mon": [{"opens": "08:00", "closes": "08:00"}]}},
        {"shortest_minutes": 60, "longest_minutes": 30},
    ],
)
async def test_rules_nobody_could_book_by_are_refused(world: World, nonsense: dict[str, object]) -> None:
    space = await world.space("room")
    change = ChangeSpace(hub=HUB, space="room", version=space.version, rules=rules(**nonsense))
    refused = await world.refusal(change, "olga", Role.OPERATOR)
    assert refused.status == 422
    assert refused.problem["field"].startswith("rules.")
