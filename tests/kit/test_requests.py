"""Requests: typed, vouched for, bounded; a caller always hears something, and in time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client
from prometheus_client import REGISTRY
from pydantic import Field
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Request, Slug, View
from shared.kit.database import Database
from shared.kit.errors import Conflict, Unavailable
from shared.kit.idempotency import Answer
from shared.kit.ids import new_id, utc_now
from shared.kit.principal import LIFETIME, Principal, Verifier, required, sign
from shared.kit.problems import RemoteProblem
from shared.kit.requester import Requester
from shared.kit.rpc import Call, Server
from tests.kit.consuming import Outage, settled
from tests.kit.hubs import opened
from tests.servers import NatsAccount
from tests.waiting import eventually


class Greeting(View):
    words: str
    version: int = 3


class Greet(Request[Greeting]):
    service = "booking"
    operation = "greet"
    reply = Greeting

    hub: Slug
    how_often: int = Field(default=1, ge=1, le=3)


class WhoAmI(Request[Greeting]):
    service = "booking"
    operation = "who-am-i"
    reply = Greeting


class Queue(Request[Greeting]):
    """Answered by itself, with room of its own."""

    service = "booking"
    operation = "queue"
    reply = Greeting
    changes = True


class SpaceTaken(Conflict):
    code = "space-taken"
    title = "Taken"


class Doors:
    """What the handlers of these tests wait for and count."""

    def __init__(self) -> None:
        self.inside = 0
        self.most = 0
        self.queueing = 0
        self.go_on = asyncio.Event()


@dataclass
class Stage:
    """A server and who asks it."""

    server: Server
    requester: Requester
    doors: Doors
    key: Ed25519PrivateKey
    gateway: Client

    async def ask(self, hub: str = "ystad", *, seconds: float = 5.0, **more: Any) -> Any:
        reply = await self.requester.send(Greet(hub=hub), cell="local", seconds=seconds, **more)
        return orjson.loads(reply.body)["words"]


KEY = Ed25519PrivateKey.generate()


def make_server(database: Database, doors: Doors, *, concurrency: int = 4) -> Server:
    verifier = Verifier(KEY.public_key(), "local")
    server = Server(
        database, service="booking", cell="local", verifier=verifier, clock=utc_now, concurrency=concurrency
    )

    async def greet(session: AsyncSession, request: Greet, call: Call) -> Greeting:
        if request.hub == "taken":
            raise SpaceTaken("Somebody was faster.", field="space", nearest=["10:00"])
        if request.hub == "bug":
            raise ZeroDivisionError
        if request.hub == "migrated":
            await session.execute(text("SELECT * FROM effect"))
        if request.hub == "own-fault":
            Greet.model_validate({"hub": "NOT A SLUG"})
        if request.hub == "huge":
            return Greeting(words="x" * 2_000_000)
        if request.hub == "slow":
            doors.inside += 1
            doors.most = max(doors.most, doors.inside)
            try:
                await doors.go_on.wait()
            finally:
                doors.inside -= 1
        return Greeting(words=f"Hej {request.hub}")

    async def who_am_i(_: AsyncSession, __: WhoAmI, call: Call) -> Greeting:
        return Greeting(words=f"{required(call.principal).role}")

    async def queue(_: Queue, __: Call) -> Answer:
        doors.queueing += 1
        try:
            await doors.go_on.wait()
        finally:
            doors.queueing -= 1
        return Answer(200, None, '{"words": "Hej"}')

    server.answers({Greet: greet, WhoAmI: who_am_i})
    server.answers_directly({Queue: queue}, slots=6)
    return server


@pytest_asyncio.fixture
async def stage(database: Callable[[str], str], nats_account: NatsAccount) -> AsyncIterator[Stage]:
    doors = Doors()
    nc, gateway = await nats_account.connect("booking"), await nats_account.connect("gateway")
    async with opened(database("booking"), pool_size=10) as booking:
        server = make_server(booking, doors)
        await server.start(nc, version="1.2.3")
        await settled(nc)
        yield Stage(server, Requester(gateway, utc_now), doors, KEY, gateway)
        doors.go_on.set()
        await server.stop()
    await nc.close()
    await gateway.close()


async def refused(asking: Any) -> dict[str, Any]:
    with pytest.raises(RemoteProblem) as caught:
        await asking
    return caught.value.document


async def test_a_migration_under_a_prepared_statement_is_not_noticed(stage: Stage) -> None:
    """PostgreSQL refuses a plan whose result has another column now."""
    for column in ("one", "two"):
        assert await stage.ask("migrated") == "Hej migrated"
        async with stage.server._database.transaction() as session:
            await session.execute(text(f"ALTER TABLE effect ADD COLUMN {column} text"))
        assert await stage.ask("migrated") == "Hej migrated"


async def test_a_request_is_answered_with_status_version_and_view(stage: Stage) -> None:
    reply = await stage.requester.send(Greet(hub="ystad"), cell="local", seconds=5)
    assert (reply.status, reply.version) == (200, 3)
    assert orjson.loads(reply.body) == {"words": "Hej ystad", "version": 3}


async def test_a_refusal_arrives_with_its_code_sentence_field_and_what_else_it_says(stage: Stage) -> None:
    problem = await refused(stage.ask("taken"))
    assert problem["status"] == 409
    assert problem["code"] == "space-taken"
    assert problem["detail"] == "Somebody was faster."
    assert (problem["field"], problem["nearest"]) == ("space", ["10:00"])


async def test_a_request_that_is_not_as_declared_is_told_which_fields(stage: Stage) -> None:
    wrong = Greet.model_construct(hub="NOT A SLUG", how_often=9)
    wrong.__pydantic_fields_set__.update({"hub", "how_often"})
    problem = await refused(stage.requester.send(wrong, cell="local", seconds=5))
    assert problem["status"] == 422
    assert {fault["field"] for fault in problem["errors"]} == {"hub", "how_often"}
    assert "NOT A SLUG" not in str(problem)


async def test_a_body_that_is_no_json_and_a_misspelt_field_are_refused(stage: Stage) -> None:
    subject = Greet.subject_for("local")
    for body in (b"", b"\xff\xff", b"[]", b'{"hub": "ystad", "hubb": 1}'):
        answer = await stage.gateway.request(subject, body, timeout=5)
        assert answer.headers
        assert answer.headers["Foci-Status"] == "422"


async def test_a_bug_is_answered_with_500_and_never_with_silence(stage: Stage) -> None:
    problem = await refused(stage.ask("bug"))
    assert problem["status"] == 500
    assert "ZeroDivision" not in str(problem)
    assert (await refused(stage.ask("huge")))["status"] == 500


async def test_data_of_our_own_that_is_not_valid_is_never_blamed_on_the_caller(stage: Stage) -> None:
    problem = await refused(stage.ask("own-fault"))
    assert (problem["status"], problem["code"]) == (500, "internal")


async def test_the_gateways_word_is_believed_and_nobody_elses(stage: Stage) -> None:
    host = Principal(new_id(), "ystad", "host")
    now = utc_now()
    reply = await stage.requester.send(
        WhoAmI(), cell="local", seconds=5, assertion=sign(host, KEY, cell="local", now=now)
    )
    assert orjson.loads(reply.body)["words"] == "host"
    own_word = sign(host, KEY, cell="local", now=now)
    head, claims, signature = own_word.split(".")
    for forged in (
        sign(host, Ed25519PrivateKey.generate(), cell="local", now=now),
        sign(host, KEY, cell="another-cell", now=now),
        sign(host, KEY, cell="local", now=now - LIFETIME - timedelta(seconds=1)),
        sign(host, KEY, cell="local", now=now + timedelta(hours=1)),
        f"{head}.{claims}.{signature[:-4]}AAAA",
        f"eyJhbGciOiJub25lIn0.{claims}.",
        "nonsense",
        "",
    ):
        problem = await refused(stage.requester.send(WhoAmI(), cell="local", seconds=5, assertion=forged))
        assert problem["status"] == 401, forged
    assert (await refused(stage.requester.send(WhoAmI(), cell="local", seconds=5)))["status"] == 401


async def test_a_word_that_was_believed_once_is_not_believed_after_its_minute() -> None:
    verifier = Verifier(KEY.public_key(), "local")
    now = utc_now()
    word = sign(Principal(new_id()), KEY, cell="local", now=now)
    verifier.verify(word, now=now)
    verifier.verify(word, now=now + LIFETIME - timedelta(seconds=2))
    with pytest.raises(Exception, match="no valid assertion"):
        verifier.verify(word, now=now + LIFETIME)


async def test_what_a_verifier_remembers_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.kit.principal.REMEMBERED", 5)
    verifier = Verifier(KEY.public_key(), "local")
    for _ in range(20):
        verifier.verify(sign(Principal(new_id()), KEY, cell="local", now=utc_now()), now=utc_now())
    assert len(verifier._known) == 5


async def test_trap_3_requests_are_worked_on_side_by_side(stage: Stage) -> None:
    asking = [asyncio.create_task(stage.ask("slow")) for _ in range(4)]
    await eventually(lambda: stage.doors.inside == 4)
    stage.doors.go_on.set()
    assert await asyncio.gather(*asking) == ["Hej slow"] * 4


async def test_when_it_is_full_the_next_is_told_at_once_to_come_back(stage: Stage) -> None:
    asking = [asyncio.create_task(stage.ask("slow")) for _ in range(8)]  # four work, four wait
    await eventually(lambda: len(stage.server._active) == 8)
    async with asyncio.timeout(1):
        problem = await refused(stage.ask("ystad"))
    assert (problem["status"], problem["retry_after"]) == (503, 1)
    assert "busy" in problem["detail"]
    assert stage.doors.most == 4
    stage.doors.go_on.set()
    assert await asyncio.gather(*asking) == ["Hej slow"] * 8
    assert await stage.ask("ystad") == "Hej ystad"


async def test_requests_with_slots_of_their_own_neither_take_nor_give_room(stage: Stage) -> None:
    async def queue() -> Any:
        return await stage.requester.send(Queue(), cell="local", seconds=5)

    queueing = [asyncio.create_task(queue()) for _ in range(12)]  # six work, six wait
    await eventually(lambda: len(stage.server._active) == 12)
    assert stage.doors.queueing == 6
    assert (await refused(queue()))["status"] == 503
    slow = [asyncio.create_task(stage.ask("slow")) for _ in range(8)]
    await eventually(lambda: len(stage.server._active) == 20)
    assert (await refused(stage.ask("ystad")))["status"] == 503
    stage.doors.go_on.set()
    assert len(await asyncio.gather(*queueing)) == 12
    assert await asyncio.gather(*slow) == ["Hej slow"] * 8
    await eventually(lambda: not stage.server._active)
    await queue()


async def test_a_request_whose_deadline_has_passed_is_not_begun(stage: Stage) -> None:
    late = Requester(stage.gateway, lambda: utc_now() - timedelta(seconds=10))
    problem = await refused(late.send(Greet(hub="slow"), cell="local", seconds=5))
    assert problem["status"] == 503
    assert stage.doors.most == 0


async def test_nobody_there_is_said_at_once_and_slowness_in_time(stage: Stage) -> None:
    def unanswered(asked: str, why: str) -> float:
        return REGISTRY.get_sample_value("foci_requests_unanswered_total", {"asked": asked, "why": why}) or 0

    loop = asyncio.get_running_loop()
    before, started = unanswered("directory", "no-responders"), loop.time()
    with pytest.raises(Unavailable, match="away"):
        await stage.requester.send(Greet(hub="ystad"), cell="local", seconds=5, service="directory")
    assert loop.time() - started < 1
    assert unanswered("directory", "no-responders") == before + 1
    started = loop.time()
    with pytest.raises((Unavailable, RemoteProblem)) as caught:
        await stage.ask("slow", seconds=0.3)
    assert loop.time() - started < 1
    assert caught.value.status == 503 or caught.value.document["status"] == 503  # type: ignore[attr-defined]
    await eventually(lambda: stage.doors.inside == 0, what="the work nobody waits for is given up")


async def test_a_stop_finishes_what_was_begun_and_what_had_arrived(
    database: Callable[[str], str], nats_account: NatsAccount
) -> None:
    doors = Doors()
    nc, gateway = await nats_account.connect("booking"), await nats_account.connect("gateway")
    requester = Requester(gateway, utc_now)
    async with opened(database("booking")) as booking:
        server = make_server(booking, doors, concurrency=50)
        await server.start(nc, version="1.2.3")
        await settled(nc)
        asking = [
            asyncio.create_task(requester.send(Greet(hub="slow"), cell="local", seconds=5)) for _ in range(60)
        ]
        await eventually(lambda: doors.inside > 0)
        stopping = asyncio.create_task(server.stop())
        doors.go_on.set()
        await stopping
        assert {reply.status for reply in await asyncio.gather(*asking)} == {200}
        with pytest.raises(Unavailable):
            await requester.send(Greet(hub="ystad"), cell="local", seconds=2)
    await nc.close()
    await gateway.close()


async def test_a_message_without_an_address_for_the_answer_harms_nobody(stage: Stage) -> None:
    await stage.gateway.publish(Greet.subject_for("local"), b'{"hub": "ystad"}')
    assert await stage.ask() == "Hej ystad"


async def test_ordinary_nats_tools_find_the_service(stage: Stage, nats_account: NatsAccount) -> None:
    admin = await nats_account.connect("admin")
    found = orjson.loads((await admin.request("$SRV.INFO.foci-booking", b"", timeout=2)).data)
    assert found["version"] == "1.2.3"
    assert {endpoint["subject"] for endpoint in found["endpoints"]} == {
        "rpc.local.booking.greet",
        "rpc.local.booking.queue",
        "rpc.local.booking.who-am-i",
    }
    await admin.close()


async def test_without_its_database_a_service_says_that_it_is_away(
    database: Callable[[str], str], postgres: str, nats_account: NatsAccount
) -> None:
    url = database("booking")
    outage = Outage(postgres, url)
    nc, gateway = await nats_account.connect("booking"), await nats_account.connect("gateway")
    async with opened(url) as booking:
        server = make_server(booking, Doors())

        async def ping(session: AsyncSession, request: Greet, call: Call) -> Greeting:
            await session.execute(text("SELECT 1"))
            return Greeting(words="here")

        server.answers({Greet: ping})
        await server.start(nc, version="1.0.0")
        await settled(nc)
        requester = Requester(gateway, utc_now)
        await requester.send(Greet(hub="ystad"), cell="local", seconds=5)
        await outage.begin()
        problem = await refused(requester.send(Greet(hub="ystad"), cell="local", seconds=5))
        assert problem["status"] == 503
        assert problem["retry_after"] >= 1
        await outage.end()

        async def back() -> bool:
            return (await requester.send(Greet(hub="ystad"), cell="local", seconds=5)).status == 200

        assert await back()
        await server.stop()
    await nc.close()
    await gateway.close()
