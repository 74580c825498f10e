"""`/v1/me/notices`: the inbox, what is unread, and in whose words."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from tests.gateway.cell import Cell, eventually
from tests.gateway.notify_things import notice_for
from tests.gateway.problems import problem

URL = "/v1/me/notices"


def inbox(cell: Cell, auth: dict[str, str], **params: Any) -> dict[str, Any]:
    answer = cell.http.get(URL, headers=auth, params=params)
    assert answer.status_code == 200, answer.text
    page: dict[str, Any] = answer.json()
    return page


def test_an_empty_inbox_is_a_page(cell: Cell) -> None:
    auth = cell.auth("here", "member", "Nothing Yet")
    assert inbox(cell, auth) == {"items": [], "next": None, "unread": 0}


def test_a_booking_is_told_of_and_read_once(cell: Cell) -> None:
    auth = cell.auth("here", "member", "Reads")
    told = notice_for(cell, "here", auth)
    assert (told["hub"], told["read_at"]) == ("here", None)
    [item] = told["items"]
    assert (item["kind"], item["news"], item["hub"]) == ("booking", "booked", "here")
    assert item["title"] == told["title"]
    assert item["start"]
    assert item["end"]

    # Looking at it does not read it.
    for _ in range(2):
        seen = cell.http.get(f"{URL}/{told['id']}", headers=auth)
        assert (seen.status_code, seen.json()) == (200, told)
    assert seen.headers["etag"]
    assert inbox(cell, auth)["unread"] == 1
    for _ in range(2):
        read = cell.http.post(f"{URL}/read", json={"notices": [told["id"]]}, headers=auth)
        assert (read.status_code, read.json()) == (200, {"unread": 0}), read.text
    assert cell.http.get(f"{URL}/{told['id']}", headers=auth).json()["read_at"]
    assert inbox(cell, auth, unread=True) == {"items": [], "next": None, "unread": 0}
    assert len(inbox(cell, auth)["items"]) == 1


def test_pages_of_an_inbox_newest_first_with_all_that_is_unread_counted(cell: Cell) -> None:
    auth = cell.auth("here", "member", "Busy")
    told = [notice_for(cell, "here", auth)["id"] for _ in range(3)]
    page = inbox(cell, auth, limit=2)
    assert [one["id"] for one in page["items"]] == told[:0:-1]
    assert page["unread"] == 3
    rest = cell.http.get(page["next"], headers=auth).json()
    assert ([one["id"] for one in rest["items"]], rest["next"], rest["unread"]) == (told[:1], None, 3)
    # All up to one.
    read = cell.http.post(f"{URL}/read", json={"until": told[1]}, headers=auth)
    assert read.json() == {"unread": 1}
    assert [one["id"] for one in inbox(cell, auth, unread=True)["items"]] == told[2:]


def test_notices_are_in_the_language_asked_for(cell: Cell) -> None:
    auth = cell.auth("here", "member", "Speaks")
    told = notice_for(cell, "here", auth)
    titles = {}
    for language in ("sv", "da", "en", "fi"):
        headers = {**auth, "Accept-Language": language}
        answer = cell.http.get(f"{URL}/{told['id']}", headers=headers)
        assert "Accept-Language" in answer.headers["vary"]
        titles[language] = answer.json()["title"]
        [first] = cell.http.get(URL, headers=headers).json()["items"]
        assert first["title"] == titles[language]
    assert len({titles["sv"], titles["da"], titles["en"]}) == 3
    assert titles["fi"] == titles["en"]


def test_nobody_reads_anothers_inbox(cell: Cell) -> None:
    auth = cell.auth("here", "member", "Discreet")
    told = notice_for(cell, "here", auth)
    for role in ("member", "operator", "admin"):
        other = cell.auth("here", role)
        problem(cell.http.get(f"{URL}/{told['id']}", headers=other), 404, "no-such-notice")
        cell.http.post(f"{URL}/read", json={"notices": [told["id"]], "until": told["id"]}, headers=other)
    assert cell.http.get(f"{URL}/{told['id']}", headers=auth).json()["read_at"] is None
    problem(cell.http.get(f"{URL}/{uuid4()}", headers=auth), 404, "no-such-notice")
    for path in (URL, f"{URL}/{told['id']}"):
        problem(cell.http.get(path), 401, "unauthenticated")


def test_wrong_questions_about_an_inbox_are_named(cell: Cell) -> None:
    auth = cell.auth("here", "member")
    for query in ("limit=0", "limit=101", "cursor=x", "unread=so", "hub=here"):
        field = query.partition("=")[0]
        problem(cell.http.get(f"{URL}?{query}", headers=auth), 422, "invalid", field=field)
    problem(cell.http.get(f"{URL}/one", headers=auth), 422, "invalid", field="notice")
    for body, field in (({"notices": ["x"]}, "notices.0"), ({"until": 7}, "until"), ({"all": True}, "all")):
        problem(cell.http.post(f"{URL}/read", json=body, headers=auth), 422, "invalid", field=field)


def test_a_place_that_becomes_free_is_told_with_its_deadline(cell: Cell) -> None:
    """From the fact to the inbox through the whole cell."""
    first, second = (cell.auth("here", "member", name) for name in ("Has A Place", "Stands In Line"))
    event = cell.meet("here", name="Runs The Event", capacity=1)
    url = f"/v1/hubs/here/events/{event['id']}/sign-ups"
    taken, waiting = (cell.http.post(url, headers=who).json() for who in (first, second))
    assert (taken["status"], waiting["status"]) == ("attending", "waiting")
    assert cell.http.delete(f"{url}/{taken['id']}", headers=first).status_code == 200

    def offered() -> Any:
        items = [item for one in inbox(cell, second)["items"] for item in one["items"]]
        return next((item for item in items if item["news"] == "place-offered"), None)

    item = eventually("the offer is told", offered)
    assert (item["kind"], item["thing"], item["event"]) == ("offer", waiting["id"], event["id"])
