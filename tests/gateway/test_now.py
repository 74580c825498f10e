"""The page that shows a hub now: in three languages, readable without its script, and its script may do nothing else."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256

import pytest

from services.gateway.pages.now import NOW
from tests.gateway.cell import Cell
from tests.gateway.problems import problem


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


@pytest.mark.parametrize("language", NOW)
def test_the_page_says_in_words_how_full_it_is(cell: Cell, language: str) -> None:
    answer = cell.http.get("/v1/hubs/here/now", headers={"Accept-Language": language})
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["content-language"] == language
    page, words = answer.text, NOW[language]
    assert f'<html lang="{language}">' in page
    assert words.title.format(hub="Here") in page
    assert words.free in page
    assert words.numbers.format(free=6, capacity=6) in page
    assert 'aria-live="polite"' in page
    assert 'data-live="/v1/live?hub=here&amp;topics=occupancy"' in page


def test_whoever_has_a_session_here_is_asked_for_as_themselves(cell: Cell) -> None:
    anybody = cell.http.get("/v1/hubs/here/now")
    assert 'data-session="no"' in anybody.text
    assert anybody.headers["vary"] == "Accept-Language, Cookie"
    known = cell.http.get("/v1/hubs/here/now", headers={"Cookie": "foci-session=whatever"})
    assert 'data-session="yes"' in known.text
    assert "whatever" not in known.text
    assert known.headers["etag"] != anybody.headers["etag"]


def test_only_its_own_script_and_style_run_and_only_here_is_asked(cell: Cell) -> None:
    answer = cell.http.get("/v1/hubs/here/now")
    policy = dict(one.split(" ", 1) for one in answer.headers["content-security-policy"].split("; "))
    [script] = re.findall(r"<script>(.*?)</script>", answer.text, re.DOTALL)
    [style] = re.findall(r"<style>(.*?)</style>", answer.text, re.DOTALL)
    assert policy["script-src"] == _hash(script)
    assert policy["style-src"] == _hash(style)
    assert (policy["default-src"], policy["connect-src"]) == ("'none'", "'self'")
    assert "innerHTML" not in script


def test_what_a_hub_is_called_stays_text(cell: Cell) -> None:
    cell.hub("odd", name='"><script>alert(1)</script>')
    page = cell.http.get("/v1/hubs/odd/now").text
    assert "<script>alert" not in page
    problem(cell.http.get("/v1/hubs/nowhere/now"), 404, "not-found")
