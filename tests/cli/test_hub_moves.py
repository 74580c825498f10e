"""A hub moves to another cell with all that is its own: people see there what they saw here, and nothing twice."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from icalendar import Calendar

from services.cli.hub import moving
from services.cli.hub.folder import Inbound, Outbound, Unusable, zipped
from shared.contracts.base import Request
from shared.contracts.catalogue import SERVICES
from shared.contracts.directory.requests import EnsurePerson, RegisterOrganisation
from shared.contracts.directory.words import Role
from shared.contracts.operations import ImportHub
from shared.kit.errors import Invalid
from shared.kit.problems import RemoteProblem
from shared.kit.requester import Requester
from tests.gateway.cell import CELL, Cell, eventually, running_cell

HUB = "alvhamn"


async def ask(cell: Cell, service: str, request: Request[Any]) -> Any:
    """As the platform's operator of that cell."""
    requester = Requester(cell.admin, cell.clock)
    reply = await requester.send(request, cell=CELL, seconds=10, service=service)
    return request.reply.model_validate_json(reply.body)


def quiet(_: str, __: int) -> None:
    """Nobody looks at the progress."""


@pytest.fixture(scope="module")
def old() -> Iterator[Cell]:
    """A cell with a hub in which something goes on, and one that is nobody's business."""
    with running_cell(wired=False) as cell:
        cell.hub(HUB)
        cell.hub("elsewhere")
        cell.space("elsewhere", "room")
        cell.book("elsewhere", "room")
        _furnish(cell)
        yield cell


@pytest.fixture(scope="module")
def new() -> Iterator[Cell]:
    """An empty cell; one hub of its own makes its numbers others than the old one's."""
    with running_cell(wired=False) as cell:
        cell.hub("first-here")
        yield cell


def _furnish(cell: Cell) -> None:
    person = EnsurePerson(
        hub=HUB, name="Åsa Öberg", role=Role.MEMBER, email="asa@alvhamn.example", language="sv"
    )
    cell._people[HUB, "Åsa"] = cell.as_admin(person).id
    cell.as_admin(RegisterOrganisation(hub=HUB, name="Väveriet AB", kind="company"))
    cell.space(HUB, "room")
    cell.space(HUB, "flex", "flex", seats=6)
    cell.space(HUB, "floor", "event", made_of=["room", "flex"])
    for day in range(1, 4):
        cell.book(HUB, "flex", name="Åsa", title=f"=Day {day}", **cell.slot(day))
    now = cell.book(HUB, "flex", name="Åsa", start=cell.near(-0.3), end=cell.near(120))
    came = cell.http.post(f"/v1/hubs/{HUB}/bookings/{now['id']}/check-in", headers=cell.auth(HUB, "operator"))
    assert came.json()["status"] == "checked_in", came.text
    eventually("the operators see it", lambda: _present(cell) == 1)
    gone = cell.book(HUB, "room", **cell.slot(9))
    cancelled = cell.http.post(
        f"/v1/hubs/{HUB}/bookings/{gone['id']}/cancel", headers=cell.auth(HUB, "member")
    )
    assert cancelled.status_code == 200, cancelled.text
    talk = cell.meet(HUB, title="A talk", place={"space": "floor"}, capacity=4, **cell.slot(20))
    walk = cell.meet(HUB, title="A walk", **cell.slot(5))
    eventually("the talk has its room", partial(_is, cell, talk, "published"))
    for name in ("Åsa", None):
        signed_up = cell.http.post(
            f"/v1/hubs/{HUB}/events/{walk['id']}/sign-ups", json={}, headers=cell.auth(HUB, "member", name)
        )
        assert signed_up.status_code == 201, signed_up.text


def _present(cell: Cell) -> int | None:
    shown = cell.http.get(f"/v1/hubs/{HUB}/occupancy", headers=cell.auth(HUB, "operator"))
    present: int | None = shown.json()["total"]["present"]
    return present  # nobody knows before the first figures have been stated


