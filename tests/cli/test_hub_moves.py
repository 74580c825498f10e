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
from shared.contracts.operations import ExportHub, ImportHub
from shared.contracts.users import SERVICES
from shared.kit.errors import Invalid
from shared.kit.problems import RemoteProblem
from tests.cli.moving_hub import (
    GUEST,
    HUB,
    MANY,
    PENDING,
    SKILL,
    URL,
    Furnished,
    acts,
    ask,
    furnished,
    knows_the_skill,
    moved_to,
    quiet,
    seen,
)
from tests.cli.operating import at_home, foci
from tests.gateway.cell import Cell, eventually, running_cell
from tests.gateway.notify_things import delivery_for


@pytest.fixture(scope="module")
def old() -> Iterator[Cell]:
    """A cell with the hub, and one that is nobody's business."""
    with running_cell(wired=False) as cell:
        cell.hub("elsewhere")
        cell.space("elsewhere", "room")
        cell.book("elsewhere", "room")
        yield cell


@pytest.fixture(scope="module")
def hub(old: Cell) -> Furnished:
    """The hub before it moves."""
    return furnished(old)


@pytest.fixture(scope="module")
def new() -> Iterator[Cell]:
    """An empty cell; one hub of its own makes its numbers others than the old one's."""
    with running_cell(wired=False) as cell:
        cell.hub("first-here")
        yield cell


@pytest.fixture(scope="module")
def exported(old: Cell, hub: Furnished, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `foci hub export` has written."""
    assert hub.series
    folder = tmp_path_factory.mktemp("export") / HUB
    with pytest.MonkeyPatch.context() as patch:
        at_home(tmp_path_factory.mktemp("old"), old.account, patch)
        done = foci("hub", "export", HUB, "--to", str(folder))
    assert (done.exit_code, done.exception) == (0, None), done.output
    assert done.stdout.startswith(f"{HUB} of cell local: ")
    return folder


@pytest.fixture(scope="module")
def packed(exported: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as one file."""
    file = tmp_path_factory.mktemp("packed") / "hub.zip"
    zipped(exported, file)
    return file


def _rows(exported: Path, file: str) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in (exported / f"{file}.jsonl").read_bytes().splitlines()]


def test_an_export_is_open_files_with_counts_and_checksums_and_nothing_of_others(exported: Path) -> None:
    manifest = json.loads((exported / "manifest.json").read_text())
    assert (manifest["format"], manifest["version"], manifest["hub"]) == ("foci-hub", 1, HUB)
    counts = {part["path"]: part["count"] for part in manifest["files"]}
    assert counts["booking/bookings.jsonl"] == 6
    assert counts["events/sign-ups.jsonl"] == 4
    assert counts["events/series-skips.jsonl"] == 1
    assert counts["events/refusals.jsonl"] == MANY, "as many parts as it takes"
    assert len({row["id"] for row in _rows(exported, "events/refusals")}) == MANY
    assert {part["service"] for part in manifest["files"]} == set(SERVICES)
    everything = b"".join(file.read_bytes() for file in exported.rglob("*") if file.is_file())
    assert b"elsewhere" not in everything
    assert all(file.stat().st_mode & 0o077 == 0 for file in exported.rglob("*"))
    with (exported / "booking" / "bookings.csv").open(newline="") as file:
        titles = {row["title"] for row in csv.DictReader(file)}
    assert "'=Day 1" in titles, "a spreadsheet would take it for a formula"
    calendar = Calendar.from_ical((exported / "events" / "events.ics").read_bytes())
    assert {str(one["summary"]) for one in calendar.walk("VEVENT")} == {
        "A talk",
        "A walk",
        "Soup",
        "Cold soup",
    }


def test_guests_go_along_and_no_secret_does(exported: Path, hub: Furnished) -> None:
    assert {row["email"] for row in _rows(exported, "directory/guests")} == {GUEST["email"], PENDING["email"]}
    [webhook] = _rows(exported, "notify/webhooks")
    assert webhook["id"] == hub.webhook
    for file in exported.rglob("*"):
        for secret in hub.secrets:
            assert not file.is_file() or secret.encode() not in file.read_bytes(), file


