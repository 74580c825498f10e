"""Meetups and participants of a year; how little stood in the way; what of it everybody may know."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.events.rules.counting import HIDDEN_BELOW, participants, total_for_public
from shared.contracts.booking.words import VenueRefusal
from shared.contracts.directory.words import Role
from shared.contracts.events.requests import (
    ApproveEvent,
    CancelEvent,
    ChangeEventSettings,
    GetEventFigures,
    HideEvent,
)
from shared.contracts.events.sign_ups import RegisterArrival
from shared.contracts.events.views import EventFigures
from tests.events.world import HUB, World


async def figures(
    world: World, by: str | None = "hanna", role: Role | None = Role.HOST, *, year: int = 2027
) -> EventFigures:
    """A hub's year as somebody sees it."""
    return await world.ask(GetEventFigures(hub=HUB, year=year), by, role)


async def meetup(world: World, start: str, people: int, kind: str = "breakfast", **more: Any) -> None:
    """A meetup of an imported programme, with people counted at the door."""
    source = {"calendar": "first year", "uid": f"{kind} {start}"}
    event = await world.event(
        "Meetup", start=start, kind=kind, source=source, by="olga", role=Role.OPERATOR, **more
    )
    if people:
        arrival = RegisterArrival(hub=HUB, event=event.id, walk_ins=people)
        await world.ask(arrival, "olga", Role.OPERATOR)


FIRST_YEAR = {"breakfast": (52, 15), "talk": (14, 38), "training": (12, 11), "information": (12, 14)} | {
    "culture": (8, 37),
    "celebration": (4, 36),
}
"""Meetups of each kind and people at the first of them: the year a small town's hub had."""


async def test_the_first_year_comes_out_without_extra_work(world: World) -> None:
    people = 0
    for kind, (count, first) in FIRST_YEAR.items():
        for number in range(count):
            there = first + number % 4
            people += there
            await meetup(
                world,
                f"2026-{number % 12 + 1:02}-{number % 27 + 1:02}T{8 + len(kind):02}:{number:02}",
                there,
                kind,
            )
    year = await figures(world, year=2026)
    assert (year.meetups, year.participants) == (102, people)
    assert people > 2000
    by_kind: dict[str, list[int]] = {}
    for month in year.months:
        counted = by_kind.setdefault(month.kind, [0, 0])
        counted[0] += month.meetups
        counted[1] += month.participants or 0
    assert {kind: count for kind, (count, _) in by_kind.items()} == {
        kind: n for kind, (n, _) in FIRST_YEAR.items()
    }
    assert sum(total for _, total in by_kind.values()) == people
    assert (await figures(world, None, None, year=2026)).participants == people
    assert (await figures(world, year=2025)).meetups == 0


async def test_a_month_is_the_hubs_month(world: World) -> None:
    await meetup(world, "2026-12-31T23:30", 9)
    await meetup(world, "2027-01-01T00:30", 7, kind="own word")
    assert [(one.month, one.kind, one.participants) for one in (await figures(world, year=2026)).months] == [
        ("2026-12", "breakfast", 9)
    ]
    assert [(one.month, one.kind, one.participants) for one in (await figures(world)).months] == [
        ("2027-01", "other", 7)
    ]


async def test_who_signed_up_counts_when_nobody_counted_at_the_door(world: World) -> None:
    event = await world.event()
    for name in ("ben", "cal", "dan"):
        await world.sign_up(event, name)
    assert (await figures(world)).meetups == 0
    world.now = event.end  # over, although the timer has not come round yet
    assert (await figures(world)).participants == 3
    await world.until(event.end)
    await world.ask(RegisterArrival(hub=HUB, event=event.id, walk_ins=1))
    assert (await figures(world)).participants == 1


async def test_what_was_cancelled_is_no_meetup(world: World) -> None:
    event = await world.event()
    await world.ask(CancelEvent(hub=HUB, event=event.id))
    await world.draft()
    await world.let_time_pass(days=30)
    assert (await figures(world)).meetups == 0


async def test_the_public_is_told_no_small_figure(world: World) -> None:
    await meetup(world, "2026-01-05T10:00", 4)
    await meetup(world, "2026-02-05T10:00", 12)
    for by, role in ((None, None), ("stig", None), ("ben", Role.MEMBER)):
        year = await figures(world, by, role, year=2026)
        assert [(one.meetups, one.participants) for one in year.months] == [(1, None), (1, 12)]
        assert (year.meetups, year.participants) == (2, None)
        assert year.initiatives == ()
        assert (year.initiative is not None) is (role is not None)
    assert (await figures(world, year=2026)).participants == 16


@given(st.lists(st.integers(0, 60), max_size=12))
def test_the_total_gives_no_hidden_figure_away(parts: list[int]) -> None:
    total = total_for_public(parts)
    hidden = [one for one in parts if one < HIDDEN_BELOW]
    if total is None:
        assert hidden or sum(parts) < HIDDEN_BELOW
        return
    left = total - sum(one for one in parts if one >= HIDDEN_BELOW)
    assert left == sum(hidden)
    # Each hidden one could be at least two different numbers, for all the public knows.
    for _ in hidden:
        others = (len(hidden) - 1) * (HIDDEN_BELOW - 1)
        assert min(left, HIDDEN_BELOW - 1) > max(left - others, 0)


@pytest.mark.parametrize(
    ("came", "walk_ins", "attending", "there"),
    [(0, 0, 7, 7), (3, 0, 7, 3), (3, 2, 7, 5), (0, 9, 0, 9), (0, 0, 0, 0)],
)
def test_who_was_counted_comes_before_who_was_expected(
    came: int, walk_ins: int, attending: int, there: int
) -> None:
    assert participants(came, walk_ins, attending) == there


async def test_how_little_the_hub_stands_in_the_way(world: World) -> None:
    await world.event()
    await world.event(by="hanna", role=Role.HOST)
    await world.ask(ChangeEventSettings(hub=HUB, approval=True, version=1), "olga", Role.OPERATOR)
    waiting = await world.event()
    await world.draft()
    await meetup(world, "2026-01-05T10:00", 4)
    await world.let_time_pass(hours=1)
    await world.ask(ApproveEvent(hub=HUB, event=waiting.id), "hanna", Role.HOST)
    await world.ask(HideEvent(hub=HUB, event=waiting.id, reason="No"), "hanna", Role.HOST)
    year = await figures(world)
    told = year.initiative
    assert told is not None
    assert (told.started, told.by_members, told.had_to_wait) == (3, 2, 1)
    assert (told.share_by_members, told.share_had_to_wait) == (0.667, 0.333)
    assert (told.seconds_created_to_usable, told.seconds_asked_to_usable) == (0, 0)
    assert told.refusals == {"hidden": 1}
    [month] = year.initiatives
    assert (month.month, month.started, month.refusals) == ("2027-03", 3, {"hidden": 1})


async def test_a_refused_room_is_counted_and_a_series_is_one_initiative(world: World) -> None:
    event = await world.event(place={"space": "floor"})
    await world.refused(event.id, VenueRefusal.CLOSED)
    await world.event("Breakfast", repeat={"rule": "FREQ=WEEKLY;COUNT=9"})
    told = (await figures(world)).initiative
    assert told is not None
    assert (told.started, told.refusals) == (2, {"closed": 1})


async def test_a_hub_nobody_knows_has_no_figures(world: World) -> None:
    assert (await world.refusal(GetEventFigures(hub="nowhere", year=2027), None)).status == 404
