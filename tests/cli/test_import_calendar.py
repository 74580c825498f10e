"""`foci import calendar` keeps bookings in step with a file: once, again, changed, interrupted, refused."""

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

from services.cli import import_calendar
from services.cli.calendar.entry import VANISHED
from services.cli.gateway import Gateway
from services.cli.import_calendar import import_app
from tests.cli.calendars import BERLIN, REAL_FILE, calendar, event
from tests.cli.paper_hub import PaperHub
from tests.cli.test_reading import first_saturdays


@dataclass
class Desk:
    """An operator with a file at the command line."""

    hub: PaperHub
    file: Path

    def write(self, *parts: list[str]) -> None:
        self.file.write_bytes(calendar(*parts))

    def run(self, *options: str, expect: int = 0) -> dict[str, Any]:
        """Import; the report as JSON, and what was said."""
        report = self.file.with_suffix(".json")
        report.unlink(missing_ok=True)
        asked = [str(self.file), "--hub", "h", "--space", "room", "--report", str(report), *options]
        where = ["--url", self.hub.url, "--token", "operator"]
        result = CliRunner().invoke(import_app, ["calendar", *asked, *where])
        assert result.exit_code == expect, result.output
        said: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {}
        return {**said, "said": result.output}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read_here: None) -> Iterator[Desk]:
    monkeypatch.setattr(import_calendar, "Gateway", partial(Gateway, wait=lambda _: None))  # no test sleeps
    with PaperHub().open() as hub:
        yield Desk(hub, tmp_path / "workshop.ics")


def meeting(uid: str, start: int, end: int, *, day: int = 1, title: str = "") -> list[str]:
    """A meeting in March 2027, hours in UTC."""
    times = (f"DTSTART:202703{day:02}T{start:02}0000Z", f"DTEND:202703{day:02}T{end:02}0000Z")
    return event(*times, uid=uid, title=title or uid.title())


def counts(report: dict[str, Any]) -> dict[str, int]:
    """What is not nought."""
    return {name: count for name, count in report["counts"].items() if count}


def booked_hours(desk: Desk) -> dict[str, tuple[int, int]]:
    """Title to hours, UTC."""
    return {
        one["title"]: (
            datetime.fromisoformat(one["start"]).astimezone(UTC).hour,
            datetime.fromisoformat(one["end"]).astimezone(UTC).hour,
        )
        for one in desk.hub.live()
    }


@pytest.mark.usefixtures("read_apart")
def test_the_real_calendar_is_booked_but_for_one_clash_and_a_second_run_changes_nothing(desk: Desk) -> None:
    desk.file = desk.file.with_name("fablab_cottbus.ics")
    desk.file.write_bytes(REAL_FILE.read_bytes())
    today = datetime.now(UTC).astimezone(BERLIN).date()
    horizon = date(today.year + 2, today.month, min(today.day, 28))
    planned = 27 + len(first_saturdays((2018, 1), before=horizon))
    first = desk.run()
    assert counts(first) == {"booked": planned - 1, "clashed": 1}
    [clash] = first["clashed"]
    assert clash["title"] == "Websites selbst programmieren"
    assert clash["start"] == "2017-10-22T13:00:00+02:00"
    assert [each["title"] for each in clash["with"]] == [
        "Luftqualität: Ein Workshop zum selber messen (Einsteiger)"
    ]
    assert "Luftqualität" in first["said"]
    assert len(desk.hub.live()) == planned - 1
    before = json.dumps(desk.hub.bookings)
    second = desk.run()
    assert counts(second) == {"unchanged": planned - 1, "clashed": 1}
    assert json.dumps(desk.hub.bookings) == before
    assert {one["source"]["calendar"] for one in desk.hub.live()} == {"fablab_cottbus"}


