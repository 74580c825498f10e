"""Reading along: what happens is told as it happens, and whoever comes back is told what they missed and nothing twice."""

from __future__ import annotations

import socket
import time
from contextlib import ExitStack
from datetime import timedelta
from urllib.parse import urlsplit

import httpx2
import pytest

from services.gateway.live import occupancy, readers
from services.gateway.live.hall import Hall
from tests.gateway.cell import Cell, eventually
from tests.gateway.live_readers import listening
from tests.gateway.problems import problem

OPTIONS = {"live_longest_s": 1_000_000}
"""These tests move the clock."""
TOPICS = "spaces,bookings,events"


def test_what_happens_is_told_as_it_happens(cell: Cell) -> None:
    member = cell.token("here", "member")
    with listening(cell.http, "here", TOPICS, token=member) as heard:
        assert heard.headers["content-type"].startswith("text/event-stream")
        assert heard.headers["cache-control"] == "no-store"
        assert heard.named("open")[0]["hub"] == "here"
        cell.space("here", "attic")
        opened = heard.tells("space-opened")
        assert (opened["specversion"], opened["source"]) == ("1.0", "/hubs/here/booking")
        assert opened["data"]["space"] == "attic"
        made = cell.book("here", "attic")
        told = heard.tells("booking-confirmed")
        assert told["subject"] == made["id"]
        assert told["data"]["person"] == str(cell.person("here", "member"))


def test_whoever_comes_back_elsewhere_is_told_what_they_missed_and_nothing_twice(cell: Cell) -> None:
    member = cell.token("here", "member")
    with listening(cell.http, "here", TOPICS, token=member) as heard:
        cell.meet("here", **cell.slot(day=40))
        heard.tells("event-published")
    missed = [cell.book("here", "flex", **cell.slot(day=41 + day))["id"] for day in range(3)]
    with cell.another_gateway() as other:
        with listening(other, "here", TOPICS, token=member, last=heard.last_id) as again:
            last = cell.book("here", "flex", **cell.slot(day=45))["id"]
            eventually("all is told", lambda: [one["subject"] for one in again.facts] == [*missed, last])
        # Half of it: as if the connection had broken after the second.
        middle = again.events[2].id
        with listening(cell.http, "here", TOPICS, token=member, last=middle) as rest:
            assert [one["subject"] for one in rest.facts] == [*missed[2:], last]
            assert rest.named("reset") == []


def test_a_replica_that_stops_sends_its_readers_elsewhere(cell: Cell) -> None:
    going = ExitStack()
    other = going.enter_context(cell.another_gateway())
    with listening(other, "here", "spaces") as heard:
        going.close()
        eventually("the stream ends", lambda: heard.ended, seconds=5)
        assert heard.named("close") == [{"because": "leaving"}]
        assert heard.retry is not None
        assert heard.broken is None
    cell.space("here", "cellar")
    with listening(cell.http, "here", "spaces", last=heard.last_id) as again:
        assert again.types() == ["space-opened"]


def test_a_new_role_acts_within_a_second(cell: Cell) -> None:
    token = cell.token("here", "member", "Rising")
    path = f"/v1/hubs/here/members/{cell.person('here', 'member', 'Rising')}"
    admin = cell.auth("here", "admin")
    with listening(cell.http, "here", "members", token=token) as heard:
        version = cell.http.get(path, headers=admin).headers["etag"]
        answer = cell.http.patch(path, json={"role": "host"}, headers={**admin, "If-Match": version})
        assert answer.status_code == 200
        eventually("the stream ends", lambda: heard.ended, seconds=1)
        assert heard.named("close") == [{"because": "role-changed"}]
        assert heard.facts == []
    with listening(cell.http, "here", "members", token=token, last=heard.last_id) as host:
        assert host.types() == ["role-changed"], "as a host they are told what happened meanwhile"
        assert cell.http.delete(path, headers=admin).status_code == 200
        eventually("the stream ends", lambda: host.ended, seconds=1)
    with listening(cell.http, "here", "members", token=token, last=host.last_id) as stranger:
        cell.person("here", "member", "A Newcomer")
        cell.space("here", "loft")
        assert stranger.facts == []


def test_occupancy_begins_with_what_is_and_goes_on_with_every_change(cell: Cell) -> None:
    with listening(cell.http, "here", "occupancy", token=cell.token("here", "host")) as heard:
        eventually(
            "the figures there are", lambda: {"all", "flex"} <= {one["subject"] for one in heard.facts}
        )
        known = len(heard.facts)
        cell.book("here", "flex", start=cell.near(-1), end=cell.near(30))
        eventually("they change", lambda: heard.facts[-1]["data"]["booked"] == 1)
        assert heard.facts[-1]["type"] == "foci.booking.occupancy.v1"
        assert len(heard.facts) > known
    with listening(
        cell.http, "here", "occupancy", token=cell.token("here", "host"), last=heard.last_id
    ) as again:
        assert again.facts == []