def _is(cell: Cell, event: dict[str, Any], status: str) -> bool:
    shown = cell.http.get(f"/v1/hubs/{HUB}/events/{event['id']}", headers=cell.auth(HUB, "operator"))
    return bool(shown.json()["status"] == status)


def seen(cell: Cell) -> dict[str, Any]:
    """What people are shown, without what says which cell it is."""
    noon = cell.clock().replace(hour=0, minute=0, second=0, microsecond=0)
    day = {"from": noon.isoformat(), "to": noon.replace(year=noon.year + 1).isoformat(), "limit": "100"}
    asked = {
        "hub": (f"/v1/hubs/{HUB}", "visitor", {}),
        "spaces": (f"/v1/hubs/{HUB}/spaces", "member", {}),
        "bookings": (f"/v1/hubs/{HUB}/bookings", "operator", day),
        "mine": ("/v1/me/bookings", "member", {}),
        "events": (f"/v1/hubs/{HUB}/events", "operator", {"limit": "100"}),
        "members": (f"/v1/hubs/{HUB}/event-settings", "operator", {}),
        "free": (f"/v1/hubs/{HUB}/availability", "member", cell_day(cell)),
        "occupancy": (f"/v1/hubs/{HUB}/occupancy", "operator", {}),
    }
    found = {}
    for name, (path, role, params) in asked.items():
        answer = cell.http.get(path, params=params, headers=cell.auth(HUB, role))
        assert answer.status_code == 200, f"{name}: {answer.text}"
        found[name] = _timeless(answer.json())
    return found


def cell_day(cell: Cell) -> dict[str, str]:
    """The day with the first booking."""
    slot = cell.slot(1)
    return {"from": slot["start"], "to": slot["end"]}


