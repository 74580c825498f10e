"""The real calendar goes through the real stack: `foci up`, the gateway, booking, PostgreSQL and back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from icalendar import Calendar
from typer.testing import CliRunner

from services.cli.app import app
from services.cli.gateway import Gateway
from tests.cli.calendars import BERLIN, REAL_FILE, calendar, event
from tests.cli.test_reading import first_saturdays
from tests.stack.console import ROOT, Started, eventually
from tests.stack.plain import PlainStack

HUB, SPACE = "alvhamn-coffice", "workshop"
BOOKINGS = f"/v1/hubs/{HUB}/bookings"
PROGRAMME = ("programme",)
LIVE = ("held", "confirmed", "checked_in")


@dataclass
class Stack:
    """Everything running, and an operator who knows where."""

    plain: PlainStack
    folder: Path
    token: str

    @property
    def console(self) -> Started:
        return self.plain.console

    @property
    def url(self) -> str:
        return self.plain.url

    def gateway(self) -> Gateway:
        return Gateway(self.url, self.token)

    def token_of(self, role: str) -> str:
        return self.plain.token(HUB, role)

    def imports(
        self,
        raw: bytes,
        *options: str,
        what: tuple[str, ...] = ("calendar", "--space", SPACE),
        expect: int = 0,
        token: str = "",
    ) -> dict[str, Any]:
        """Run the command, without waiting for one more interpreter to start; the report, with what was said."""
        file, report = self.folder / "fablab_cottbus.ics", self.folder / "report.json"
        file.write_bytes(raw)
        report.unlink(missing_ok=True)
        kind, *more = what
        asked = ["import", kind, str(file), "--hub", HUB, *more, "--report", str(report), *options]
        where = {"FOCI_PORT": str(self.console.port), "FOCI_URL": None, "FOCI_TOKEN": token or self.token}
        done = CliRunner().invoke(app, asked, env=where)
        assert done.exit_code == expect, done.output
        said: dict[str, Any] = json.loads(report.read_text("utf-8")) if report.exists() else {"counts": {}}
        return {**said, "said": " ".join(done.output.split())}

    def live(self, name: str = "fablab_cottbus") -> dict[tuple[str, str], dict[str, Any]]:
        """What is booked from the calendar, by source."""
        with self.gateway() as gateway:
            found = gateway.items(BOOKINGS, {"calendar": name, "status": LIVE, "limit": 100})
            return {(one["source"]["uid"], one["source"]["recurrence_id"]): one for one in found}

    def programme(self) -> dict[tuple[str, str], dict[str, Any]]:
        """The events that came from the calendar, by source."""
        query = {"calendar": "fablab_cottbus", "limit": 100}
        with self.gateway() as gateway:
            found = list(gateway.items(f"/v1/hubs/{HUB}/events", query))
        return {(one["source"]["uid"], one["source"]["recurrence_id"]): one for one in found}

    def feed(self) -> set[tuple[str, datetime]]:
        """What a subscriber to the hub's programme sees of it: title and start."""
        url = f"{self.url}/v1/hubs/{HUB}/feeds/programme.ics"
        fetched: Any = Calendar.from_ical(httpx2.get(url, trust_env=False).raise_for_status().text)
        entries = fetched.walk("VEVENT")
        return {(str(one["SUMMARY"]), one["DTSTART"].dt) for one in entries if one["STATUS"] == "CONFIRMED"}


