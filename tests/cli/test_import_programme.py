"""`foci import programme` keeps events in step with a file: once, again, changed, interrupted, refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.cli import import_programme
from services.cli.calendar.entry import VANISHED
from services.cli.gateway import Gateway
from services.cli.import_calendar import import_app
from tests.cli.calendars import BERLIN, REAL_FILE, calendar, event
from tests.cli.paper_programme import PaperProgramme
from tests.cli.test_reading import first_saturdays


@dataclass
class Desk:
    """An operator with a file at the command line."""

    hub: PaperProgramme
    file: Path

    def write(self, *parts: list[str]) -> None:
        self.file.write_bytes(calendar(*parts))

    def run(self, *options: str, expect: int = 0, token: str = "operator") -> dict[str, Any]:
        """Import; the report as JSON, and what was said."""
        report = self.file.with_suffix(".json")
        report.unlink(missing_ok=True)
        asked = [str(self.file), "--hub", "h", "--report", str(report), *options]
        where = ["--url", self.hub.url, "--token", token]
        result = CliRunner().invoke(import_app, ["programme", *asked, *where])
        assert result.exit_code == expect, result.output
        said: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {}
        return {**said, "said": " ".join(result.output.split())}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_here: None) -> Iterator[Desk]:
    monkeypatch.setattr(import_programme, "Gateway", partial(Gateway, wait=lambda _: None))  # no test sleeps
    with PaperProgramme().open() as hub:
        assert isinstance(hub, PaperProgramme)
        yield Desk(hub, tmp_path / "programme.ics")


def talk(uid: str, hour: int, *lines: str, day: int = 1, title: str = "") -> list[str]:
    """An hour in March 2027, UTC."""
    times = (f"DTSTART:202703{day:02}T{hour:02}0000Z", f"DTEND:202703{day:02}T{hour + 1:02}0000Z")
    return event(*times, *lines, uid=uid, title=title or uid.title())


def counts(report: dict[str, Any]) -> dict[str, int]:
    """What is not nought."""
    return {name: count for name, count in report["counts"].items() if count}


def hours(desk: Desk) -> dict[str, int]:
    """Title to hour, UTC."""
    return {
        one["title"]: datetime.fromisoformat(one["start"]).astimezone(UTC).hour
        for one in desk.hub.open_events()
    }


@pytest.mark.usefixtures("read_apart")
def test_the_real_programme_comes_in_whole_and_a_second_run_changes_nothing(desk: Desk) -> None:
    desk.file = desk.file.with_name("fablab_cottbus.ics")
    desk.file.write_bytes(REAL_FILE.read_bytes())
    today = datetime.now(UTC).astimezone(BERLIN).date()
    horizon = date(today.year + 2, today.month, min(today.day, 28))
    saturdays = first_saturdays((2018, 1), before=horizon)
    first = desk.run()
    assert counts(first) == {"started": 27 + len(saturdays)}
    by_title = {one["title"]: one for one in desk.hub.events.values()}
    workshop = by_title["Websites selbst programmieren"]
    assert (workshop["status"], workshop["visibility"]) == ("held", "public")
    assert "\n" in workshop["text"]
    assert workshop["place"]["address"] == "FabLabCB @ Walther-Pauer-Straße 5, 03044 Cottbus"
    assert workshop["link"].startswith("http")
    before = json.dumps(desk.hub.events)
    assert counts(desk.run()) == {"unchanged": 27 + len(saturdays)}
    assert json.dumps(desk.hub.events) == before
    assert {one["source"]["calendar"] for one in desk.hub.events.values()} == {"fablab_cottbus"}


def test_a_changed_file_changes_only_what_changed(desk: Desk) -> None:
    said = ("DESCRIPTION:Bring a cup\\, please", "LOCATION:Quay 1", "CATEGORIES:tea,open,tea")
    desk.write(talk("a", 8), talk("b", 10), talk("c", 12), talk("d", 14, *said))
    assert counts(desk.run()) == {"started": 4}
    made = desk.hub.open_events()[-1]
    assert (made["text"], made["place"]["address"], made["tags"]) == (
        "Bring a cup, please",
        "Quay 1",
        ["tea", "open"],
    )
    desk.hub.log.clear()
    moved = ("DESCRIPTION:Bring two cups", "LOCATION:Quay 2", "CATEGORIES:tea", "URL:https://tea.example/d")
    desk.write(talk("a", 8), talk("b", 11), talk("d", 14, *moved, title="Dinner"), talk("e", 12))
    report = desk.run()
    assert counts(report) == {"started": 1, "changed": 2, "cancelled": 1, "unchanged": 1}
    assert hours(desk) == {"A": 8, "B": 11, "E": 12, "Dinner": 14}
    assert {one["title"]: one["parts"] for one in report["changed"]} == {
        "B": ["end", "start"],
        "Dinner": ["link", "place", "tags", "text", "title"],
    }
    assert [line.split()[0] for line in desk.hub.log] == ["POST", "PATCH", "PATCH", "POST"]
    gone = next(one for one in desk.hub.events.values() if one["title"] == "C")
    assert (gone["status"], gone["cancel_reason"]) == ("cancelled", VANISHED)
    desk.write(talk("a", 8), talk("b", 11), talk("d", 14, title="Dinner"), talk("e", 12))
    assert counts(desk.run()) == {"changed": 1, "unchanged": 3}
    dinner = next(one for one in desk.hub.open_events() if one["title"] == "Dinner")
    assert (dinner["text"], dinner["place"]["address"], dinner["link"], dinner["tags"]) == (
        "",
        None,
        None,
        [],
    )
    assert counts(desk.run()) == {"unchanged": 4}


def test_a_series_comes_in_date_by_date_with_its_exceptions(desk: Desk) -> None:
    weekly = event(
        "DTSTART;TZID=Europe/Berlin:20270315T100000",
        "DTEND;TZID=Europe/Berlin:20270315T110000",
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "EXDATE;TZID=Europe/Berlin:20270322T100000",
        "RDATE;TZID=Europe/Berlin:20270401T100000",
        uid="weekly",
    )
    override = event(
        "RECURRENCE-ID;TZID=Europe/Berlin:20270405T100000",
        "DTSTART:20270406T080000Z",
        "DURATION:PT2H",
        uid="weekly",
        title="On Tuesday",
    )
    day = event("DTSTART;VALUE=DATE:20270501", "TRANSP:TRANSPARENT", uid="day", title="Closed")
    desk.write(weekly, override, day)
    assert counts(desk.run()) == {"started": 5}
    starts = [datetime.fromisoformat(one["start"]).astimezone(BERLIN) for one in desk.hub.open_events()]
    assert [f"{start:%m-%d %H:%M}" for start in starts] == [
        "03-15 10:00",
        "03-29 10:00",
        "04-01 10:00",
        "04-06 10:00",
        "05-01 00:00",
    ]
    assert counts(desk.run()) == {"unchanged": 5}


def test_what_was_cancelled_by_hand_stays_so_and_what_vanished_comes_back(desk: Desk) -> None:
    desk.write(talk("a", 8), talk("b", 10))
    desk.run()
    desk.hub.call_off(desk.hub.open_events()[0]["id"], "no heating")
    for _ in range(2):
        report = desk.run()
        assert counts(report) == {"unchanged": 1, "cancelled_by_hand": 1}
        assert "cancelled here by hand; left so" in report["said"]
    desk.write(talk("c", 9))
    assert counts(desk.run()) == {"started": 1, "cancelled": 1}
    desk.write(talk("b", 10))
    assert counts(desk.run()) == {"started": 1, "cancelled": 1}
    assert list(hours(desk)) == ["B"]


def test_history_is_not_rewritten(desk: Desk) -> None:
    desk.write(talk("a", 8))
    desk.run()
    [held] = desk.hub.open_events()
    held["status"] = "held"
    desk.write(talk("a", 9, title="Another title"))
    assert counts(desk.run()) == {"unchanged": 1}
    desk.write(talk("b", 9))
    assert counts(desk.run()) == {"started": 1}
    assert held["title"] == "A"


def test_a_room_given_in_foci_wins_over_the_words_of_the_calendar(desk: Desk) -> None:
    desk.write(talk("a", 8, "LOCATION:Somewhere"))
    desk.run()
    [made] = desk.hub.open_events()
    made["place"] = {"space": "hall", "address": None, "online_url": None}
    assert counts(desk.run()) == {"unchanged": 1}
    made["place"] = {"space": None, "address": "Elsewhere", "online_url": "https://meet.example/a"}
    assert counts(desk.run()) == {"changed": 1}
    assert made["place"] == {
        "space": None,
        "address": "Somewhere",
        "online_url": "https://meet.example/a",
    }


def test_what_is_not_understood_is_reported_and_the_rest_comes_in(desk: Desk) -> None:
    desk.write(talk("a", 8), talk("b", 10))
    desk.run()
    broken = event("DTSTART;TZID=Nowhere:20270301T080000", "DURATION:PT1H", uid="a")
    endless = event("DTSTART:20270301T080000Z", uid="c", title="No end")
    backwards = event("DTSTART:20270301T080000Z", "DTEND:20270301T070000Z", uid="d")
    todo = ["BEGIN:VTODO", "UID:t", "END:VTODO"]
    off = talk("e", 12, "STATUS:CANCELLED")
    desk.write(broken, talk("b", 10), endless, backwards, todo, off)
    report = desk.run()
    assert counts(report) == {"unchanged": 1, "left_unread": 1, "not_understood": 3, "left_out": 2}
    assert [each["why"].split(":")[0] for each in report["not_understood"]] == [
        "the time zone 'Nowhere' is not known",
        "it takes no time",
        "it ends before it starts",
    ]
    assert "only events (VEVENT) are part of a programme" in report["said"]
    assert list(hours(desk)) == ["A", "B"]


def test_hostile_details_are_tamed_and_never_sink_an_event(desk: Desk) -> None:
    said = (
        "DESCRIPTION:<script>x</script>\\nline\x1b[2J two\u202e\\n\\n" + "z" * 9000,
        "LOCATION:\u202eHall\\nback" + "y" * 300,
        "URL:javascript:alert(1)",
        "CATEGORIES:" + ",".join(f"tag{number}" for number in range(30)),
        "CATEGORIES:more",
    )
    picture = talk("b", 9, "DESCRIPTION:" + "A" * 300_000)
    desk.write(talk("a", 8, *said), picture, talk("c", 10, "URL;VALUE=BOOLEAN:never", "LOCATION;X=\x07:odd"))
    assert counts(desk.run())["started"] >= 2
    first = desk.hub.open_events()[0]
    assert first["text"].startswith("<script>x</script>\nline [2J two\n\nzzz")
    assert len(first["text"]) == 8000
    assert first["place"]["address"].startswith("Hall back")
    assert (first["link"], len(first["tags"])) == (None, 20)
    assert "changed" not in counts(desk.run())


@pytest.mark.parametrize("crash_after", [0, 1, 3, 5])
def test_a_crash_in_the_middle_is_mended_by_the_next_run(desk: Desk, crash_after: int) -> None:
    desk.write(*(talk(uid, hour) for uid, hour in (("a", 8), ("b", 9), ("c", 10))))
    desk.run()
    wanted = {"a": 9, "b": 12, "f": 10, "g": 20}
    desk.write(*(talk(uid, hour) for uid, hour in wanted.items()))
    desk.hub.away_after = crash_after
    interrupted = desk.run(expect=0 if crash_after == 5 else 1)
    assert interrupted["finished"] is (crash_after == 5)
    desk.hub.away_after = None
    desk.run()
    assert hours(desk) == {uid.upper(): hour for uid, hour in wanted.items()}
    assert counts(desk.run()) == {"unchanged": 4}


def test_lost_answers_change_nothing_twice(desk: Desk) -> None:
    desk.hub.lose_answers = 3
    desk.write(talk("a", 8), talk("b", 10))
    assert counts(desk.run()) == {"started": 2}
    desk.write(talk("a", 9), talk("b", 11))
    desk.hub.lose_answers = 1
    assert counts(desk.run()) == {"changed": 2}
    assert [one["version"] for one in desk.hub.open_events()] == [2, 2]
    assert len(desk.hub.events) == 2


def test_a_dry_run_only_tells_and_two_calendars_do_not_touch_each_other(desk: Desk) -> None:
    desk.write(talk("a", 8, title="[red]A\x1b[2J"))
    report = desk.run("--dry-run", "--calendar", "Talks", "--visibility", "hub")
    assert (report["calendar"], report["dry_run"], counts(report)) == ("Talks", True, {"started": 1})
    assert "would be started" in report["said"]
    assert desk.hub.log == []
    desk.run("--calendar", "one", "--visibility", "hub")
    desk.write(talk("a", 10, title="Other"))
    assert counts(desk.run("--calendar", "two")) == {"started": 1}
    assert {one["visibility"] for one in desk.hub.open_events()} == {"hub", "public"}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"<html>", "not a calendar"),
        (calendar(talk("a", 8))[:-30], "cut off"),
        (
            calendar(event("DTSTART:20270301T080000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY")),
            "more than 10000 occurrences",
        ),
    ],
)
def test_a_refused_file_does_nothing_at_all(desk: Desk, raw: bytes, why: str) -> None:
    desk.file.write_bytes(raw)
    said = desk.run(expect=2)["said"]
    assert why in said
    assert "Nothing was imported" in said
    assert desk.hub.log == []


def test_somebody_without_the_right_is_told_what_to_do(desk: Desk) -> None:
    desk.write(talk("a", 8))
    assert "FOCI_TOKEN" in desk.run(expect=1, token="stranger")["said"]