def test_a_changed_file_changes_only_what_changed(desk: Desk) -> None:
    desk.write(meeting("a", 8, 9), meeting("b", 10, 11), meeting("c", 12, 13), meeting("d", 14, 15))
    assert counts(desk.run()) == {"booked": 4}
    untouched = next(one for one in desk.hub.live() if one["title"] == "A")
    desk.hub.log.clear()
    renamed = meeting("d", 14, 15, title="Dinner")
    desk.write(meeting("a", 8, 9), meeting("b", 10, 12), renamed, meeting("e", 12, 13))
    report = desk.run()
    assert counts(report) == {"booked": 1, "moved": 2, "cancelled": 1, "unchanged": 1}
    assert booked_hours(desk) == {"A": (8, 9), "B": (10, 12), "Dinner": (14, 15), "E": (12, 13)}
    assert untouched["version"] == 1
    assert [line.split()[0] for line in desk.hub.log] == ["POST", "PATCH", "PATCH", "POST"]
    assert desk.hub.log[0] == "POST cancel 200"
    gone = next(one for one in desk.hub.bookings.values() if one["title"] == "C")
    assert gone["cancel_reason"] == VANISHED
    moved = next(one for one in report["moved"] if one["title"] == "B")
    assert (moved["end"], moved["from"]["end"]) == ("2027-03-01T13:00:00+01:00", "2027-03-01T12:00:00+01:00")
    assert counts(desk.run()) == {"unchanged": 4}


def test_moves_wait_for_each_other_in_a_line_and_in_a_circle(desk: Desk) -> None:
    desk.write(
        *(meeting(uid, hour, hour + 1) for uid, hour in (("a", 8), ("b", 9), ("c", 10), ("d", 14), ("e", 15)))
    )
    desk.run()
    swapped = {"a": 9, "b": 10, "c": 11, "d": 15, "e": 14}
    desk.write(*(meeting(uid, hour, hour + 1) for uid, hour in swapped.items()))
    report = desk.run()
    assert "clashed" not in counts(report)
    assert booked_hours(desk) == {uid.upper(): (hour, hour + 1) for uid, hour in swapped.items()}
    assert counts(desk.run()) == {"unchanged": 5}


def test_a_move_onto_a_taken_time_is_a_clash_and_the_booking_stays(desk: Desk) -> None:
    desk.write(meeting("a", 8, 9))
    desk.run()
    desk.hub.book("2027-03-01T12:00:00Z", "2027-03-01T13:00:00Z")
    desk.write(meeting("a", 12, 13))
    report = desk.run()
    assert counts(report) == {"clashed": 1}
    assert report["clashed"][0]["still_at"]["start"] == "2027-03-01T09:00:00+01:00"
    assert report["clashed"][0]["with"] == [
        {
            "title": None,
            "space": "room",
            "start": "2027-03-01T13:00:00+01:00",
            "end": "2027-03-01T14:00:00+01:00",
        }
    ]
    assert booked_hours(desk)["A"] == (8, 9)


def test_a_clash_is_over_when_the_obstacle_is_gone(desk: Desk) -> None:
    """A stored refusal must not answer for a time that became free."""
    desk.write(meeting("a", 8, 10), meeting("b", 9, 11))
    assert counts(desk.run()) == {"booked": 1, "clashed": 1}
    desk.write(meeting("b", 9, 11))
    assert counts(desk.run()) == {"booked": 1, "cancelled": 1}
    desk.write(meeting("a", 8, 10), meeting("b", 12, 13))
    assert counts(desk.run()) == {"booked": 1, "moved": 1}
    assert booked_hours(desk) == {"A": (8, 10), "B": (12, 13)}


def test_what_was_cancelled_by_hand_stays_so_and_is_told(desk: Desk) -> None:
    desk.write(meeting("a", 8, 9), meeting("b", 10, 11))
    desk.run()
    desk.hub.cancel(desk.hub.live()[0]["id"], "no heating")
    for _ in range(2):
        report = desk.run()
        assert counts(report) == {"unchanged": 1, "cancelled_by_hand": 1}
        assert "cancelled here by hand; left so" in " ".join(report["said"].split())
    assert list(booked_hours(desk)) == ["B"]


def test_an_entry_that_broke_keeps_its_booking(desk: Desk) -> None:
    desk.write(meeting("a", 8, 9), meeting("b", 10, 11))
    desk.run()
    desk.write(event("DTSTART;TZID=Nowhere:20270301T080000", "DURATION:PT1H", uid="a"), meeting("b", 10, 11))
    report = desk.run()
    assert counts(report) == {"unchanged": 1, "left_unread": 1, "not_understood": 1}
    assert "'Nowhere' is not known" in report["not_understood"][0]["why"]
    assert list(booked_hours(desk)) == ["A", "B"]