@pytest.fixture(scope="module")
def stack(plain_stack: PlainStack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    token = plain_stack.token(plain_stack.hub(HUB), "operator")
    running = Stack(plain_stack, tmp_path_factory.mktemp("import"), token)
    with running.gateway() as gateway:
        wish = {"id": SPACE, "name": "Workshop", "kind": "room"}
        gateway.post(f"/v1/hubs/{HUB}/spaces", wish)
    return running


def counts(report: dict[str, Any]) -> dict[str, int]:
    """What is not nought."""
    return {name: count for name, count in report["counts"].items() if count}


def later(real: bytes) -> bytes:
    """The calendar after its owner has moved, renamed and taken out entries."""
    changed = real.replace(b"UID:ai1ec-1704@", b"UID:gone-1704@").replace(
        b"20180120T163000", b"20180120T170000"
    )
    changed = changed.replace(b"SUMMARY:Sommerfest", b"SUMMARY:Sommerfest!")
    changed = changed.replace(b"DTSTART;TZID=Europe/Berlin:20171022T130000", b"DTSTART:20160101T130000Z", 1)
    return changed.replace(b"DTEND;TZID=Europe/Berlin:20171022T180000", b"DTEND:20160101T180000Z", 1)


def test_the_real_calendar_becomes_bookings_and_stays_in_step(stack: Stack) -> None:
    real = REAL_FILE.read_bytes()
    with stack.gateway() as gateway:
        home = gateway.get(f"/v1/hubs/{HUB}").body["time_zone"]
    today = datetime.now(UTC).astimezone(BERLIN).date()
    saturdays = first_saturdays((2018, 1), before=date(today.year + 2, today.month, min(today.day, 28)))
    planned = 27 + len(saturdays)

    first = stack.imports(real)
    assert counts(first) == {"booked": planned - 1, "clashed": 1}
    [clash] = first["clashed"]
    assert (clash["title"], clash["start"]) == ("Websites selbst programmieren", "2017-10-22T13:00:00+02:00")
    assert [each["title"] for each in clash["with"]] == [
        "Luftqualität: Ein Workshop zum selber messen (Einsteiger)"
    ]
    booked = stack.live()
    assert len(booked) == planned - 1
    closed = booked["ai1ec-1862@blog.fablab-cottbus.de", ""]
    assert (closed["start"], closed["end"]) == ("2018-06-09T00:00:00+02:00", "2018-06-10T00:00:00+02:00")
    assert closed["time_zone"] == home
    cafes = [one for (uid, _), one in booked.items() if uid.startswith("ai1ec-1887@")]
    assert sorted(one["start"][:13] for one in cafes) == [f"{day}T14" for day in saturdays]

    assert counts(stack.imports(real)) == {"unchanged": planned - 1, "clashed": 1}
    assert stack.live() == booked

    report = stack.imports(later(real))
    # 1704 vanished; under another UID it is in 2016; 1707 gets the time it lost before, though a refusal is remembered.
    assert counts(report) == {"booked": 2, "moved": 2, "cancelled": 1, "unchanged": planned - 4}
    after = stack.live()
    untouched = set(booked) & set(after) - {(one["uid"], one["recurrence_id"]) for one in report["moved"]}
    assert len(untouched) == planned - 4
    assert all(after[key] == booked[key] for key in untouched)

    assert counts(stack.imports(real)) == {"moved": 2, "cancelled": 1, "unchanged": planned - 3, "clashed": 1}


def test_the_real_calendar_becomes_a_programme_and_comes_out_as_a_feed(stack: Stack) -> None:
    real = REAL_FILE.read_bytes()
    now = datetime.now(UTC)
    today = now.astimezone(BERLIN).date()
    saturdays = first_saturdays((2018, 1), before=date(today.year + 2, today.month, min(today.day, 28)))
    planned = 27 + len(saturdays)

    assert counts(stack.imports(real, what=PROGRAMME)) == {"started": planned}
    events = stack.programme()
    assert len(events) == planned
    assert {one["visibility"] for one in events.values()} == {"public"}
    ahead = {key: one for key, one in events.items() if datetime.fromisoformat(one["start"]) > now}
    assert {one["status"] for one in ahead.values()} == {"published"}
    assert {one["status"] for key, one in events.items() if key not in ahead} == {"held"}
    closed = events["ai1ec-1862@blog.fablab-cottbus.de", ""]
    assert (closed["start"], closed["end"]) == ("2018-06-09T00:00:00+02:00", "2018-06-10T00:00:00+02:00")

    soon = sorted(ahead.values(), key=lambda one: str(one["start"]))[:12]
    assert {(one["title"], datetime.fromisoformat(one["start"])) for one in soon} <= stack.feed()

    assert counts(stack.imports(real, what=PROGRAMME)) == {"unchanged": planned}
    assert stack.programme() == events

    gone, moved = soon[1]["source"]["recurrence_id"], soon[2]["source"]["recurrence_id"]
    changed = real.replace(
        b"RRULE:FREQ=MONTHLY;BYDAY=1SA", f"EXDATE:{gone}\r\nRRULE:FREQ=MONTHLY;BYDAY=1SA".encode()
    ).replace(b"END:VCALENDAR", b"\r\n".join([*_moved(moved), b"END:VCALENDAR"]))
    report = stack.imports(changed, what=PROGRAMME)
    assert counts(report) == {"changed": 1, "cancelled": 1, "unchanged": planned - 2}
    after = {title: start for title, start in stack.feed() if title == "Moved to the evening"}
    assert [f"{start:%H:%M}" for start in after.values()] == ["19:00"]
    assert (soon[1]["title"], datetime.fromisoformat(soon[1]["start"])) not in stack.feed()
    refused = stack.imports(real, what=PROGRAMME, expect=1, token=stack.token_of("member"))
    assert "operator" in refused["said"]


def _moved(recurrence_id: str) -> list[bytes]:
    """An override of one café."""
    day = recurrence_id[:8]
    lines = event(
        f"RECURRENCE-ID:{recurrence_id}",
        f"DTSTART;TZID=Europe/Berlin:{day}T190000",
        "DURATION:PT2H",
        uid="ai1ec-1887@blog.fablab-cottbus.de",
        title="Moved to the evening",
    )
    return [line.encode() for line in lines]


def test_what_a_person_cancels_stays_cancelled_and_obstacles_are_named(stack: Stack) -> None:
    hours = [("a", 8), ("b", 9), ("c", 10)]
    wanted = [
        event(f"DTSTART:20300301T{hour:02}0000Z", "DURATION:PT1H", uid=uid, title=uid) for uid, hour in hours
    ]
    assert counts(stack.imports(calendar(*wanted), "--calendar", "small")) == {"booked": 3}
    by_hand = stack.live("small")["a", ""]
    with stack.gateway() as gateway:
        gateway.post(f"{BOOKINGS}/{by_hand['id']}/cancel", {"reason": "no heating"})
    report = stack.imports(calendar(*wanted), "--calendar", "small")
    assert counts(report) == {"unchanged": 2, "cancelled_by_hand": 1}
    assert "cancelled here by hand; left so" in report["said"]
    circle = [
        event(f"DTSTART:20300301T{hour:02}0000Z", "DURATION:PT1H", uid=uid, title=uid)
        for uid, hour in (("b", 10), ("c", 9))
    ]
    assert "clashed" not in counts(stack.imports(calendar(*circle), "--calendar", "small"))
    assert [one["source"]["uid"] for one in stack.live("small").values()] == ["c", "b"]
    assert stack.imports(calendar(*wanted), "--calendar", "other")["counts"]["clashed"] == 2


def test_only_operators_import_and_refused_files_do_nothing(stack: Stack) -> None:
    one = calendar(event("DTSTART:20310301T080000Z", "DURATION:PT1H"))
    refused = stack.imports(one, "--calendar", "members", expect=1, token=stack.token_of("member"))
    assert "role" in refused["said"] or "operator" in refused["said"]
    bomb = calendar(event("DTSTART:20200301T080000Z", "DURATION:PT1S", "RRULE:FREQ=SECONDLY"))
    assert "Nothing was imported" in stack.imports(bomb, "--calendar", "bomb", expect=2)["said"]
    assert stack.live("members") == stack.live("bomb") == {}


def test_killed_processes_in_the_middle_lose_and_double_nothing(stack: Stack) -> None:
    daily = calendar(event("DTSTART:20200101T040000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=300"))
    file = stack.folder / "daily.ics"
    file.write_bytes(daily)
    asked = ["import", "calendar", str(file), "--hub", HUB, "--space", SPACE, "--token", stack.token]

    def begun() -> subprocess.Popen[bytes]:
        command = stack.console.command(*asked)
        return subprocess.Popen(command, env=stack.console.environment, cwd=ROOT, stdout=subprocess.DEVNULL)

    def booked(gateway: Gateway, number: int) -> bool:
        """Whether so many are: they are booked by time, so one look at the day suffices."""
        day = date(2020, 1, 1) + timedelta(days=number - 1)
        asked = {"calendar": "daily", "from": f"{day}T04:30:00Z", "limit": 1}
        return bool(gateway.get(BOOKINGS, asked).body["items"])

    with begun() as killed, stack.gateway() as gateway:
        eventually("some are booked", lambda: booked(gateway, 21))
        killed.kill()
    some = stack.live("daily")
    assert 20 < len(some) < 300
    with begun() as going, stack.gateway() as gateway:
        eventually("some more are booked", lambda: booked(gateway, len(some) + 21))
        os.kill(stack.console.processes()["gateway"]["pid"], signal.SIGKILL)
        assert going.wait(120) == 0
    everything = stack.live("daily")
    assert len(everything) == 300
    assert all(everything[key] == one for key, one in some.items())
    assert len({one["start"] for one in everything.values()}) == 300
