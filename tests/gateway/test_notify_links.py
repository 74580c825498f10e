"""Links in mails as people meet them: a page in their language with one button, which does nothing by being looked at."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import httpx2
import pytest

from services.gateway.pages.words import LANGUAGES
from shared.contracts.events.words import SignUpStatus
from shared.contracts.links import LinkPurpose
from shared.contracts.notify.words import NoticeKind
from tests.gateway.cell import Cell
from tests.gateway.event_things import OFFERED, event_for, sign_up_for
from tests.gateway.notify_things import mail_to, notice_for, reachable, unsubscribe_link
from tests.gateway.pages import BROWSER, Seen, sound
from tests.gateway.problems import problem

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
EVENT_LINKS = ("confirm", "accept", "decline", "leave")


def look(cell: Cell, link: str, language: str = "en", *, method: str = "GET") -> tuple[httpx2.Response, Seen]:
    headers = {"Accept": BROWSER, "Accept-Language": language}
    answer = cell.http.request(method, link, headers=headers)
    return answer, Seen(answer.text)


def signed_up(cell: Cell, purpose: str, **event: Any) -> tuple[str, Callable[[], Any]]:
    """A link with that purpose, and a look at the sign-up it is about."""
    name = f"Linked {uuid4().hex[:6]}"
    act = purpose if purpose in OFFERED else ""
    whose = cell.auth("here", "member", name)
    meetup = event_for(cell, "here", act, **event)
    made = sign_up_for(cell, meetup, act, whose)
    url = f"/v1/hubs/here/events/{meetup['id']}/sign-ups/{made['id']}"
    return cell.link(LinkPurpose(purpose), made), lambda: cell.http.get(url, headers=whose).json()


@pytest.mark.parametrize("language", list(LANGUAGES))
@pytest.mark.parametrize("purpose", ["accept", "decline", "leave"])
def test_a_link_shows_a_page_with_one_button_that_does_it(cell: Cell, purpose: str, language: str) -> None:
    link, state = signed_up(cell, purpose, title="Käk & <b>prat</b> {hub}")
    before, words = state(), LANGUAGES[language]
    for _ in range(3):
        answer, page = look(cell, link, language)
        assert answer.status_code == 200, answer.text
        sound(answer, page, language, buttons=1)
    assert page.words["h1"] == [words.titles[LinkPurpose(purpose)]]
    assert page.words["button"] == [words.buttons[LinkPurpose(purpose)]]
    assert page.words["p"][0].startswith("Käk & <b>prat</b> {hub}, ")
    assert page.words["p"][-1] == words.nothing_yet
    assert state() == before, "looking does nothing"

    answer, page = look(cell, link, language, method="POST")
    assert answer.status_code == 200, answer.text
    sound(answer, page, language, buttons=0)
    assert page.words["h1"] == [words.states[SignUpStatus(state()["status"])]]
    assert state()["status"] == {"accept": "attending", "decline": "declined", "leave": "cancelled"}[purpose]
    assert page.words.get("strong", []) == ([state()["code"]] if purpose == "accept" else [])

    # Looked at again there is nothing left to do, and no button that would only be refused.
    answer, page = look(cell, link, language)
    sound(answer, page, language, buttons=0)
    assert page.words["h1"] == [words.states[SignUpStatus(state()["status"])]]


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_a_refusal_is_a_page_too(cell: Cell, language: str) -> None:
    words = LANGUAGES[language]
    link, _ = signed_up(cell, "accept")
    assert cell.http.post(link).status_code == 200
    answer, page = look(cell, link, language, method="POST")
    assert answer.status_code == 409
    sound(answer, page, language, buttons=0)
    assert page.words["h1"] == [words.problems["link-used"][0]]
    for bad in ("/v1/links/x", f"{link[:-4]}AAAA"):
        for method in ("GET", "POST"):
            answer, page = look(cell, bad, language, method=method)
            assert answer.status_code == 404
            sound(answer, page, language, buttons=0)
            assert page.words["h1"] == [words.problems["link-invalid"][0]]
    gone = cell.link(LinkPurpose.LEAVE, {**sign_up_of_nobody(cell), "id": str(uuid4())})
    answer, page = look(cell, gone, language)
    assert (answer.status_code, page.words["h1"]) == (404, [words.problems["not-found"][0]])


def sign_up_of_nobody(cell: Cell) -> dict[str, Any]:
    person = str(cell.person("here", "member"))
    return {"hub": "here", "event": str(uuid4()), "person": person, "version": 1}


def test_a_service_that_is_away_is_a_page_that_says_so(cell: Cell) -> None:
    link, _ = signed_up(cell, "leave")
    cell.run(cell.end("events"))
    try:
        answer, page = look(cell, link, "sv")
    finally:
        cell.run(cell.begin("events"))
    assert answer.status_code == 503
    sound(answer, page, "sv", buttons=0)
    assert page.words["h1"] == [LANGUAGES["sv"].problems["unavailable"][0]]


@pytest.mark.parametrize(
    ("wish", "language"),
    [
        ("sv-SE,sv;q=0.9,en;q=0.5", "sv"),
        ("en;q=0.2, da;q=0.8", "da"),
        ("fi, se;q=0.9, sv-FI;q=0.7, en;q=0.3", "sv"),
        ("DA", "da"),
        ("fi", "en"),
        ("sv;q=0, da;q=0.1", "da"),
        ("", "en"),
        ("*;q=x,,;;", "en"),
    ],
)
def test_the_language_is_the_one_liked_best_of_those_there_are(cell: Cell, wish: str, language: str) -> None:
    answer, page = look(cell, "/v1/links/x", wish)
    sound(answer, page, language, buttons=0)


@pytest.mark.parametrize(
    ("accept", "page"),
    [
        (BROWSER, True),
        ("text/html", True),
        ("text/*", True),
        ("text/html;q=0.9, application/json;q=0.8", True),
        ("*/*", False),
        (None, False),
        ("application/json", False),
        ("text/html;q=0.5, application/json", False),
        ("text/html, application/json", False),
        ("text/html;q=0", False),
        ("application/problem+json", False),
        (",;q=,/", False),
    ],
)
def test_only_who_likes_pages_better_gets_one(cell: Cell, accept: str | None, page: bool) -> None:
    headers = {} if accept is None else {"Accept": accept}
    with cell.client() as client:
        if accept is None:
            del client.headers["accept"]
        answer = client.get("/v1/links/x", headers=headers)
    if page:
        sound(answer, Seen(answer.text), "en", buttons=0)
    else:
        problem(answer, 404, "link-invalid")


def test_head_of_a_page_is_its_head(cell: Cell) -> None:
    link, _ = signed_up(cell, "leave")
    head = cell.http.head(link, headers={"Accept": BROWSER})
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-type"].startswith("text/html")


def test_programs_are_answered_as_before(cell: Cell) -> None:
    link, state = signed_up(cell, "leave")
    seen = cell.http.get(link)
    assert (seen.status_code, seen.json()["purpose"]) == (200, "leave")
    assert seen.headers["vary"] == "Authorization, Accept"
    assert cell.http.get(link, headers={"If-None-Match": seen.headers["etag"]}).status_code == 304
    assert cell.http.post(link).json()["status"] == state()["status"] == "cancelled"


# --- unsubscribing ---


def pace(cell: Cell, name: str, hub: str, kind: str, channel: str = "email") -> str:
    """When somebody hears of a kind now."""
    chosen = cell.http.get("/v1/me/choices", headers=cell.auth("here", "member", name)).json()["choices"]
    fitting = [one for one in chosen if (one["kind"], one["channel"]) == (kind, channel)]
    own = [one["when"] for one in fitting if one["hub"] == hub]
    everywhere = [one["when"] for one in fitting if one["hub"] is None]
    found: str = (own or everywhere)[0]
    return found


def test_one_click_needs_nothing_but_the_form_that_mail_programs_send(cell: Cell) -> None:
    """RFC 8058: a POST with that body, no cookie, no other header, no question back, no redirect."""
    link = unsubscribe_link(cell, cell.person("here", "member", "One Click"), "here", "event", "reminder")
    for _ in range(3):
        looked = cell.http.get(link)
        assert looked.status_code == 200, looked.text
        assert looked.json() == {
            "purpose": "unsubscribe", "hub": "here", "kinds": ["event", "reminder"], "channel": "email", "done": False,
        }  # fmt: skip
    assert pace(cell, "One Click", "here", "event") == "now"
    for form in ({"data": ONE_CLICK}, {"files": {"List-Unsubscribe": (None, "One-Click")}}, {}):
        with httpx2.Client(base_url=cell.url, follow_redirects=False) as mail_program:
            done = mail_program.post(link, **form)
        assert (done.status_code, done.json()["done"]) == (200, True), done.text
    for kind in ("event", "reminder"):
        assert pace(cell, "One Click", "here", kind) == "off"
        assert pace(cell, "One Click", "there", kind) == "now", "one hub's mail is one hub's"
        assert pace(cell, "One Click", "here", kind, "inbox") == "now"
    assert pace(cell, "One Click", "here", "booking") == "now"
    assert cell.http.get(link).json()["done"] is True


def test_the_header_of_a_mail_that_was_sent_ends_such_mails(cell: Cell) -> None:
    who = reachable(cell, "here", "Enough", "enough@mail.example")
    made = cell.http.post("/v1/hubs/here/bookings", json={"space": "flex", **cell.slot(day=16)}, headers=who)
    assert made.status_code == 201, made.text
    mail = mail_to(cell, "enough@mail.example").message
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    address = urlsplit(str(mail["List-Unsubscribe"]).strip(" <>"))
    done = httpx2.post(f"{cell.url}{address.path}", data=ONE_CLICK)
    assert (done.status_code, done.json()["kinds"], done.json()["done"]) == (200, ["booking"], True), (
        done.text
    )

    # The next is told in the inbox only: what another is mailed later has arrived, and this has not.
    other = reachable(cell, "here", "More", "more@mail.example")
    for auth in (who, other):
        notice_for(cell, "here", auth)
    mail_to(cell, "more@mail.example")
    assert len(cell.outside.post.mails_to("enough@mail.example")) == 1


@pytest.mark.parametrize("language", list(LANGUAGES))
def test_unsubscribing_is_a_page_with_one_button(cell: Cell, language: str) -> None:
    name, words = f"Reads {language}", LANGUAGES[language]
    link = unsubscribe_link(cell, cell.person("here", "member", name), "here", "event", "place", "booking")
    for _ in range(2):
        answer, page = look(cell, link, language)
        assert answer.status_code == 200, answer.text
        sound(answer, page, language, buttons=1)
    assert page.words["h1"] == [words.titles[LinkPurpose.UNSUBSCRIBE]]
    assert page.words["button"] == [words.buttons[LinkPurpose.UNSUBSCRIBE]]
    said = page.words["p"][0]
    assert "Here" in said, "the hub's name, not its slug"
    for kind in (NoticeKind.EVENT, NoticeKind.PLACE, NoticeKind.BOOKING):
        assert words.kinds[kind] in said
    assert pace(cell, name, "here", "event") == "now", "looking does nothing"
    answer, page = look(cell, link, language, method="POST")
    sound(answer, page, language, buttons=0)
    assert page.words["h1"] == [words.unsubscribed]
    assert pace(cell, name, "here", "event") == "off"
    answer, page = look(cell, link, language)
    sound(answer, page, language, buttons=0)
    assert page.words["h1"] == [words.unsubscribed]


def test_without_the_directory_unsubscribing_works_by_the_hubs_slug(cell: Cell) -> None:
    person = cell.person("here", "member", "In A Storm")
    link = unsubscribe_link(cell, person, "here", "event")
    assert cell.http.get(link).status_code == 200, "the gateway knows where the hub is"
    cell.run(cell.end("directory"))
    try:
        answer, page = look(cell, link, method="POST")
    finally:
        cell.run(cell.begin("directory"))
    assert answer.status_code == 200, answer.text
    sound(answer, page, "en", buttons=0)
    assert " here " in page.words["p"][0]
    assert pace(cell, "In A Storm", "here", "event") == "off"


def test_a_link_to_unsubscribe_is_good_for_its_person_its_time_and_its_kinds(cell: Cell) -> None:
    person = cell.person("here", "member", "Careful")
    late = unsubscribe_link(cell, person, "here", "event", good_for=timedelta(seconds=-1))
    for method in ("GET", "POST"):
        problem(cell.http.request(method, late), 404, "link-invalid")
    other = unsubscribe_link(cell, cell.person("here", "member", "Somebody Else"), "here", "event")
    assert cell.http.post(other).status_code == 200
    assert pace(cell, "Careful", "here", "event") == "now"
    foreign = unsubscribe_link(cell, person, "nowhere", "event")
    problem(cell.http.post(foreign), 404, "not-found")
