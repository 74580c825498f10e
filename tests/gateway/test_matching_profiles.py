"""`/v1/me/profile`, consents and organisations over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.gateway.cell import Cell
from tests.gateway.matching_things import heard, vocabulary
from tests.gateway.problems import problem

PROFILE = "/v1/me/profile"
OFFER = f"{PROFILE}/offers/bookkeeping"


@pytest.fixture(scope="module")
def skilled(cell: Cell) -> Cell:
    """The cell with a few skills."""
    vocabulary(cell)
    return cell


def test_a_profile_is_said_piece_by_piece_and_read_in_the_readers_language(skilled: Cell) -> None:
    auth = heard(skilled, "here", "member", "Says A Lot")
    empty = skilled.http.get(PROFILE, headers=auth)
    assert (empty.status_code, empty.json()["visibility"]) == (200, "nobody")
    said = {"level": "expert", "words": "Bokslut <b>för</b> små bolag", "until": "2999-12-31"}
    swedish = {**auth, "Accept-Language": "sv"}
    offered = skilled.http.put(OFFER, json=said, headers=swedish)
    assert offered.status_code == 200, offered.text
    assert offered.json()["offers"] == [{"concept": "bookkeeping", "label": "bokföring", **said}]
    assert skilled.http.put(f"{PROFILE}/needs/photography", headers=auth).status_code == 200
    opened = skilled.http.put("/v1/me/consents/here", headers=auth).json()
    assert [(one["hub"], one["counts"]) for one in opened["consents"]] == [("here", True)]
    version = skilled.http.get(PROFILE, headers=swedish).headers["etag"]
    edit = {"about": "Hej", "languages": ["sv"], "visibility": "hub"}
    changed = skilled.http.patch(PROFILE, json=edit, headers={**swedish, "If-Match": version})
    assert changed.status_code == 200, changed.text
    seen = skilled.http.get(PROFILE, headers=swedish)
    assert seen.json() == changed.json()
    assert seen.headers["etag"] == changed.headers["etag"]
    again = {**swedish, "If-None-Match": seen.headers["etag"]}
    assert skilled.http.get(PROFILE, headers=again).status_code == 304
    assert skilled.http.delete(OFFER, headers=auth).json()["offers"] == []
    closed = skilled.http.delete("/v1/me/consents/here", headers=auth)
    assert closed.json()["consents"] == []
    erased = skilled.http.delete(PROFILE, headers=auth).json()
    assert (erased["about"], erased["needs"], erased["version"]) == ("", [], 1)


def test_a_change_says_on_which_version_it_was_decided(skilled: Cell) -> None:
    auth = heard(skilled, "here", "member", "Careful With Words")
    version = skilled.http.get(PROFILE, headers=auth).headers["etag"]
    problem(skilled.http.patch(PROFILE, json={"about": "x"}, headers=auth), 428, "precondition-required")
    first = skilled.http.patch(PROFILE, json={"about": "x"}, headers={**auth, "If-Match": version})
    assert first.status_code == 200
    late = skilled.http.patch(PROFILE, json={"about": "y"}, headers={**auth, "If-Match": version})
    problem(late, 412, "version-mismatch")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "code", "field"),
    [
        ("PUT", f"{PROFILE}/offers/asdf-qwerty", {}, 404, "not-found", "concept"),
        ("PUT", f"{PROFILE}/offers/Not%20a%20skill", {}, 422, "invalid", "concept"),
        ("PUT", OFFER, {"level": "god"}, 422, "invalid", "level"),
        ("PUT", OFFER, {"until": "2001-01-01"}, 422, "invalid", "until"),
        ("PUT", OFFER, {"words": "x" * 201}, 422, "invalid", "words"),
        ("PUT", OFFER, {"price": 1}, 422, "invalid", "price"),
        ("PUT", "/v1/me/consents/there", None, 404, "not-found", "hub"),
        ("PUT", "/v1/me/consents/nowhere", None, 404, "not-found", "hub"),
        ("POST", "/v1/me/organisations", {"hub": "there", "name": "Elsewhere AB"}, 404, "not-found", "hub"),
        ("POST", "/v1/me/organisations", {"hub": "here", "name": ""}, 422, "invalid", "name"),
        ("PATCH", PROFILE, {"about": None}, 422, "invalid", None),
        ("PATCH", PROFILE, {"visibility": "everybody"}, 422, "invalid", "visibility"),
        ("PATCH", PROFILE, {"languages": ["svenska"]}, 422, "invalid", "languages.0"),
        ("PATCH", PROFILE, {"talk_about": ["x"] * 21}, 422, "invalid", "talk_about"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_place(
    skilled: Cell, method: str, path: str, body: Any, status: int, code: str, field: str | None
) -> None:
    auth = {**heard(skilled, "here", "member", "Says Odd Things"), "If-Match": '"1"'}
    more = {} if field is None else {"field": field}
    problem(skilled.http.request(method, path, json=body, headers=auth), status, code, **more)
    assert skilled.http.get(PROFILE, headers=auth).json()["version"] == 1


def test_an_organisation_is_made_once_under_its_key_and_kept_by_who_made_it(skilled: Cell) -> None:
    auth = heard(skilled, "here", "member", "Founder")
    body, key = {"hub": "here", "name": "Nordvikens Redovisning"}, {"Idempotency-Key": "a-company"}
    made = skilled.http.post("/v1/me/organisations", json=body, headers={**auth, **key})
    assert made.status_code == 201, made.text
    twin = skilled.http.post("/v1/me/organisations", json=body, headers={**auth, **key})
    assert (twin.status_code, twin.json()) == (201, made.json())
    url = made.headers["location"]
    assert skilled.http.put(f"{url}/offers/bookkeeping", headers=auth).json()["id"] == made.json()["id"]
    listed = skilled.http.get("/v1/me/organisations", headers=auth).json()
    assert [one["name"] for one in listed["items"]] == ["Nordvikens Redovisning"]
    other = heard(skilled, "here", "member", "Not The Founder")
    for method in ("GET", "DELETE"):
        problem(skilled.http.request(method, url, headers=other), 404, "not-found")
    assert skilled.http.delete(url, headers=auth).status_code == 200
    problem(skilled.http.get(url, headers=auth), 404, "not-found")
