"""Somebody who has used everything is erased: no column of any service holds them any more, but for a list with reasons.

Before that they did whatever leaves an id behind: a column of ids that is not known here turns the walk red until they have
left theirs in it, or it is said what else it holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any
from uuid import UUID
from zipfile import ZipFile

import orjson
import pytest
from icalendar import Calendar

from services.gateway.pages.receipt_words import RECEIPT
from services.gateway.pages.words import LANGUAGES
from shared.contracts.forgetting import Reason, Thing
from tests.gateway.cell import SETTINGS, Cell, eventually, running_cell
from tests.gateway.holdings import Column, holdings, id_columns
from tests.gateway.pages import BROWSER, Seen, sound
from tests.gateway.planted_person import ADDRESS, MARK, OTHER, Planted, planted
from tests.gateway.problems import problem

OF_THINGS = {
    "booking": "booking.event booking.id venue.booking venue.event",
    "directory": "api_token.id organisation.id refresh_token.session session.id sign_in.id sign_in_wish.id",
    "events": "event.id event.series feed.id organiser.event places.event refusal.event refusal.id series.id "
    "series_skip.series sign_up.event sign_up.id venue.booking venue.event",
    "matching": "introduction.id outcome.introduction statement.id",
    "notify": "booking.id delivery.fact delivery.id delivery.webhook event.id event.series introduction.id message.id "
    "notice.id notice.message notice.thing sign_in.id sign_up.event sign_up.id told.thing webhook.id",
}
"""Columns whose ids are of things."""
OF_FACTS = "dead_letter.fact_id dead_letter.id inbox.fact_id outbox.fact_id"
"""In every service."""
OF_ERASURES = {
    **dict.fromkeys(("booking", "events", "matching", "notify"), "forgotten_person.person"),
    "directory": "erasure.person erasure_answer.person erasure_wish.person",
}
"""Where there is nobody until somebody is erased."""
SORTED = {("matching", "introduction", "other"), ("notify", "introduction", "other")}
"""The lower of two ids stands in `one`: the person is in one of the two."""

KEPT = {
    "outbox.body": "what was stated, ids and no words, for 30 days like the streams: docs/erasure.md",
    "heard_version.subject": "the order of facts about a membership: ids; without it a late fact would be the first",
    "forgotten_person.person": "so that nothing said of them later brings anything back",
    "erasure.person": "so that a service restored from a backup can be told again",
    "erasure_answer.person": "the same",
    "dead_letter.body": "what could not be taken in, ids and no words, for 30 days like the streams: it may have to be replayed",
    "parked_fact.body": "the same, while an earlier one is missing",
    "delivery.body": "the log of what a hub's webhooks were sent, an id and no words, for 30 days",
}
"""Columns that hold the id after an erasure, and why; nothing may hold a name, an address or a word."""


def _columns(of: dict[str, str]) -> set[Column]:
    return {
        (service, *one.split("."))  # type: ignore[misc]  # two parts
        for service, names in of.items()
        for one in names.split()
    }


@pytest.fixture(scope="module")
def cell() -> Iterator[Cell]:
    """Two hubs; whoever asks waits longer than people do, for the person does in seconds what takes others years."""
    with running_cell(wired=False, deadline_s=15.0) as running:
        for hub in ("here", "there"):
            running.hub(hub)
            running.space(hub, "room")
            running.space(hub, "flex", "flex", seats=6)
        yield running


@pytest.fixture(scope="module")
def who(cell: Cell) -> Planted:
    """Somebody who has used everything."""
    return planted(cell)


def test_they_have_left_themselves_wherever_an_id_can_be(cell: Cell, who: Planted) -> None:
    things = _columns(OF_THINGS) | _columns(dict.fromkeys(SETTINGS, OF_FACTS)) | _columns(OF_ERASURES)
    held = set(holdings(cell, who.id, MARK))
    known = id_columns(cell)
    assert known - things - SORTED - held == set(), "leave the person's id there, or say what the ids are of"
    assert things <= known
    assert not things & held


NOT_EXPORTED = {
    "outbox": "what was stated, ids only: it says again what the tables say",
    "heard_version": "the order of facts, ids only",
    "idempotency_key": "answers kept for a day for whoever asks again: what the tables say",
    "fact_count": "how many facts were stated",
    "dead_letter": "what was stated and could not be taken in, ids only",
    "parked_fact": "the same, while an earlier one is missing",
    "delivery": "what a hub's own systems were sent, which is the hub's",
}


LOOKS = """
    INSERT INTO look (person, hour, viewer, hub, what, role)
    SELECT '{person}', date_trunc('hour', now()) - make_interval(hours => n), gen_random_uuid(), 'there', 'names', 'host'
    FROM generate_series(2, 451) n
