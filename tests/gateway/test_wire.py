"""What comes in over a connection and is no request: it hears why, in the words of every other refusal, and is let go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import orjson
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.gateway.wire import MOST_HEAD, Wire
from tests.gateway.cell import Cell
from tests.waiting import eventually

HEAD = b"GET /v1/hubs HTTP/1.1\r\nHost: foci.example\r\n"


async def heard(url: str, *parts: bytes) -> tuple[bytes, bytes]:
    """Head and body of what is answered until the other side closes the connection."""
    place = urlsplit(url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        async with asyncio.timeout(10):
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
            return head, body
    finally:
        writer.close()


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        pytest.param("GET /v1/skills?text=bokföring HTTP/1.1\r\n\r\n".encode(), 400, "bad-request", id="letters"),
        pytest.param(b"HELO foci.example\r\n\r\n", 400, "bad-request", id="another protocol"),
        pytest.param(b"GET /v1/hubs HTTP/7.5\r\n\r\n", 400, "bad-request", id="another version"),
        pytest.param(HEAD + b"Content-Length: many\r\n\r\n", 400, "bad-request", id="no length"),
        pytest.param(HEAD + b"X-Long: " + b"a" * 400_000, 431, "headers-too-large", id="a header without an end"),
        pytest.param(b"GET /" + b"a" * 400_000, 431, "headers-too-large", id="an address without an end"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_as_a_problem(cell: Cell, sent: bytes, status: int, code: str) -> None:
    head, body = cell.run(heard(cell.url, sent))
    first, *headers = head.decode().lower().split("\r\n")
    assert first.startswith(f"http/1.1 {status} ")
    assert {"content-type: application/problem+json", "connection: close"} <= {*headers}
    assert "x-content-type-options: nosniff" in headers
    assert any(header.startswith("date: ") for header in headers)
    assert (orjson.loads(body)["status"], orjson.loads(body)["code"]) == (status, code)


def test_a_long_head_that_ends_is_read(cell: Cell) -> None:
    long = HEAD + b"X-Long: " + b"a" * (MOST_HEAD - 1000) + b"\r\nConnection: close\r\n\r\n"
    head, _ = cell.run(heard(cell.url, long))
    assert head.startswith(b"HTTP/1.1 200 ")


class Quick(Wire):
    """As the gateway's, for people with less patience."""

    within_s = 0.4


class Served:
    """A server that reads what it is sent and says how much that was; at `/slowly` when it may."""

    def __init__(self) -> None:
        self.url = ""
        self.may_answer = asyncio.Event()
        self.left = 0

    async def answer(self, request: Request) -> PlainTextResponse:
        try:
            size = len(await request.body())
        except ClientDisconnect:
            self.left += 1
            raise
        if request.url.path == "/slowly":
            await self.may_answer.wait()
        return PlainTextResponse(f"{size} read")

    @asynccontextmanager
    async def talk(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        place = urlsplit(self.url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        try:
            async with asyncio.timeout(10):
                yield reader, writer
        finally:
            writer.close()


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    """The server while it runs."""
    it = Served()
    app = Starlette(routes=[Route(path, it.answer, methods=["GET", "POST"]) for path in ("/", "/slowly")])
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=Quick, log_config=None))
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        it.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
        yield it
    finally:
        it.may_answer.set()
        server.should_exit = True
        await task


WHOLE = b"POST / HTTP/1.1\r\nHost: foci.example\r\nContent-Length: 4\r\n\r\nfour"
LAST = WHOLE.replace(b"Host:", b"Connection: close\r\nHost:")
CHUNKED = b"POST / HTTP/1.1\r\nHost: foci.example\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfour\r\n0\r\n"


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"\r\n\r\n", [], id="blank lines"),
        pytest.param(WHOLE[:30], [b"HTTP/1.1 408 "], id="half a head"),
        pytest.param(WHOLE[:-1], [b"HTTP/1.1 408 "], id="most of a body"),
        pytest.param(CHUNKED, [b"HTTP/1.1 408 "], id="no end of the trailers"),
        pytest.param(CHUNKED + b"X: y\r\n" * 40_000, [b"HTTP/1.1 431 "], id="very many trailers"),
        pytest.param(CHUNKED + b"X: " + b"y" * 900_000, [b"HTTP/1.1 431 "], id="a very long trailer"),
        pytest.param(WHOLE + WHOLE[:30], [b"HTTP/1.1 200 ", b"HTTP/1.1 408 "], id="half of the second"),
    ],
)
async def test_who_sends_no_end_is_not_waited_for(sent: bytes, answers: list[bytes]) -> None:
    async with served() as it, it.talk() as (reader, writer):
        writer.write(sent)
        everything = await reader.read()
    found = [b"HTTP/1.1 " + one[:4] for one in everything.split(b"HTTP/1.1 ")[1:]]
    assert found == answers


async def test_who_waits_for_a_body_that_does_not_come_is_told() -> None:
    async with served() as it, it.talk() as (reader, writer):
        writer.write(WHOLE[:-1])
        assert (await reader.read()).startswith(b"HTTP/1.1 408 ")
        await eventually(lambda: it.left == 1)


async def test_nothing_is_said_into_an_answer_that_is_under_way() -> None:
    """A refusal of the second request would be taken for the answer to the first, which may be carried out."""
    async with served() as it, it.talk() as (reader, writer):
        writer.write(WHOLE.replace(b"POST /", b"POST /slowly") + WHOLE[:30])
        assert await reader.read() == b""


async def test_blank_lines_after_an_answer_keep_no_connection() -> None:
    async with served() as it, it.talk() as (reader, writer):
        writer.write(WHOLE)
        await reader.readuntil(b"4 read")
        writer.write(b"\r\n")
        assert await reader.read() == b""


async def test_the_time_a_request_may_take_begins_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Browsers open connections ahead of need."""
    monkeypatch.setattr(Quick, "within_s", 1.5)
    clock = asyncio.get_running_loop().time
    async with served() as it, it.talk() as (reader, writer):
        opened = clock()
        await eventually(lambda: clock() >= opened + 1)
        writer.write(LAST[:20])
        await eventually(lambda: clock() >= opened + 2)
        writer.write(LAST[20:])
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")


async def test_a_request_that_comes_in_pieces_is_answered() -> None:
    async with served() as it:
        head, body = await heard(it.url, *(LAST[at : at + 1] for at in range(len(LAST))))
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b"4 read"


async def test_what_is_refused_leaves_what_came_whole_before_it_alone() -> None:
    """A long request and the beginning of the next in one piece are not one long head."""
    long = LAST.replace(b"Content-Length: 4", b"Content-Length: 100000").replace(
        b"Connection: close\r\n", b""
    )
    async with served() as it, it.talk() as (reader, writer):
        writer.write(long[:-4] + b"x" * 100_000 + LAST[:30])
        await reader.readuntil(b"100000 read")
        writer.write(LAST[30:])
        assert b"4 read" in await reader.read()
