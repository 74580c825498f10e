"""Who sees which event, wherever it is shown: by itself, in lists, in calendars, as linked data."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import pytest

from tests.gateway.cell import ZONE, Cell
from tests.gateway.problems import problem

EVENTS = "/v1/hubs/here/events"
ALL = ("nobody", "stranger", "visitor", "member", "host", "owner")


@pytest.fixture(scope="module")
def people(cell: Cell) -> dict[str, dict[str, str]]:
    """What each sends."""
    return {
        "nobody": {},
        "stranger": cell.auth("there", "operator"),
        "visitor": cell.auth("here", "visitor"),
        "member": cell.auth("here", "member"),
        "host": cell.auth("here", "host"),
        "owner": cell.auth("here", "member", "Owner"),
    }


@pytest.mark.parametrize(
    ("visibility", "published", "seen_by"),
    [
        ("public", True, ALL),
        ("federation", True, ALL[1:]),
        ("hub", True, ALL[2:]),
        ("public", False, ALL[4:]),
    ],
)
def test_everywhere_the_same_people_see_it(
    cell: Cell,
    people: dict[str, dict[str, str]],
    visibility: str,
    published: bool,
    seen_by: tuple[str, ...],
) -> None:
    title = f"Seen {visibility} {published}"
    event = cell.meet("here", name="Owner", title=title, visibility=visibility, publish=published)
    url = f"{EVENTS}/{event['id']}"
    programme = cell.http.get("/v1/hubs/here/feeds/programme.ics", headers=people["owner"]).text
    assert (title in programme) == (seen_by == ALL), "the public programme is for everybody"
    for who, headers in people.items():
        listed = cell.http.get(f"{EVENTS}?limit=100", headers=headers).json()["items"]
        assert (event["id"] in {one["id"] for one in listed}) == (who in seen_by), who
        for tail in ("", ".ics", ".jsonld"):
            answer = cell.http.get(f"{url}{tail}", headers=headers)
            if who in seen_by:
                assert answer.status_code == 200, (who, tail)
                assert title in answer.text
            else:
                problem(answer, 404, "not-found")


def test_the_address_of_an_online_meeting_is_for_those_who_attend_and_run_it(
    cell: Cell, people: dict[str, dict[str, str]]
) -> None:
    secret = "https://meet.example/harbour-room"
    place = {"address": "Quay 3", "online_url": secret}
    event = cell.meet("here", name="Owner", place=place, capacity_online=1)
    url = f"{EVENTS}/{event['id']}"
    waiting = cell.auth("here", "member", "Waits")
    for headers, way in ((people["member"], "online"), (waiting, "online"), (people["visitor"], "room")):
        assert cell.http.post(f"{url}/sign-ups", json={"way": way}, headers=headers).status_code == 201

    def shows(headers: dict[str, str], tail: str = "") -> bool:
        answer = cell.http.get(f"{url}{tail}", headers=headers)
        assert answer.status_code == 200
        return secret in answer.text

    assert [who for who, headers in people.items() if shows(headers)] == [
        "visitor",
        "member",
        "host",
        "owner",
    ]
    assert not shows(waiting), "who waits does not attend"
    assert cell.http.get(url).json()["place"]["online"] is True
    for tail in (".jsonld", ".ics"):
        assert not shows({}, tail)
    assert secret not in cell.http.get(f"{EVENTS}?limit=100").text
    assert secret not in cell.http.get("/v1/hubs/here/feeds/programme.ics").text


def test_a_hidden_event_is_gone_for_everybody_but_its_author_hears_why_and_answers(
    cell: Cell, people: dict[str, dict[str, str]]
) -> None:
    event = cell.meet("here", name="Owner")
    url = f"{EVENTS}/{event['id']}"
    hidden = cell.http.post(f"{url}/hide", json={"reason": "Who are you?"}, headers=people["host"])
    assert hidden.status_code == 200, hidden.text
    for who in ("nobody", "stranger", "visitor", "member"):
        problem(cell.http.get(url, headers=people[who]), 404, "not-found")
    told = cell.http.get(url, headers=people["owner"]).json()["hidden"]
    assert (told["reason"], told["answer"]) == ("Who are you?", None)
    answered = cell.http.post(f"{url}/answer", json={"answer": "The rowers"}, headers=people["owner"])
    assert answered.status_code == 200
    assert cell.http.get(url, headers=people["host"]).json()["hidden"]["answer"] == "The rowers"
    assert cell.http.post(f"{url}/show", headers=people["host"]).json()["hidden"] is None
    assert cell.http.get(url).status_code == 200


def test_where_the_hub_approves_an_event_waits_and_its_figures_say_so(
    cell: Cell,
) -> None:
    settings, operator = "/v1/hubs/there/event-settings", cell.auth("there", "operator")
    member = cell.auth("there", "member")
    version = {"If-Match": cell.http.get(settings).headers["etag"]}
    on = cell.http.patch(settings, json={"approval": True}, headers={**operator, **version})
    assert on.json()["approval"] is True
    event = cell.meet("there")
    url = f"/v1/hubs/there/events/{event['id']}"
    assert event["status"] == "awaiting"
    problem(cell.http.get(url), 404, "not-found")
    returned = cell.http.post(f"{url}/return", json={"reason": "Which evening?"}, headers=operator)
    assert returned.json()["returned_reason"] == "Which evening?"
    again = cell.http.post(f"{url}/publish", headers=member)
    assert again.json()["status"] == "awaiting"
    assert cell.http.post(f"{url}/approve", headers=operator).json()["status"] == "published"
    assert cell.http.get(url).status_code == 200
    year = cell.clock().astimezone(ZoneInfo(ZONE)).year
    path = f"/v1/hubs/there/event-figures?year={year}"
    staff = cell.http.get(path, headers=operator).json()["initiative"]
    assert (staff["by_members"], staff["had_to_wait"]) == (1, 1)
    assert cell.http.get(path).json()["initiative"] is None
    assert cell.http.get(path, headers=member).json()["initiative"] == staff