def _timeless(value: Any) -> Any:
    """Without when figures were measured, and how often."""
    passing = {"at", "cell", "cursor"}
    if isinstance(value, dict):
        return {name: _timeless(it) for name, it in value.items() if name not in passing}
    return [_timeless(it) for it in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def exported(old: Cell, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export") / HUB
    exporting = moving.export(
        partial(ask, old), HUB, Outbound(folder), quiet, cell=CELL, release="1.2.3", at=old.clock()
    )
    old.run(exporting, seconds=60)
    return folder


def test_an_export_is_open_files_with_counts_and_checksums_and_nothing_of_others(exported: Path) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    assert (manifest["format"], manifest["version"], manifest["hub"]) == ("foci-hub", 1, HUB)
    counts = {part["path"]: part["count"] for part in manifest["files"]}
    assert counts["booking/bookings.jsonl"] == 6
    assert counts["events/sign-ups.jsonl"] == 2
    assert {part["service"] for part in manifest["files"]} == set(SERVICES)
    everything = b"".join(file.read_bytes() for file in exported.rglob("*") if file.is_file())
    assert b"elsewhere" not in everything
    assert all(file.stat().st_mode & 0o077 == 0 for file in exported.rglob("*"))
    with (exported / "booking" / "bookings.csv").open(newline="") as file:
        titles = {row["title"] for row in csv.DictReader(file)}
    assert "'=Day 1" in titles, "a spreadsheet would take it for a formula"
    calendar = Calendar.from_ical((exported / "events" / "events.ics").read_bytes())
    assert {str(one["summary"]) for one in calendar.walk("VEVENT")} == {"A talk", "A walk"}


def test_whosever_name_went_out_can_see_that_it_did(old: Cell, exported: Path) -> None:
    assert exported.is_dir()
    looks = old.http.get("/v1/me/looks", headers=old.auth(HUB, "member", "Åsa")).json()["items"]
    [look] = [one for one in looks if one["what"] == "hub-export"]
    assert (look["hub"], look["role"], look["viewer_name"]) == (HUB, "platform", None)
    assert look["viewer"] == str(UUID(int=0))
    elsewhere = old.http.get("/v1/me/looks", headers=old.auth("elsewhere", "member")).json()["items"]
    assert elsewhere == []


def test_what_people_see_there_is_what_they_saw_here_also_the_second_time(
    old: Cell, new: Cell, exported: Path, tmp_path: Path
) -> None:
    before = seen(old)
    packed = tmp_path / "hub.zip"
    zipped(exported, packed)
    source, asks = Inbound(packed), partial(ask, new)
    new.run(moving.look(asks, source, quiet), seconds=60)
    assert new.http.get(f"/v1/hubs/{HUB}").status_code == 404, "looking writes nothing"
    written, same = new.run(moving.take_in(asks, source, quiet), seconds=120)
    assert same == 0
    new._people.update({key: person for key, person in old._people.items() if key[0] == HUB})
    eventually("it looks the same", lambda: seen(new) == before, seconds=30)
    compared = new.run(moving.compare(asks, source, quiet), seconds=60)
    assert compared > 20
    again, known = new.run(moving.take_in(asks, source, quiet), seconds=120)
    assert (again, known) == (0, written)
    assert seen(new) == before
    _goes_on(new)


def _goes_on(cell: Cell) -> None:
    """Life goes on there: nothing is booked twice, and what is new gets units of its own."""
    taken = {"space": "floor", **cell.slot(20)}
    refused = cell.http.post(f"/v1/hubs/{HUB}/bookings", json=taken, headers=cell.auth(HUB, "operator"))
    assert (refused.status_code, refused.json()["code"]) == (409, "space-taken")
    cell.space(HUB, "attic")
    cell.book(HUB, "attic", **cell.slot(1))
    moved = cell.book(HUB, "room", **cell.slot(1, hour=15))
    assert moved["status"] == "confirmed"


def test_a_hub_that_is_there_and_different_is_refused_and_stays_as_it_is(new: Cell, exported: Path) -> None:
    rows = [orjson.loads(line) for line in (exported / "directory" / "hub.jsonl").read_bytes().splitlines()]
    other = ImportHub(hub=HUB, entity="hub", rows=({**rows[0], "name": "Somebody else's"},), only_look=True)
    with pytest.raises(RemoteProblem) as refused:
        new.run(ask(new, "directory", other))
    assert refused.value.document["code"] == "hub-differs"
    foreign = ImportHub(hub="first-here", entity="hub", rows=({**rows[0]},))
    with pytest.raises(RemoteProblem):
        new.run(ask(new, "directory", foreign))


def test_what_is_not_whole_or_not_as_it_was_is_not_taken_in(exported: Path, tmp_path: Path) -> None:
    packed = tmp_path / "hub.zip"
    zipped(exported, packed)
    with zipfile.ZipFile(packed) as archive:
        archive.extractall(tmp_path / "copy")
    file = tmp_path / "copy" / "booking" / "bookings.jsonl"
    file.write_bytes(file.read_bytes().replace(b"confirmed", b"cancelled", 1))
    with pytest.raises(Unusable, match="checksum"):
        Inbound(tmp_path / "copy")
    (tmp_path / "copy" / "manifest.json").unlink()
    with pytest.raises(Unusable, match="not finished"):
        Inbound(tmp_path / "copy")
    with pytest.raises(Unusable, match="not empty"):
        Outbound(tmp_path / "copy")


def test_rows_of_another_hub_do_not_get_in_by_way_of_this_one(new: Cell, exported: Path) -> None:
    line = (exported / "booking" / "spaces.jsonl").read_bytes().splitlines()[0]
    smuggled = ImportHub(hub="first-here", entity="spaces", rows=(orjson.loads(line),))
    with pytest.raises(RemoteProblem) as refused:
        new.run(ask(new, "booking", smuggled))
    assert refused.value.document["status"] == Invalid.status
