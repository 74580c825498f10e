"""Skills over HTTP: found from anybody's words in the reader's language, and shown with their neighbours."""

from __future__ import annotations

import pytest

from tests.gateway.cell import Cell

LISTS = "/v1/skills"


@pytest.mark.parametrize("text", ["bokföring", "bogføring", "bookkeeping", "hjälp med bokföringen"])
def test_a_skill_is_found_in_any_language_and_shown_in_mine(cell: Cell, text: str) -> None:
    auth = cell.auth("here", "member") | {"Accept-Language": "da"}
    answer = cell.http.get(LISTS, params={"text": text}, headers=auth)
    assert answer.status_code == 200
    first = answer.json()["items"][0]
    assert (first["id"], first["label"]) == ("bookkeeping", "bogføring")
    assert first["confidence"] >= 0.5
    assert "Accept-Language" in answer.headers["vary"]
    assert answer.json()["next"] is None
    assert (
        cell.http.get(
            LISTS, params={"text": text}, headers=auth | {"If-None-Match": answer.headers["etag"]}
        ).status_code
        == 304
    )


def test_what_is_no_skill_gives_an_empty_list(cell: Cell) -> None:
    answer = cell.http.get(
        LISTS, params={"text": "det regnar på tisdag"}, headers=cell.auth("here", "member")
    )
    assert answer.status_code == 200
    assert answer.json()["items"] == []


@pytest.mark.parametrize("text", ["", " ", "x" * 201, "a\u202eb", "a\x00b"])
def test_words_that_are_none_are_refused(cell: Cell, text: str) -> None:
    answer = cell.http.get(LISTS, params={"text": text}, headers=cell.auth("here", "member"))
    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"


def test_a_skill_is_shown_with_what_is_around_it(cell: Cell) -> None:
    auth = cell.auth("here", "member") | {"Accept-Language": "sv"}
    shown = cell.http.get(f"{LISTS}/bookkeeping", headers=auth).json()
    assert shown["label"] == "bokföring"
    assert {"language": "da", "preferred": "bogføring"}.items() <= shown["labels"][0].items()
    assert shown["broader"] == [{"id": "finance", "label": "ekonomi"}]
    assert shown["reviewed"] is False
    for unknown in ("no-such-skill", "esco:6f0c1d52-0000-4000-8000-000000000000"):
        assert cell.http.get(f"{LISTS}/{unknown}", headers=auth).status_code == 404
    assert cell.http.get(f"{LISTS}/ESCO:1", headers=auth).status_code == 422
