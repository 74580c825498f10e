"""Themes: a week with several events a day, which others may join."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from shared.contracts.directory.words import Role
from shared.contracts.events.requests import (
    AddDate,
    CancelSeries,
    ChangeSeries,
    GetSeries,
    ListEvents,
    PublishSeries,
    StartTheme,
)
from shared.contracts.events.views import SeriesView
from tests.events.world import HUB, World


def programme() -> list[dict[str, Any]]:
    """Five days with three events each."""
    return [
        {
            "title": f"{what} {day}",
            "start": f"2027-03-{day:02}T{hour}:00",
            "end": f"2027-03-{day:02}T{hour + 1}:30",
            "place": {"address": "Harbour 1"},
        }
        for day in range(8, 13)
        for hour, what in ((10, "Talk"), (13, "Tour"), (18, "Film"))
    ]


async def week(world: World, **more: Any) -> SeriesView:
    """A member starts a theme week."""
    given = {"hub": HUB, "title": "Water week", "events": programme()} | more
    return await world.ask(StartTheme.model_validate(given))


async def test_a_theme_week_has_several_events_a_day(world: World) -> None:
    theme = await week(world, publish=True)
    assert (theme.kind, theme.title, theme.dates, theme.rule) == ("theme", "Water week", 15, None)
    page = await world.ask(ListEvents(hub=HUB, series=theme.id), None)
    assert [one.title for one in page.items][:4] == ["Talk 8", "Tour 8", "Film 8", "Talk 9"]
    assert theme.first == page.items[0].id


async def test_a_draft_theme_is_published_at_once(world: World) -> None:
    theme = await week(world)
    assert (await world.ask(ListEvents(hub=HUB, series=theme.id), None)).items == ()
    assert (await world.refusal(GetSeries(hub=HUB, series=theme.id), "ben")).status == 404
    await world.ask(PublishSeries(hub=HUB, series=theme.id))
    assert (await world.ask(GetSeries(hub=HUB, series=theme.id), "ben")).dates == 15


async def test_one_impossible_event_starts_no_theme(world: World) -> None:
    events = programme()
    events[7]["end"] = events[7]["start"]
    refused = await world.refusal(StartTheme.model_validate({"hub": HUB, "title": "Week", "events": events}))
    assert refused.status == 422
    assert await world.rows("SELECT 1 FROM series UNION ALL SELECT 1 FROM event") == []


async def test_a_themes_title_is_its_own(world: World) -> None:
    theme = await week(world, publish=True)
    change = {"title": "Week of water", "tags": ["Water"]}
    request = {"hub": HUB, "series": theme.id, "version": theme.version, "change": change}
    changed = await world.ask(ChangeSeries.model_validate(request))
    assert changed.title == "Week of water"
    page = await world.ask(ListEvents(hub=HUB, series=theme.id), None)
    assert page.items[0].title == "Talk 8"
    assert {one.tags for one in page.items} == {("Water",)}


async def test_an_event_joins_a_theme_of_those_who_run_it(world: World) -> None:
    theme = await week(world, publish=True)
    joined = await world.event("Swim", theme=str(theme.id))
    assert joined.series == theme.id
    assert (await world.ask(GetSeries(hub=HUB, series=theme.id), None)).dates == 16
    assert (await world.refusal(world.wish("Swim", theme=str(theme.id)), "ben")).status == 403
    assert (await world.refusal(world.wish("Swim", theme=str(uuid4())))).status == 404
    assert (await world.event("Boat", theme=str(theme.id), by="hanna", role=Role.HOST)).series == theme.id


async def test_a_theme_has_no_dates_to_add_and_a_series_no_event_to_join(world: World) -> None:
    theme = await week(world)
    refused = await world.refusal(AddDate(hub=HUB, series=theme.id, start="2027-03-09T10:00"))
    assert (refused.status, refused.code) == (409, "wrong-state")
    first = await world.event(repeat={"rule": "FREQ=WEEKLY;COUNT=2"})
    refused = await world.refusal(world.wish(theme=str(first.series)))
    assert (refused.status, refused.problem["field"]) == (422, "theme")


async def test_a_day_of_a_theme_can_be_called_off(world: World) -> None:
    theme = await week(world, publish=True)
    view = await world.ask(
        CancelSeries.model_validate({"hub": HUB, "series": theme.id, "until": "2027-03-08"})
    )
    assert (view.dates, view.skipped) == (12, ())
    page = await world.ask(ListEvents(hub=HUB, series=theme.id), None)
    assert [one.status for one in page.items][:4] == ["cancelled"] * 3 + ["published"]
    assert view.first == page.items[3].id


async def test_an_empty_theme_is_run_by_who_started_it(world: World) -> None:
    theme = await week(world, events=[])
    assert (theme.dates, theme.first) == (0, None)
    assert (await world.event("First of it", theme=str(theme.id))).series == theme.id
