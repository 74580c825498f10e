"""Reading along: what happens is told as it happens, and whoever comes back is told what they missed and nothing twice."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import AbstractContextManager, ExitStack
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest

from services.gateway import leaving
from services.gateway.live import hall, readers
from services.gateway.live.cursors import Cursor
from services.gateway.live.hall import BEAT_S, Hall
from services.gateway.live.rooms import View
from shared.contracts.live import LIVE_STREAMS
from shared.kit import ordered
from shared.kit.ids import new_id
from shared.kit.provision import provision
from tests import waiting
from tests.gateway.cell import Cell, eventually
from tests.gateway.live_readers import Listening, acknowledge_nothing, known, listening
from tests.gateway.problems import problem

OPTIONS = {"live_longest_s": 1_000_000}
"""These tests move the clock."""
TOPICS = "spaces,bookings,events"


def test_what_happens_is_told_as_it_happens(cell: Cell) -> None:
    member = known(cell, "here", "member")
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
    member = known(cell, "here", "member")
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
        # Whatever an earlier farewell said: a browser that loses us now does not come back in a tight loop.
        eventually("it is open", lambda: heard.retry == 2000)
        going.close()
        eventually("the stream ends", lambda: heard.ended, seconds=5)
        assert heard.named("close") == [{"because": "leaving"}]
        assert heard.retry != 2000, "each at a moment of its own"
        assert heard.broken is None
    cell.space("here", "cellar")
    with listening(cell.http, "here", "spaces", last=heard.last_id) as again:
        eventually("it is told elsewhere", lambda: again.types() == ["space-opened"])


def test_a_new_role_acts_within_a_second(cell: Cell) -> None:
    admin = {"Authorization": f"Bearer {known(cell, 'here', 'admin')}"}
    token = known(cell, "here", "member", "Rising")
    path = f"/v1/hubs/here/members/{cell.person('here', 'member', 'Rising')}"
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
    with listening(cell.http, "here", "occupancy", token=known(cell, "here", "host")) as heard:
        eventually(
            "the figures there are", lambda: {"all", "flex"} <= {one["subject"] for one in heard.facts}
        )
        so_far = len(heard.facts)
        cell.book("here", "flex", start=cell.near(-1), end=cell.near(30))
        eventually("they change", lambda: {"all", "flex"} == _booked(heard.facts[so_far:]))
        assert heard.facts[-1]["type"] == "foci.booking.occupancy.v1"
    with listening(
        cell.http, "here", "occupancy", token=known(cell, "here", "host"), last=heard.last_id
    ) as again:
        assert again.facts == []


def _booked(facts: list[dict[str, Any]]) -> set[str]:
    return {one["subject"] for one in facts if one["data"]["booked"] == 1}


def test_a_stream_ends_with_the_token(cell: Cell) -> None:
    token = known(cell, "here", "member")
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


def test_who_is_told_to_read_again_misses_nothing_from_then_on(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    spaces = ["one", "two", "three", "four"]
    with cell.another_gateway(live_held=2, live_longest_s=1_000_000) as forgetful:
        with listening(forgetful, "here", "spaces") as first:
            good = first.last_id
            missed = [cell.space("here", f"more-{space}") for space in spaces]
            eventually("it has heard of them", lambda: _spaces(first) == missed)
        with listening(forgetful, "here", "spaces", last=good) as heard:
            _goes_on_after_a_reset(cell, forgetful, heard, "too-old", missed)
    with listening(cell.http, "here", "spaces", last=good) as all_of_it:
        assert _spaces(all_of_it) == [*missed, "after-too-old"], "the other replica holds more"
    monkeypatch.setattr(hall, "MOST_MISSED", 2_000)
    with listening(cell.http, "here", "spaces", last=good) as heard:
        _goes_on_after_a_reset(cell, cell.http, heard, "too-much", missed)
    for foreign in (listening(cell.http, "here", "spaces,hub", last=good), _nonsense(cell)):
        with foreign as heard:
            _goes_on_after_a_reset(cell, cell.http, heard, "foreign", missed)


def _nonsense(cell: Cell) -> AbstractContextManager[Listening]:
    return listening(cell.http, "here", "spaces", last="AAAA")


def _spaces(heard: Listening) -> list[str]:
    return [one["data"]["space"] for one in heard.facts]


def _goes_on_after_a_reset(
    cell: Cell, client: httpx2.Client, heard: Listening, because: str, missed: list[str]
) -> None:
    """What is read then and what is told from then on is everything, and nothing of it twice."""
    known = len(heard.named("reset"))
    assert heard.named("reset") == [{"because": because}] * known
    assert _spaces(heard) == []
    read = client.get("/v1/hubs/here/spaces?limit=100").json()["items"]
    assert set(missed) <= {one["id"] for one in read}
    new = cell.space("here", f"after-{because}" if because != "foreign" else f"after-{new_id()}")
    eventually("what happens then is told", lambda: _spaces(heard) == [new])
    topics = ",".join(heard.named("open")[0]["topics"])
    with listening(client, "here", topics, last=heard.last_id) as again:
        assert (again.named("reset"), again.facts) == ([], [])


def test_a_stream_that_was_made_anew_is_read_again_and_gone_on_with(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ordered, "SILENCE_S", 1.5 * ordered.HEARTBEAT_S)
    with listening(cell.http, "here", "spaces") as along:
        cell.space("here", "before")
        along.tells("space-opened")
        old, late = along.last_id, str(new_id())
        bent = old[:-4] + ("AAAA" if old[-4:] != "AAAA" else "BBBB")
        with listening(cell.http, "here", "spaces", last=bent) as heard:
            assert heard.named("reset") == [{"because": "rebuilt"}]
        cell.run(cell.end("booking"))
        cell.run(_make_anew(cell, "BOOKING"))
        eventually("who read along is told", lambda: along.named("reset") == [{"because": "rebuilt"}])
        # Stated before the stream was made, committed after readers were told: no reading again has shown it.
        cell.sql("booking", _STATED_ANEW.format(along.ids[-1], late))
        cell.run(cell.begin("booking"))
        eventually("what was committed late is told", lambda: late in along.ids)
        with cell.another_gateway() as other, listening(other, "here", "spaces", last=old) as back:
            assert back.named("reset") == [{"because": "rebuilt"}]
            cell.space("here", "afterwards")
            for one in (back, along):
                eventually("what happens then is told", lambda: _spaces(one)[-1:] == ["afterwards"])  # noqa: B023  # at once
            assert _spaces(along) == ["before", "before", "afterwards"]
            assert len(set(along.ids)) == 3, "what the relay states once more is no news"
            with listening(other, "here", "spaces", last=along.last_id) as again:
                assert (again.named("reset"), again.facts) == ([], [])


_STATED_ANEW = """
    INSERT INTO outbox (stream, fact_id, subject, headers, body)
    SELECT stream, '{1}', subject, headers, replace(body::text, '{0}', '{1}') FROM outbox WHERE fact_id = '{0}'