def test_whosever_name_went_out_can_see_that_it_did(old: Cell, exported: Path) -> None:
    assert exported.is_dir()
    guest = next(UUID(row["id"]) for row in _rows(exported, "directory/guests"))
    for auth in (old.auth(HUB, "member", "Åsa"), {"Authorization": f"Bearer {old.token_of(guest)}"}):
        looks = old.http.get("/v1/me/looks", headers=auth).json()["items"]
        [look] = [one for one in looks if one["what"] == "hub-export"]
        assert (look["hub"], look["role"], look["viewer_name"]) == (HUB, "platform", None)
        assert look["viewer"] == str(UUID(int=0))
    assert old.http.get("/v1/me/looks", headers=old.auth("elsewhere", "member")).json()["items"] == []


def test_looking_writes_nothing_and_says_what_the_cell_lacks(new: Cell, packed: Path) -> None:
    asks = partial(ask, new)
    with pytest.raises(RemoteProblem) as refused:
        new.run(moving.look(asks, Inbound(packed), quiet), seconds=60)
    assert refused.value.document["code"] == "hub-differs"
    assert SKILL in refused.value.document["detail"]
    knows_the_skill(new)
    new.run(moving.look(asks, Inbound(packed), quiet), seconds=60)
    assert new.http.get(URL).status_code == 404


class CutOff(Exception):
    """The import is dead: what was asked last may have been done."""


def _dies(cell: Cell, after: int, *, unheard: bool) -> moving.Ask:
    """Asks that many times; then the import dies, `unheard` when the last answer does not arrive."""
    asked = 0

    async def asks(service: str, request: Request[Any]) -> Any:
        nonlocal asked
        asked += 1
        if asked > after and not unheard:
            raise CutOff
        answer = await ask(cell, service, request)
        if asked > after:
            raise CutOff
        return answer

    return asks


