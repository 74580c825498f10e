"""Events over HTTP: versions that count, languages, pages, calendars, and what is kept as text."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import icalendar
import orjson
import pytest

from tests.gateway.cell import Cell, eventually
from tests.gateway.problems import problem
from tests.gateway.test_http import walk

EVENTS = "/v1/hubs/here/events"
TEXTS = {
    "sv": {"title": "Frukost", "text": "Kaffe och bröd."},
    "en": {"title": "Breakfast", "text": "Coffee and bread."},
}


def test_a_tag_changes_with_the_places_and_says_the_version_all_the_same(cell: Cell) -> None:
    owner = cell.auth("here", "member", "Runs It")
    event = cell.meet("here", name="Runs It", capacity=5)
    url = f"{EVENTS}/{event['id']}"
    before = cell.http.get(url, headers=owner)
    signed = cell.http.post(f"{url}/sign-ups", headers=cell.auth("here", "member", "Comes"))
    assert signed.status_code == 201
    after = cell.http.get(url, headers={**owner, "If-None-Match": before.headers["etag"]})
    assert after.status_code == 200, "somebody has signed up meanwhile"
    assert after.json()["version"] == before.json()["version"]
    assert after.headers["etag"] != before.headers["etag"]
    # Who decided on the older count has decided on this version; a sign-up does not stand in the way of a new title.
    changed = cell.http.patch(url, json={"title": "B"}, headers={**owner, "If-Match": before.headers["etag"]})
    assert changed.status_code == 200, changed.text
    stale = cell.http.patch(url, json={"title": "C"}, headers={**owner, "If-Match": after.headers["etag"]})
    problem(stale, 412, "version-mismatch")
    bare = f'W/"{changed.json()["version"]}"'
    assert cell.http.patch(url, json={"title": "D"}, headers={**owner, "If-Match": bare}).status_code == 200
    problem(cell.http.patch(url, json={"title": "E"}, headers=owner), 428, "precondition-required")


def test_texts_come_in_the_language_that_is_liked_best(cell: Cell) -> None:
    event = cell.meet("here", title=None, texts=TEXTS, language="sv")
    url = f"{EVENTS}/{event['id']}"
    for accepted, title in (
        ("en", "Breakfast"),
        ("da, en;q=0.8", "Frukost"),
        ("sv;q=0.1, en-GB;q=0.9", "Breakfast"),
        ("*", "Frukost"),
        ("", "Frukost"),
        ("x-klingon, EN", "Breakfast"),
        (";;q=7,,", "Frukost"),
    ):
        said = cell.http.get(url, headers={"Accept-Language": accepted})
        assert said.status_code == 200, said.text
        assert said.json()["title"] == title, accepted
        assert said.headers["vary"] == "Authorization, Accept-Language"
    assert set(cell.http.get(url).json()["texts"]) == {"sv", "en"}


def test_pages_of_events_and_of_mine(cell: Cell) -> None:
    starter = {"name": "Keen"}
    made = [cell.meet("here", tags=["paged"], **starter, **cell.slot(day=40 + day // 2)) for day in range(7)]
    pages = walk(cell.http, f"{EVENTS}?limit=3&tag=paged", {})
    assert [len(page) for page in pages] == [3, 3, 1]
    shown = [one["id"] for page in pages for one in page]
    assert sorted(shown) == sorted(one["id"] for one in made)
    starts = [one["start"] for page in pages for one in page]
    assert starts == sorted(starts)
    mine = walk(cell.http, "/v1/me/events?limit=3", cell.auth("here", "member", "Keen"))
    assert {one["id"] for page in mine for one in page} == set(shown)
    people = [cell.auth("here", "member", f"Paged {number}") for number in range(5)]
    url = f"{EVENTS}/{made[0]['id']}/sign-ups"
    for auth in people:
        assert cell.http.post(url, headers=auth).status_code == 201
    listed = walk(cell.http, f"{url}?limit=2", cell.auth("here", "member", "Keen"))
    assert [one["place"] for page in listed for one in page] == [1, 2, 3, 4, 5]
    problem(cell.http.get(f"{EVENTS}?limit=101"), 422, "invalid", field="limit")
    problem(cell.http.get(f"{EVENTS}?from=yesterday-or-so"), 422, "invalid", field="from")


def test_a_series_made_changed_and_cancelled(cell: Cell) -> None:
    owner = cell.auth("here", "member", "Runs It")
    first = cell.meet("here", name="Runs It", repeat={"rule": "FREQ=WEEKLY;COUNT=4"})
    path = f"/v1/hubs/here/series/{first['series']}"
    series = cell.http.get(path, headers=owner)
    assert (series.json()["dates"], series.json()["first"]) == (4, first["id"])
    change = {"change": {"title": "Every week"}}
    changed = cell.http.patch(path, json=change, headers={**owner, "If-Match": series.headers["etag"]})
    assert (changed.status_code, changed.json()["refused"]) == (200, []), changed.text
    dates = cell.http.get(f"{EVENTS}?series={first['series']}").json()["items"]
    assert {one["title"] for one in dates} == {"Every week"}
    more = cell.http.post(f"{path}/dates", json=cell.slot(day=200), headers=owner)
    assert (more.status_code, more.json()["series"]) == (201, first["series"])
    assert cell.http.get(more.headers["location"], headers=owner).json() == more.json()
    following = {"from_event": dates[2]["id"], "reason": "Summer"}
    cancelled = cell.http.post(f"{path}/cancel", json=following, headers=owner)
    assert cancelled.json()["dates"] == 2, cancelled.text
    for rule, code in (
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "rule-without-dates"),
        ("FREQ=NOW", "rule-not-understood"),
    ):
        body = {"title": "Never", **cell.slot(), "repeat": {"rule": rule}}
        problem(cell.http.post(EVENTS, json=body, headers=owner), 422, code)


def test_an_event_with_a_room_is_published_when_booking_has_confirmed_it(cell: Cell) -> None:
    owner = cell.auth("here", "member", "Runs It")
    slot = cell.slot(day=70)
    event = cell.meet("here", name="Runs It", place={"space": "room"}, **slot)
    url = f"{EVENTS}/{event['id']}"

    def is_published() -> bool:
        return bool(cell.http.get(url, headers=owner).json()["status"] == "published")

    eventually("the room is agreed", is_published)
    venue = cell.http.get(url, headers=owner).json()["venue"]
    assert (venue["state"], venue["space"]) == ("confirmed", "room")
    assert cell.http.get(url).json()["venue"] is None, "how the room was agreed is for those who run it"
    wish = {"space": "room", **slot}
    refused = cell.http.post("/v1/hubs/here/bookings", json=wish, headers=cell.auth("here", "member"))
    problem(refused, 409, "space-taken")
    second = cell.meet("here", name="Runs It", place={"space": "room"}, **slot)

    def is_refused() -> Any:
        seen = cell.http.get(f"{EVENTS}/{second['id']}", headers=owner).json()
        return seen["status"] == "draft" and seen["venue"]

    told = eventually("the second is told", is_refused)
    assert (told["state"], told["because"]) == ("refused", "space-taken")
    assert told["free_times"]
    assert cell.http.post(f"{url}/cancel", headers=owner).status_code == 200

    def is_free() -> bool:
        wanted = {**cell.auth("here", "member"), "Idempotency-Key": str(uuid4())}
        return cell.http.post("/v1/hubs/here/bookings", json=wish, headers=wanted).status_code == 201

    eventually("the room is free again", is_free)


def test_calendars_are_read_by_those_they_are_for(cell: Cell) -> None:
    event = cell.meet("here", title="Fest & <b>mat</b>", visibility="public")
    auth = cell.auth("here", "member", "Subscriber")
    assert cell.http.post(f"{EVENTS}/{event['id']}/sign-ups", headers=auth).status_code == 201
    feed = cell.http.post("/v1/hubs/here/feeds", json={"everywhere": True}, headers=auth)
    assert "secret" not in cell.http.get("/v1/me/feeds", headers=auth).text
    address = f"/v1/feeds/{feed.json()['secret']}.ics"
    for path, keep in (
        (f"{EVENTS}/{event['id']}.ics", "no-cache"),
        ("/v1/hubs/here/feeds/programme.ics", "public, max-age=300"),
        (address, "private, no-cache"),
    ):
        got = cell.http.get(path)
        assert got.headers["content-type"] == "text/calendar; charset=utf-8"
        assert got.headers["content-disposition"].startswith("inline")
        assert got.headers["cache-control"] == keep
        read = icalendar.Calendar.from_ical(got.content)
        titles = [str(one["SUMMARY"]) for one in read.walk("VEVENT")]
        assert "Fest & <b>mat</b>" in titles, path
        assert cell.http.head(path).headers["etag"] == got.headers["etag"]
    revoked = cell.http.delete(feed.headers["location"], headers=auth)
    assert revoked.status_code == 200, revoked.text
    problem(cell.http.get(address), 404, "not-found")
    problem(cell.http.get("/v1/feeds/guessed.ics"), 404, "not-found")
    assert cell.http.get("/v1/me/feeds", headers=auth).json()["items"] == []


def test_linked_data_can_stand_in_a_page(cell: Cell) -> None:
    event = cell.meet("here", title="</script><b>&", cost="40 kr")
    answer = cell.http.get(f"{EVENTS}/{event['id']}.jsonld")
    assert answer.headers["content-type"] == "application/ld+json"
    assert not set(answer.text) & set("<>&")
    document = orjson.loads(answer.content)
    assert (document["@type"], document["name"]) == ("Event", "</script><b>&")


@pytest.mark.parametrize(
    ("title", "shown"),
    [
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("a\x00b\x1bc", "a␀b␛c"),
        ("one\ntwo", "one two"),
    ],
)
def test_whatever_people_write_is_kept_as_text(cell: Cell, title: str, shown: str) -> None:
    assert cell.meet("here", title=title)["title"] == shown


def test_the_same_key_starts_one_event(cell: Cell) -> None:
    auth = {**cell.auth("here", "member"), "Idempotency-Key": str(uuid4())}
    body = {"title": "Once", **cell.slot()}
    first, second = (cell.http.post(EVENTS, json=body, headers=auth) for _ in range(2))
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["etag"] == second.headers["etag"]
    problem(
        cell.http.post(EVENTS, json={**body, "title": "Twice"}, headers=auth), 422, "idempotency-key-reused"
    )
    backwards = {"title": "Backwards", "start": body["end"], "end": body["start"]}
    problem(cell.http.post(EVENTS, json=backwards, headers=cell.auth("here", "member")), 422, "invalid")