"""


async def _make_anew(cell: Cell, stream: str) -> None:
    await cell.admin.jetstream().delete_stream(stream)
    await provision(cell.admin)


def test_a_role_that_changes_on_the_way_in_is_asked_for_again(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    token, admin = known(cell, "here", "host", "Falling"), cell.auth("here", "admin")
    path = f"/v1/hubs/here/members/{cell.person('here', 'host', 'Falling')}"
    following, lowered = Hall.following, list[int]()

    def lower() -> None:
        version = cell.http.get(path, headers=admin).headers["etag"]
        answer = cell.http.patch(path, json={"role": "member"}, headers={**admin, "If-Match": version})
        lowered.append(answer.status_code)

    async def then_lowered(self: Hall, cursor: Cursor | None, view: View) -> None:
        await following(self, cursor, view)
        if not lowered:
            await asyncio.to_thread(lower)
            await waiting.eventually(lambda: any(one.rechecked for one in self.arriving))

    monkeypatch.setattr(Hall, "following", then_lowered)
    with listening(cell.http, "here", "members,spaces", token=token) as heard:
        assert lowered == [200]
        cell.person("here", "member", "A Latecomer")
        cell.space("here", "gallery")
        heard.tells("space-opened")
        assert heard.types() == ["space-opened"], "as a member they are not told who joins"


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


def test_who_has_gone_without_a_word_gives_their_place_back(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leaving, "SILENT_S", 1)
    with cell.another_gateway(live_per_address=1, live_longest_s=1_000_000) as few:
        where = urlsplit(str(few.base_url))
        gone = socket.create_connection((where.hostname, where.port))
        gone.sendall(b"GET /v1/live?hub=here&topics=hub HTTP/1.1\r\nHost: here\r\n\r\n")
        assert b"200" in gone.recv(65536)
        acknowledge_nothing(gone)
        problem(few.get("/v1/live?hub=here"), 429, "too-many-streams")
        cell.clock.ahead += timedelta(seconds=BEAT_S)
        eventually("the place is free again", lambda: _opens(few), seconds=10)
        gone.close()


def test_nobody_holds_more_streams_than_they_may(cell: Cell) -> None:
    with cell.another_gateway(live_per_address=1, live_per_person=1, live_together=2) as few:
        with listening(few, "here", "hub"):
            refused = few.get("/v1/live?hub=here")
            problem(refused, 429, "too-many-streams")
            assert int(refused.headers["retry-after"]) >= 1
            with listening(few, "here", "hub", token=known(cell, "here", "member")):
                refused = few.get("/v1/live?hub=here", headers=cell.auth("here", "host"))
                problem(refused, 503, "unavailable")
        eventually("the place is free again", lambda: _opens(few))


def _opens(client: httpx2.Client) -> bool:
    with client.stream("GET", "/v1/live?hub=here&topics=hub") as answer:
        return answer.status_code == 200


def test_keepers_see_that_every_stream_is_heard(cell: Cell) -> None:
    def silences() -> dict[str, float]:
        lines = cell.http.get("/metrics").text.splitlines()
        found = [line for line in lines if line.startswith("foci_live_silence_seconds{")]
        return {line.split('"')[1]: float(line.split()[-1]) for line in found}

    eventually("all are heard", lambda: max(silences().values()) < ordered.SILENCE_S)
    assert silences().keys() == set(LIVE_STREAMS)


def test_a_head_request_ends(cell: Cell) -> None:
    started = time.monotonic()
    answer = cell.http.head("/v1/live?hub=here")
    assert (answer.status_code, answer.content) == (200, b"")
    assert time.monotonic() - started < 5
