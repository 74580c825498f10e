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
from starlette.requests import Request
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
        pytest.param(HEAD + b"X-Long: " + b"a" * (MOST_HEAD + 1000), 431, "headers-too-large", id="a header without an end"),
        pytest.param(b"GET /" + b"a" * (MOST_HEAD + 1000), 431, "headers-too-large", id="an address without an end"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_as_a_problem(cell: Cell, sent: bytes, status: int, code: str) -> None:
    head, body = cell.run(heard(cell.url, sent))
    first, *headers = head.decode().lower().split("\r\n")
    assert first.startswith(f"http/1.1 {status} ")
    assert {"content-type: application/problem+json", "connection: close"} <= {*headers}
    assert "x-content-type-options: nosniff" in headers
    assert (orjson.loads(body)["status"], orjson.loads(body)["code"]) == (status, code)


def test_a_long_head_that_ends_is_read(cell: Cell) -> None:
    long = HEAD + b"X-Long: " + b"a" * (MOST_HEAD - 1000) + b"\r\nConnection: close\r\n\r\n"
    head, _ = cell.run(heard(cell.url, long))
    assert head.startswith(b"HTTP/1.1 200 ")


class Quick(Wire):
    """As the gateway's, for people with less patience."""

    within_s = 0.4


@asynccontextmanager
async def served() -> AsyncIterator[str]:
    """A server that reads what it is sent and says how much that was."""

    async def answer(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"{len(await request.body())} read")

    app = Starlette(routes=[Route("/", answer, methods=["GET", "POST"])])
    server = uvicorn.Server(uvicorn.Config(app, port=0, http=Quick, log_config=None))
    task = asyncio.create_task(server.serve())
    try:
        await eventually(lambda: server.started)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await task


WHOLE = b"POST / HTTP/1.1\r\nHost: foci.example\r\nContent-Length: 4\r\n\r\nfour"


@pytest.mark.parametrize(
    ("sent", "answers"),
    [
        pytest.param(b"", [], id="nothing"),
        pytest.param(b"\r\n\r\n", [], id="blank lines"),
        pytest.param(WHOLE[:30], [b"HTTP/1.1 408 "], id="half a head"),
        pytest.param(WHOLE[:-1], [b"HTTP/1.1 408 "], id="most of a body"),
        pytest.param(WHOLE + WHOLE[:30], [b"HTTP/1.1 200 ", b"HTTP/1.1 408 "], id="half of the second"),
    ],
)
async def test_who_sends_no_end_is_not_waited_for(sent: bytes, answers: list[bytes]) -> None:
    async with served() as url:
        place = urlsplit(url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(sent)
        async with asyncio.timeout(10):
            everything = await reader.read()
        writer.close()
    found = [b"HTTP/1.1 " + one[:4] for one in everything.split(b"HTTP/1.1 ")[1:]]
    assert found == answers


async def test_blank_lines_after_an_answer_keep_no_connection() -> None:
    async with served() as url:
        place = urlsplit(url)
        reader, writer = await asyncio.open_connection(place.hostname, place.port)
        writer.write(WHOLE)
        await reader.readuntil(b"4 read")
        writer.write(b"\r\n")
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()


async def test_a_request_that_comes_in_pieces_is_answered() -> None:
    last = WHOLE.replace(b"Host:", b"Connection: close\r\nHost:")
    async with served() as url:
        head, body = await heard(url, *(last[at : at + 1] for at in range(len(last))))
    assert head.startswith(b"HTTP/1.1 200 ")
    assert body == b"4 read"