"""
"""More than one part of an export holds, over weeks in which nothing else was looked at."""


def test_the_export_misses_no_table_and_shows_nobody_else(cell: Cell, who: Planted) -> None:
    cell.sql("directory", LOOKS.format(person=who.id))
    assert cell.http.post("/v1/me/export").status_code == 401
    answer = cell.http.post("/v1/me/export", headers=who.auth)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    problem(cell.http.post("/v1/me/export", headers=who.auth), 429, "too-many-requests")
    with ZipFile(BytesIO(answer.content)) as file:
        files = {name: file.read(name).decode() for name in file.namelist()}
    held = {
        (service, table) for service, table, _ in holdings(cell, who.id, MARK) if table not in NOT_EXPORTED
    }
    there = {
        (service, table.removesuffix(".jsonl"))
        for service, table in (n.split("/") for n in files if "/" in n)
    }
    assert {(service, table.replace("_", "-")) for service, table in held} <= there
    assert ADDRESS in files["directory/person.jsonl"]
    assert "Vanja" in files["directory/person.jsonl"]
    assert "Det här är allt" in files["README.txt"]
    hours = [
        line["hour"]
        for line in map(orjson.loads, files["directory/look.jsonl"].splitlines())
        if line["what"] == "names"
    ]
    assert len(hours) == len(set(hours)) == 450, "part after part, nothing lost and nothing twice"
    events = Calendar.from_ical(files["calendar.ics"]).walk("VEVENT")
    assert len(events) == 5 + 3, "bookings, one of them for an event, and sign-ups"
    others = {
        str(cell.person("here", "member", name))
        for name in (OTHER, "Friend", "Waiting", "Shown", "Put aside")
    }
    assert not [one for one in others if one in "".join(files.values())]


def test_they_see_who_was_shown_their_name(cell: Cell, who: Planted) -> None:
    looks = who.acts("GET", "/v1/me/looks")["items"]
    seen = {(one["hub"], one["what"], one["role"], one["viewer_name"]) for one in looks}
    assert ("here", "sign-ups", "operator", "here operator") in seen
    assert str(who.id) not in {one["viewer"] for one in looks}, "looking at oneself is no look"


def test_a_number_that_was_not_given_erases_nothing(cell: Cell, who: Planted) -> None:
    first, second = (who.acts("DELETE", "/v1/me")["number"] for _ in range(2))
    for number in (first, "x" * 32):
        body = {"confirmation": number}
        answer = cell.http.request("DELETE", "/v1/me", json=body, headers=who.auth)
        problem(answer, 409, "confirmation-lapsed")
    other = cell.auth("here", "member", OTHER)
    theirs = cell.http.request("DELETE", "/v1/me", json={"confirmation": second}, headers=other)
    problem(theirs, 409, "confirmation-lapsed")
    problem(cell.http.get(f"/v1/me/erasure/{second}"), 404, "no-such-receipt")
    assert who.acts("GET", "/v1/me")["memberships"]


def test_nothing_of_theirs_is_left_when_all_have_answered(cell: Cell, who: Planted) -> None:
    number = who.acts("DELETE", "/v1/me")["number"]
    before = cell.http.get("/v1/hubs/here/availability", params=_on_their_day(cell)).json()
    for _ in range(2):
        assert who.acts("DELETE", "/v1/me", json={"confirmation": number})["confirmed"]
    url = f"/v1/me/erasure/{number}"
    eventually("every service has answered", lambda: cell.http.get(url).json()["complete"])
    receipt = cell.http.get(url).json()
    told = {(one["service"], line["what"]) for one in receipt["services"] for line in one["told"]}
    assert {("booking", "bookings"), ("events", "sign-ups"), ("matching", "profiles")} < told
    codes = {line["what"] for one in receipt["services"] for line in one["told"]}
    reasons = {line["because"] for one in receipt["services"] for line in one["told"]} - {None}
    assert codes <= {*Thing}
    assert reasons == {*Reason}
    _people_can_read(cell, url, receipt)
    assert MARK not in str(receipt).lower()
    assert str(who.id) not in str(receipt)
    after = cell.http.get("/v1/hubs/here/availability", params=_on_their_day(cell)).json()
    assert after != before, "what they had ahead is free again"
    problem(cell.http.get("/v1/me", headers=who.auth), 404, "not-found")
    cell.clock.ahead += timedelta(minutes=16)
    eventually("no timer names them", lambda: not _named_in(cell, who, "timer"), seconds=30)
    left = holdings(cell, who.id, MARK)
    assert {f"{table}.{column}" for _, table, column in left} == set(KEPT)
    assert holdings(cell, UUID(int=1 << 127), MARK) == {}, "no word of theirs stands anywhere"


def _people_can_read(cell: Cell, url: str, receipt: Any) -> None:
    """The receipt is a page, too, with words for every line of it."""
    again = cell.http.get(url)
    assert again.headers["vary"] == "Authorization, Accept"
    assert cell.http.get(url, headers={"If-None-Match": again.headers["etag"]}).status_code == 304
    for language, words in RECEIPT.items():
        wish = {"Accept": BROWSER, "Accept-Language": language}
        answer = cell.http.get(url, headers=wish)
        assert answer.status_code == 200, answer.text
        page = Seen(answer.text)
        sound(answer, page, language, buttons=0)
        assert page.words["h1"] == [words.complete]
        assert page.words["h2"] == [*words.parts.values(), words.everywhere, words.more]
        lines = [line for one in receipt["services"] for line in one["told"]]
        for line in lines:
            thing = words.things[Thing(line["what"])]
            assert any(entry.startswith((f"{thing}: ", f"{thing}. ")) for entry in page.words["li"]), thing
        assert words.other.partition(" (")[0] not in answer.text
        gone = cell.http.get(url[:-4] + "none", headers=wish)
        assert (gone.status_code, Seen(gone.text).words["h1"]) == (404, [words.missing[0]])
    cell.run(cell.end("directory"))
    away = cell.http.get(url, headers=wish)
    cell.run(cell.begin("directory"))
    assert (away.status_code, Seen(away.text).words["h1"]) == (
        503,
        [LANGUAGES["en"].problems["unavailable"][0]],
    )


def _on_their_day(cell: Cell) -> dict[str, str]:
    slot = cell.slot(day=3)
    return {"from": slot["start"], "to": slot["end"]}


def _named_in(cell: Cell, who: Planted, table: str) -> list[Column]:
    return [place for place in holdings(cell, who.id, MARK) if place[1] == table]