@pytest.mark.parametrize("crash_after", [0, 1, 3, 4, 6])
def test_a_crash_in_the_middle_is_mended_by_the_next_run(desk: Desk, crash_after: int) -> None:
    desk.write(
        *(meeting(uid, hour, hour + 1) for uid, hour in (("a", 8), ("b", 9), ("c", 10), ("d", 14), ("e", 15)))
    )
    desk.run()
    wanted = {"a": 9, "b": 8, "d": 15, "f": 10, "g": 20}
    desk.write(*(meeting(uid, hour, hour + 1) for uid, hour in wanted.items()))
    desk.hub.away_after = crash_after
    interrupted = desk.run(expect=1)
    assert interrupted["finished"] is False
    assert "run the same command again" in interrupted["said"]
    desk.hub.away_after = None
    desk.run()
    assert booked_hours(desk) == {uid.upper(): (hour, hour + 1) for uid, hour in wanted.items()}
    assert counts(desk.run()) == {"unchanged": 5}


def test_lost_answers_change_nothing_twice(desk: Desk) -> None:
    desk.hub.lose_answers = 3
    desk.write(meeting("a", 8, 9), meeting("b", 10, 11))
    assert counts(desk.run()) == {"booked": 2}
    desk.write(meeting("a", 9, 10), meeting("b", 11, 12))
    desk.hub.lose_answers = 1
    assert counts(desk.run()) == {"moved": 2}
    assert [one["version"] for one in desk.hub.live()] == [2, 2]
    assert len(desk.hub.bookings) == 2


def test_a_dry_run_only_tells(desk: Desk) -> None:
    desk.write(meeting("a", 8, 9), meeting("b", 10, 11))
    report = desk.run("--dry-run", "--calendar", "Workshop")
    assert (report["calendar"], report["dry_run"], counts(report)) == ("Workshop", True, {"booked": 2})
    assert "would be booked" in report["said"]
    assert desk.hub.log == []


def test_two_calendars_do_not_touch_each_other(desk: Desk) -> None:
    desk.write(meeting("a", 8, 9))
    desk.run("--calendar", "one")
    desk.write(meeting("a", 10, 11, title="Other"))
    assert counts(desk.run("--calendar", "two")) == {"booked": 1}
    assert booked_hours(desk) == {"A": (8, 9), "Other": (10, 11)}


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"<html>", "not a calendar"),
        (calendar(meeting("a", 8, 9))[:-30], "cut off"),
        (b"x" * 5_000_001, "larger than 5 MB"),
        (
            calendar(event("DTSTART:20270301T080000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY")),
            "more than 10000 occurrences",
        ),
    ],
)
def test_a_refused_file_does_nothing_at_all(desk: Desk, raw: bytes, why: str) -> None:
    desk.file.write_bytes(raw)
    said = " ".join(desk.run(expect=2)["said"].split())
    assert why in said
    assert "Nothing was imported" in said
    assert desk.hub.log == []


def test_titles_are_shown_as_they_are_and_move_no_cursor(desk: Desk) -> None:
    desk.write(meeting("a", 8, 9, title="[red]A\x1b[2J[/red]"), meeting("b", 8, 9, title="[bold]B"))
    report = desk.run()
    assert "[red]A [2J[/red]" in report["said"]
    assert "[bold]B" in report["said"]
    assert "\x1b" not in report["said"]


def test_somebody_without_the_right_is_told_what_to_do(desk: Desk) -> None:
    desk.write(meeting("a", 8, 9))
    result = CliRunner().invoke(
        import_app,
        [
            "calendar",
            str(desk.file),
            "--hub",
            "h",
            "--space",
            "room",
            "--url",
            desk.hub.url,
            "--token",
            "stranger",
        ],
    )
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "FOCI_TOKEN" in said
    unknown = [
        "calendar",
        str(desk.file),
        "--hub",
        "h",
        "--space",
        "attic",
        "--url",
        desk.hub.url,
        "--token",
        "operator",
    ]
    assert CliRunner().invoke(import_app, unknown).exit_code == 1