def test_everybody_is_shown_protected_figures_that_change_every_five_minutes(cell: Cell) -> None:
    cell.space("there", "wide", "flex", seats=40)
    eventually("it is measured", lambda: "wide" in cell.http.get("/v1/hubs/there/occupancy").text)
    with listening(cell.http, "there", "occupancy") as heard:
        eventually("the figures there are", lambda: "wide" in {one["subject"] for one in heard.facts})
        assert {one["type"] for one in heard.facts} == {"foci.booking.public-occupancy.v1"}
        for _ in range(2):
            cell.book("there", "wide", start=cell.near(-1), end=cell.near(40))
        before = len(heard.facts)
        hall: Hall = cell.app.state.hall
        eventually("the change is heard of", lambda: hall.rooms["there"].changed_at is not None)
        assert len(heard.facts) == before, "not at the moment it happens"
        cell.clock.ahead += occupancy.EVERY
        cell.book(
            "there", "wide", **cell.slot(day=60)
        )  # wakes booking's timers, which know nothing of the clock
        eventually("the public figures catch up", lambda: len(heard.facts) > before, seconds=20)
        wide = [one["data"] for one in heard.facts if one["subject"] == "wide"]
        assert (wide[-1]["booked"], wide[-1]["free"], wide[-1]["present"]) == (2, 38, None)
        last = heard.last_id
    with listening(cell.http, "there", "occupancy", last=last) as again:
        assert again.facts == []
        assert again.named("reset") == []


def test_a_stream_ends_with_the_token(cell: Cell) -> None:
    token = cell.token("here", "member")
    with listening(cell.http, "here", "spaces", token=token) as heard:
        assert heard.named("open")[0]["until"].endswith("Z")
        cell.clock.ahead += timedelta(hours=13)
        eventually("the stream ends", lambda: heard.ended, seconds=5)
        assert heard.named("close") == [{"because": "over"}]
    answer = cell.http.get("/v1/live?hub=here", headers={"Authorization": f"Bearer {token}"})
    problem(answer, 401, "unauthenticated")


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("hub=nowhere", {}, 404, "not-found"),
        ("hub=No%20Where", {}, 422, "invalid"),
        ("", {}, 422, "invalid"),
        ("hub=here&topics=gossip", {}, 422, "invalid"),
        ("hub=here&topics=spaces,,", {}, 422, "invalid"),
        ("hub=here&hub=there", {}, 422, "invalid"),
        ("hub=here&since=0", {}, 422, "invalid"),
        ("hub=here", {"Last-Event-ID": "a b"}, 422, "invalid"),
        ("hub=here", {"Last-Event-ID": "A" * 5000}, 422, "invalid"),
        ("hub=here", {"Authorization": "Bearer x"}, 401, "unauthenticated"),
    ],
)
def test_what_cannot_be_followed_is_refused(
    cell: Cell, query: str, headers: dict[str, str], status: int, code: str
) -> None:
    problem(cell.http.get(f"/v1/live?{query}", headers=headers), status, code)


def test_an_unreachable_cursor_leads_to_a_reset_and_the_stream_goes_on(cell: Cell) -> None:
    with listening(cell.http, "here", "spaces") as first:
        good = first.last_id
    other_view = listening(cell.http, "there", "spaces", last=good)
    nonsense = listening(cell.http, "here", "spaces", last="AAAA")
    bent = listening(
        cell.http, "here", "spaces", last=good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB")
    )
    for number, unreachable in enumerate((other_view, nonsense)):
        with unreachable as heard:
            assert heard.named("reset") == [{"because": "foreign"}]
            cell.space("there" if number == 0 else "here", f"new-{number}")
            assert heard.tells("space-opened")
            again = heard.last_id
        with listening(cell.http, "there" if number == 0 else "here", "spaces", last=again) as on:
            assert on.named("reset") == []
    with bent as heard:
        assert heard.named("reset") == [{"because": "rebuilt"}]


def test_who_takes_nothing_is_cut_off_and_the_others_read_on(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(readers, "MOST_WAITING", 130_000)
    where = urlsplit(cell.url)
    hall: Hall = cell.app.state.hall
    slow = socket.socket()
    slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    slow.connect((where.hostname, where.port))
    slow.sendall(b"GET /v1/live?hub=here&topics=hub HTTP/1.1\r\nHost: here\r\n\r\n")
    with listening(cell.http, "here", "hub") as heard:
        eventually("both are there", lambda: len(hall.readers) == 2)
        frame = b": " + b"x" * 60_000 + b"\n\n"

        async def push() -> None:
            for reader in hall.readers:
                reader.push(frame)

        pushed = 0
        while len(hall.readers) == 2:
            cell.run(push())
            pushed += 1
            assert pushed < 5000, "more than any buffer takes"
            eventually("who reads has read it", lambda: heard.beats > pushed)  # noqa: B023  # at once
        assert len(hall.readers) == 1
        assert not heard.ended
    slow.close()


def test_nobody_holds_more_streams_than_they_may(cell: Cell) -> None:
    with cell.another_gateway(live_per_address=1, live_per_person=1, live_together=2) as few:
        with listening(few, "here", "hub"):
            refused = few.get("/v1/live?hub=here")
            problem(refused, 429, "too-many-streams")
            assert int(refused.headers["retry-after"]) >= 1
            with listening(few, "here", "hub", token=cell.token("here", "member")):
                refused = few.get("/v1/live?hub=here", headers=cell.auth("here", "host"))
                problem(refused, 503, "unavailable")
        eventually("the place is free again", lambda: _opens(few))


def _opens(client: httpx2.Client) -> bool:
    with client.stream("GET", "/v1/live?hub=here&topics=hub") as answer:
        return answer.status_code == 200


def test_a_head_request_ends(cell: Cell) -> None:
    started = time.monotonic()
    answer = cell.http.head("/v1/live?hub=here")
    assert (answer.status_code, answer.content) == (200, b"")
    assert time.monotonic() - started < 5
