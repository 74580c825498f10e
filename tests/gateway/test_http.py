"""HTTP as HTTP is meant: versions, pages, repeated requests, headers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from tests.gateway.cell import Cell, eventually
from tests.gateway.event_things import things
from tests.gateway.problems import problem

BOOKINGS = "/v1/hubs/here/bookings"
MEMBERS = "/v1/hubs/here/members"
EVENTS = "/v1/hubs/here/events"
WEBHOOKS = "/v1/hubs/here/webhooks"


BY_PERSON = (
    "/v1/hubs",
    "/v1/hubs/here",
    "/v1/hubs/here/spaces",
    "/v1/hubs/here/spaces/room",
    "/v1/hubs/here/availability?from=2027-03-01T10:00&to=2027-03-01T11:00",
    "/v1/hubs/here/occupancy",
    BOOKINGS,
    f"{BOOKINGS}/{{booking}}",
    f"{MEMBERS}/{{member}}",
    "/v1/me",
    "/v1/me/bookings",
    "/v1/openapi.json",
    "/v1/asyncapi.json",
    f"{EVENTS}/{{event}}/sign-ups",
    f"{EVENTS}/{{event}}/sign-ups/{{sign_up}}",
    "/v1/hubs/here/event-settings",
    "/v1/hubs/here/event-figures?year=2027",
    "/v1/me/feeds",
    "/v1/me/choices",
    WEBHOOKS,
    f"{WEBHOOKS}/{{webhook}}",
    f"{WEBHOOKS}/{{webhook}}/deliveries",
    f"{WEBHOOKS}/{{webhook}}/deliveries/{{delivery}}",
    "/v1/hubs/here/api-tokens",
    "/v1/sign-in/providers",
    "/v1/me/sessions",
    "/v1/me/looks",
)
BY_LANGUAGE = (
    EVENTS,
    f"{EVENTS}/{{event}}",
    f"{EVENTS}/{{event}}.ics",
    f"{EVENTS}/{{event}}.jsonld",
    "/v1/hubs/here/series/{series}",
    "/v1/me/events",
    "/v1/hubs/here/feeds/programme.ics",
    "/v1/feeds/{secret}.ics",
    "/v1/me/notices",
    "/v1/me/notices/{notice}",
    "/v1/me/profile",
    "/v1/me/organisations",
    "/v1/me/organisations/{organisation}",
    "/v1/me/matches",
    "/v1/me/introductions",
    "/v1/me/introductions/{introduction}",
    "/v1/skills?text=bookkeeping",
    "/v1/skills/{concept}",
    MEMBERS,
    "/v1/hubs/here/targets",
    "/v1/hubs/here/targets/{concept}",
)
VARYING = (
    dict.fromkeys(BY_PERSON, "Authorization")
    | dict.fromkeys(BY_LANGUAGE, "Authorization, Accept-Language")
    | {"/v1/links/{token}": "Authorization, Accept"}
    | {"/v1/hubs/here/skills-missing": "Authorization, Accept-Language, Accept"}
    | {"/v1/hubs/here/outcomes": "Authorization, Accept"}
)


NOT_TRIED = {
    "/v1/live": "a stream, which ends with its reader",
    "/v1/hubs/{hub}/now": "a page that moves by itself",
    "/v1/me/erasure/{number}": "the receipt of somebody who is gone: in test_erasure",
}


def test_whoever_has_it_already_is_not_sent_it_again(cell: Cell) -> None:
    auth = cell.auth("here", "operator")
    known = {
        "booking": cell.book("here", "room", **cell.slot(day=20))["id"],
        "member": cell.person("here", "member"),
        **things(cell, "here", "{event}/{sign_up}"),
        **things(cell, "here", "{series}/{feed}/{secret}/{token}"),
        **things(cell, "here", "{webhook}/{delivery}/{notice}", operators=True),
        **things(cell, "here", "{introduction}/{organisation}/targets/{concept}", operators=True),
    }
    for template, vary in VARYING.items():
        path = template.format(**known)
        got = cell.http.get(path, headers=auth)
        assert got.status_code == 200, path
        assert got.headers["vary"] == vary, path
        tag = got.headers["etag"]
        for seen in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            again = cell.http.get(path, headers={**auth, "If-None-Match": seen})
            assert (again.status_code, again.content) == (304, b""), path
            assert again.headers["etag"] == tag
        for other in ('"other"', "x" * 600, '"\u00e5"'.encode("latin-1")):
            headers: Any = {**auth, "If-None-Match": other}
            assert cell.http.get(path, headers=headers).status_code == 200, path


def test_every_address_that_can_be_read_is_among_them(cell: Cell) -> None:
    tried = {
        template.partition("?")[0].replace("/here", "/{hub}").replace("/room", "/{space}")
        for template in VARYING
    }
    assert tried | NOT_TRIED.keys() == {
        one.path  # type: ignore[attr-defined]
        for one in cell.app.routes
        if "GET" in one.methods and one.path.startswith("/v1")  # type: ignore[attr-defined]
    }


def test_a_change_is_seen_by_whoever_asks_with_the_old_tag(cell: Cell) -> None:
    made = cell.book("here", "room", **cell.slot(day=21))
    path, auth = f"{BOOKINGS}/{made['id']}", cell.auth("here", "member")
    tag = cell.http.get(path, headers=auth).headers["etag"]
    cancelled = cell.http.post(f"{path}/cancel", json={"reason": "ill"}, headers=auth)
    assert cancelled.headers["etag"] != tag
    fresh = cell.http.get(path, headers={**auth, "If-None-Match": tag})
    assert (fresh.status_code, fresh.json()["cancel_reason"]) == (200, "ill")


def test_what_was_made_is_where_it_is_said_to_be(cell: Cell) -> None:
    auth = cell.auth("here", "operator")
    for path, body in (
        (BOOKINGS, {"space": "room", **cell.slot(day=22)}),
        ("/v1/hubs/here/spaces", {"id": "cellar", "name": "Källare", "kind": "room"}),
        (MEMBERS, {"person": {"name": "Åsa Öhrn-Æbelø 🪑"}, "role": "visitor"}),
        (EVENTS, {"title": "Möte 🪑", **cell.slot(day=22)}),
        ("/v1/hubs/here/series", {"title": "Vecka", "events": [{"title": "Öppet", **cell.slot(day=22)}]}),
        (f"{EVENTS}/{cell.meet('here')['id']}/sign-ups", {}),
    ):
        made = cell.http.post(path, json=body, headers=auth)
        assert made.status_code == 201
        found = cell.http.get(made.headers["location"], headers=auth)
        assert found.json() == made.json()
        assert found.headers["etag"] == made.headers["etag"]


def walk(client: httpx2.Client, path: str, auth: dict[str, str]) -> list[list[dict[str, Any]]]:
    """All pages of a list, each reached by `next`, which Link repeats."""
    pages, url = [], path
    while url:
        answer = client.get(url, headers=auth)
        assert answer.status_code == 200, answer.text
        page = answer.json()
        pages.append(page["items"])
        assert answer.headers.get("link") == (f'<{page["next"]}>; rel="next"' if page["next"] else None)
        url = page["next"] or ""
        assert len(pages) < 50
    return pages


def test_pages_show_everything_exactly_once_also_when_many_begin_together(cell: Cell) -> None:
    cell.space("there", "many", "flex", seats=50)
    slots = [cell.slot(day=23)] * 7 + [cell.slot(day=24)] * 5
    made = [cell.book("there", "many", **slot)["id"] for slot in slots]
    query = "limit=5&space=many&status=confirmed&status=held"
    pages = walk(cell.http, f"/v1/hubs/there/bookings?{query}", cell.auth("there", "host"))
    assert [len(page) for page in pages] == [5, 5, 2]
    shown = [one["id"] for page in pages for one in page]
    assert sorted(shown) == sorted(made)
    starts = [one["start"] for page in pages for one in page]
    assert starts == sorted(starts)
    mine = walk(cell.http, "/v1/me/bookings?limit=5", cell.auth("there", "member"))
    assert {one["id"] for page in mine for one in page} >= set(made)
    for path, total in (("/v1/hubs?limit=1", 2), ("/v1/hubs/there/spaces?limit=1", 3)):
        assert [len(page) for page in walk(cell.http, path, {})] == [1] * total


def test_a_cursor_is_good_only_in_the_list_it_is_from(cell: Cell) -> None:
    for slot in (cell.slot(day=25), cell.slot(day=26)):
        cell.book("here", "room", **slot)
    host = cell.auth("here", "host")
    following = cell.http.get(f"{BOOKINGS}?limit=1", headers=host).json()["next"]
    cursor = httpx2.URL(following).params["cursor"]
    assert cell.http.get(f"{BOOKINGS}?limit=7&cursor={cursor}", headers=host).status_code == 200
    elsewhere = [
        "/v1/hubs?cursor=",
        "/v1/hubs/here/spaces?cursor=",
        "/v1/me/bookings?cursor=",
        f"{BOOKINGS}?space=room&cursor=",
    ]
    for path in elsewhere:
        problem(cell.http.get(f"{path}{cursor}", headers=host), 422, "invalid", field="cursor")
    for made_up in (
        "x",
        "room",
        "2027-01-01T00:00:00+00:00_" + str(uuid4()),
        "é",
        "a" * 399,
        cursor[:-1],
        "",
    ):
        answer = cell.http.get(BOOKINGS, params={"cursor": made_up}, headers=host)
        problem(answer, 422, "invalid", field="cursor")


def test_links_are_as_the_caller_reaches_us(cell: Cell) -> None:
    with cell.another_gateway(public_url="https://hubs.example/foci/") as client:
        following = client.get("/v1/hubs?limit=1").json()["next"]
        assert following.startswith("https://hubs.example/foci/v1/hubs?limit=1&cursor=")


# --- the same again ---


def test_the_same_key_gets_the_same_answer_byte_for_byte(cell: Cell) -> None:
    auth = {**cell.auth("here", "member"), "Idempotency-Key": str(uuid4())}
    body = {"space": "room", **cell.slot(day=31), "title": "Möte"}
    first, second = (cell.http.post(BOOKINGS, json=body, headers=auth) for _ in range(2))
    assert first.status_code == 201
    for name in ("location", "etag"):
        assert first.headers[name] == second.headers[name]
    assert (first.status_code, first.content) == (second.status_code, second.content)
    other = cell.http.post(BOOKINGS, json={**body, "title": "Other"}, headers=auth)
    problem(other, 422, "idempotency-key-reused")
    refusals = [
        cell.http.post(BOOKINGS, json=body, headers={**auth, "Idempotency-Key": "again"}) for _ in range(2)
    ]
    problem(refusals[0], 409, "space-taken")
    assert refusals[0].content == refusals[1].content


def test_a_refusal_stays_a_refusal_under_its_key_although_the_place_is_free_now(cell: Cell) -> None:
    slot = cell.slot(day=32)
    there = cell.book("here", "room", **slot)
    auth = {**cell.auth("here", "visitor"), "Idempotency-Key": "wanted"}
    body = {"space": "room", **slot}
    problem(cell.http.post(BOOKINGS, json=body, headers=auth), 409, "space-taken")
    cell.http.post(f"{BOOKINGS}/{there['id']}/cancel", headers=cell.auth("here", "member"))
    problem(cell.http.post(BOOKINGS, json=body, headers=auth), 409, "space-taken")
    assert cell.http.post(BOOKINGS, json=body, headers={**auth, "Idempotency-Key": "new"}).status_code == 201


def test_two_people_and_two_operations_may_use_one_key(cell: Cell) -> None:
    key = {"Idempotency-Key": "monday"}
    made = []
    for number, role in enumerate(("member", "host")):
        body = {"space": "room", **cell.slot(day=33 + number)}
        made.append(cell.http.post(BOOKINGS, json=body, headers={**cell.auth("here", role), **key}))
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json()["id"] != made[1].json()["id"]
    path = f"{BOOKINGS}/{made[0].json()['id']}/cancel"
    cancelled = cell.http.post(path, json={}, headers={**cell.auth("here", "member"), **key})
    assert cancelled.json()["status"] == "cancelled"


def test_a_guests_booking_sent_again_registers_one_guest(cell: Cell) -> None:
    auth = {**cell.auth("here", "host"), "Idempotency-Key": "guest-1"}
    body = {"space": "room", **cell.slot(day=35), "person": {"name": "First Timer", "language": "sv"}}
    answers = [cell.http.post(BOOKINGS, json=body, headers=auth) for _ in range(3)]
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    guest = answers[0].json()["person"]
    assert guest != str(cell.person("here", "host"))
    # The same key for letting somebody in is another operation.
    joined = cell.http.post(MEMBERS, json={"person": {"name": "Second"}, "role": "visitor"}, headers=auth)
    assert joined.status_code == 201
    changed = {**body, "person": {"name": "Somebody Else"}}
    problem(cell.http.post(BOOKINGS, json=changed, headers=auth), 422, "idempotency-key-reused")


@pytest.mark.parametrize("key", ["", "x" * 256, "nyckel-å".encode("latin-1"), b"tab\there"])
def test_a_key_that_cannot_be_one(cell: Cell, key: str | bytes) -> None:
    for path, body in ((BOOKINGS, {"space": "room", **cell.slot(day=36)}), (MEMBERS, {})):
        headers: Any = {**cell.auth("here", "member"), "Idempotency-Key": key}
        problem(cell.http.post(path, json=body, headers=headers), 422, "invalid", field="Idempotency-Key")


def test_a_key_is_kept_for_a_day(cell: Cell) -> None:
    auth = {**cell.auth("here", "member"), "Idempotency-Key": "yesterday"}
    body = {"space": "room", **cell.slot(day=37)}
    made = cell.http.post(BOOKINGS, json=body, headers=auth)
    try:
        cell.clock.ahead = timedelta(hours=23, minutes=59)
        auth |= cell.auth("here", "member")
        assert cell.http.post(BOOKINGS, json=body, headers=auth).content == made.content
        cell.clock.ahead = timedelta(hours=24, minutes=1)
        auth |= cell.auth("here", "member")
        problem(cell.http.post(BOOKINGS, json=body, headers=auth), 409, "space-taken")
    finally:
        cell.clock.ahead = timedelta(0)


# --- headers and words ---


def test_every_answer_carries_the_security_headers(cell: Cell) -> None:
    for answer in (
        cell.http.get("/v1/hubs"),
        cell.http.get("/nowhere"),
        cell.http.post("/v1/hubs"),
        cell.http.get("/v1/me"),
    ):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "max-age" in answer.headers["strict-transport-security"]
        assert "server" not in answer.headers


def test_what_is_private_is_kept_by_nobody_on_the_way(cell: Cell) -> None:
    assert cell.http.get("/v1/hubs").headers["cache-control"] == "no-cache"
    private = cell.http.get("/v1/me", headers=cell.auth("here", "member"))
    assert private.headers["cache-control"] == "private, no-cache"


def test_browsers_are_let_in_from_the_named_origins_only(cell: Cell) -> None:
    ask = {
        "Origin": "https://hub.example",
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "If-Match",
    }
    with cell.another_gateway(cors_origins=("https://hub.example",)) as client:
        allowed = client.options(BOOKINGS, headers=ask)
        assert allowed.status_code == 200
        assert allowed.headers["access-control-allow-origin"] == "https://hub.example"
        assert "PATCH" in allowed.headers["access-control-allow-methods"]
        got = client.get("/v1/hubs", headers=ask)
        assert "ETag" in got.headers["access-control-expose-headers"]
        refused = client.get("/v1/nowhere", headers=ask)
        assert refused.headers["access-control-allow-origin"] == "https://hub.example"
        strange = client.options(BOOKINGS, headers={**ask, "Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in strange.headers
    assert "access-control-allow-origin" not in cell.http.get("/v1/hubs", headers=ask).headers


def test_words_in_any_script_come_back_as_they_went(cell: Cell) -> None:
    for number, title in enumerate(
        ("Fika på Ångströmsgatan", "会議 🪑", "o'Brien; DROP TABLE", "a\tb", "{{7*7}} <b>")
    ):
        made = cell.book("here", "flex", title=title, **cell.slot(day=45 + number))
        assert made["title"] == title
    cell.hub("angstrom", name="Ångström", municipality="Malmö", offers=["50 % off"])
    for query, found in (
        ("q=ångström", 1),
        ("q=50 %", 1),
        ("q=50_%", 0),
        ("municipality=malmö", 1),
        ("q=%", 1),
        ("q=\\", 0),
    ):
        assert len(cell.http.get(f"/v1/hubs?{httpx2.QueryParams(query)}").json()["items"]) == found, query


def test_the_figures_a_keeper_needs_are_there(cell: Cell) -> None:
    cell.book("here", "room", **cell.slot(day=55))
    figures = eventually("measured", lambda: cell.http.get("/metrics").text)
    for family in (
        "foci_http_seconds_bucket",
        'foci_http_requests_total{method="POST"',
        "foci_request_seconds_bucket",
        "foci_requests_total",
    ):
        assert family in figures
    assert str(cell.person("here", "member")) not in figures