def test_an_import_that_dies_again_and_again_ends_with_everything_once(
    old: Cell, new: Cell, hub: Furnished, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, mailed = seen(old, hub), len(new.outside.post.taken)
    source = Inbound(packed)
    for after in (4, 13, 21, 26):
        asks = _dies(new, after, unheard=after % 2 == 0)
        with pytest.raises(CutOff):
            new.run(moving.take_in(asks, source, quiet), seconds=60)
    timers = ExportHub(hub=HUB, entity="timers")
    assert new.run(ask(new, "events", timers)).rows == (), "nothing moves by itself before all is there"
    at_home(tmp_path, new.account, monkeypatch)
    done = foci("hub", "import", str(packed))
    assert done.exit_code == 0, done.output
    written, same, compared = (int(word) for word in done.stdout.split() if word.isdecimal())
    things = sum(part.count for part in source.manifest.files)
    assert written + same == things
    assert same > MANY, "what had come before is not taken in again"
    assert compared == sum(
        part.count for part in source.manifest.files if not part.passing and part.entity != moving.GUESTS
    )
    moved_to(new, old)
    eventually("it looks the same", lambda: seen(new, hub) == before, seconds=30)
    again = foci("hub", "import", str(packed))
    assert (again.exit_code, again.stdout.split()[:2]) == (0, [f"{HUB}:", "0"]), again.output
    assert seen(new, hub) == before
    assert new.outside.post.taken[mailed:] == [], "nobody is told again what they were told"


def test_timers_come_last_and_all_of_them(new: Cell, exported: Path) -> None:
    """Until all is there nothing moves: an event that ended half way would not be as it was exported."""
    asked = ExportHub(hub=HUB, entity="timers")
    there = {(row["kind"], row["key"]) for row in new.run(ask(new, "events", asked)).rows}
    assert {(row["kind"], row["key"]) for row in _rows(exported, "events/timers")} == there
    assert any(kind == "series-extends" for kind, _ in there)


def test_life_goes_on_there(new: Cell, hub: Furnished, exported: Path) -> None:
    """Nothing is booked twice, what is new gets units of its own, and series and webhooks go on."""
    assert exported.is_dir()
    taken = {"space": "floor", **new.slot(20)}
    refused = new.http.post(f"{URL}/bookings", json=taken, headers=new.auth(HUB, "operator"))
    assert (refused.status_code, refused.json()["code"]) == (409, "space-taken")
    new.space(HUB, "attic")
    new.book(HUB, "attic", **new.slot(1))
    assert new.book(HUB, "room", **new.slot(1, hour=15))["status"] == "confirmed"
    added = acts(new, "POST", f"{URL}/series/{hub.series}/dates", json={"start": hub.left_out})
    assert added["title"] == "Soup"
    skipped = acts(new, "GET", f"{URL}/series/{hub.series}")["skipped"]
    assert [one["because"] for one in skipped] == ["cancelled"]
    assert acts(new, "GET", f"{URL}/events/{hub.detached}")["title"] == "Cold soup"
    assert acts(new, "POST", f"{URL}/events/{hub.walk}/sign-ups", "member", "Late", json={})["place"] == 4


def test_a_webhook_sends_nothing_until_it_has_a_new_secret_and_is_made_active(
    new: Cell, hub: Furnished, exported: Path
) -> None:
    assert exported.is_dir()
    url = f"{URL}/webhooks/{hub.webhook}"
    answer = new.http.get(url, headers=new.auth(HUB, "operator"))
    there = answer.json()
    assert (there["state"], there["because"], there["name"]) == (
        "paused",
        "by-operator",
        "The board at the door",
    )
    given = acts(new, "POST", f"{url}/rotate-secret")
    assert given["secret"] not in hub.secrets
    change = {"If-Match": new.http.get(url, headers=new.auth(HUB, "operator")).headers["etag"]}
    wanted = {"active": True, "url": new.outside.target.url}
    assert acts(new, "PATCH", url, json=wanted, headers=change)["state"] == "active"
    assert new.outside.target.received == [], "nothing was sent before"
    assert delivery_for(new, HUB, hub.webhook)["state"] == "delivered"


def test_a_hub_that_is_there_and_different_is_refused_and_stays_as_it_is(new: Cell, exported: Path) -> None:
    row = _rows(exported, "directory/hub")[0]
    other = ImportHub(hub=HUB, entity="hub", rows=({**row, "name": "Somebody else's"},), only_look=True)
    with pytest.raises(RemoteProblem) as refused:
        new.run(ask(new, "directory", other))
    assert refused.value.document["code"] == "hub-differs"
    with pytest.raises(RemoteProblem):
        new.run(ask(new, "directory", ImportHub(hub="first-here", entity="hub", rows=(row,))))


def test_what_is_not_whole_or_not_as_it_was_is_not_taken_in(packed: Path, tmp_path: Path) -> None:
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
    smuggled = ImportHub(hub="first-here", entity="spaces", rows=(_rows(exported, "booking/spaces")[0],))
    with pytest.raises(RemoteProblem) as refused:
        new.run(ask(new, "booking", smuggled))
    assert refused.value.document["status"] == Invalid.status


def test_what_cannot_be_moved_is_said_in_a_sentence(
    old: Cell, hub: Furnished, packed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(tmp_path, old.account, monkeypatch)
    acts(old, "POST", f"{URL}/events/{hub.walk}/cancel")
    there = tmp_path / "there.zip"
    there.touch()
    for words, code, sentence in (
        (("export", "nowhere", "--to", str(tmp_path / "n")), 2, "There is no hub nowhere in this cell."),
        (("export", "No Such", "--to", str(tmp_path / "n")), 2, "cannot be a hub's slug"),
        (("export", HUB, "--to", str(there)), 2, "is there already"),
        (("export", HUB, "--to", str(there / "x.zip")), 2, "File exists"),
        (("export", HUB, "--to", str(there / "x")), 2, "Not a directory"),
        (("import", str(tmp_path / "x.zip")), 2, "is not there"),
        (("import", str(there)), 2, "neither a folder nor a zip file"),
        (("import", str(packed)), 1, "differs in"),
    ):
        done = foci("hub", *words)
        assert done.exit_code == code, (words, done.output)
        assert sentence in done.output, words
        assert done.exception is None or isinstance(done.exception, SystemExit)
    assert not list((tmp_path / "n").glob("*"))


def test_no_request_is_larger_than_the_bus_takes() -> None:
    row = {"text": "x" * 60_000}
    sizes = [len(some) for some in moving._requests([row] * 9)]
    assert sizes == [4, 4, 1]
    assert [len(some) for some in moving._requests([{}] * 250)] == [100, 100, 50]
    assert [len(some) for some in moving._requests([{"text": "x" * 400_000}] * 2)] == [1, 1]
