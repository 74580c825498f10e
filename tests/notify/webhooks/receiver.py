"""An operator's system: a real HTTP server in the test's process that answers as the test says, well or badly."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Received:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: str

    @property
    def message(self) -> str:
        """The `webhook-id`."""
        return self.headers["webhook-id"]

    def verified(self, secret: str) -> Any:
        """What the official library makes of it; WebhookVerificationError when it does not believe it."""
        return Webhook(secret).verify(self.body, self.headers)


Answering = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def answering(status: int, *headers: str, body: bytes = b"") -> Answering:
    """Always this answer."""

    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {status} So", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return answer


def in_turn(*answers: Answering) -> Answering:
    """These answers one after the other, and the last for ever."""
    left = list(answers)

    async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(received, writer)

    return answer


async def silence(_: Received, __: asyncio.StreamWriter) -> None:
    """No answer, ever."""
    await asyncio.Event().wait()


def endless(status: int, *, pause: float = 0.0) -> Answering:
    """An answer whose body never ends; with a pause it trickles."""

    async def answer(_: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(f"HTTP/1.1 {status} So\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        looping = asyncio.get_running_loop()
        end = looping.time() + 60
        while looping.time() < end:
            part = b"x" * (1 if pause else 8192)
            writer.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
            await writer.drain()
            await asyncio.sleep(pause)

    return answer


async def trickling_headers(_: Received, writer: asyncio.StreamWriter) -> None:
    """A header line a moment, and never the end of them."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    looping = asyncio.get_running_loop()
    end = looping.time() + 60
    while looping.time() < end:
        writer.write(b"x-more: 1\r\n")
        await writer.drain()
        await asyncio.sleep(0.02)


async def no_http(_: Received, writer: asyncio.StreamWriter) -> None:
    """Something else altogether."""
    writer.write(b"220 mail.example ESMTP\r\n")
    writer.close()


@dataclass
class Receiver:
    """The server: what it has received, how many requests it had at once, how many connections were opened."""

    port: int = 0
    answer: Answering = field(default_factory=lambda: answering(204))
    received: list[Received] = field(default_factory=list)
    now: int = 0
    most_at_once: int = 0
    connections: int = 0
    lost: int = 0
    """Answers that were cut off because the other side closed the line."""

    @property
    def url(self) -> str:
        """Where it listens, plain http."""
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def messages(self) -> list[str]:
        """The `webhook-id` of each request."""
        return [one.message for one in self.received]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, request after request."""
        self.connections += 1
        try:
            while (received := await _request(reader)) is not None:
                self.received.append(received)
                self.now += 1
                self.most_at_once = max(self.most_at_once, self.now)
                try:
                    await self.answer(received, writer)
                finally:
                    self.now -= 1
        except (ConnectionError, ssl.SSLError):
            self.lost += 1
        finally:
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers["content-length"]))
    method, path, _ = first.split(" ")
    return Received(method, path, headers, body.decode())


@contextlib.asynccontextmanager
async def receiving(
    answer: Answering | None = None,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Receiver]:
    """A receiver on a free port, gone with the block."""
    receiver = Receiver()
    if answer is not None:
        receiver.answer = answer
    connections: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(receiver.serve(reader, writer))
        connections.add(task)
        task.add_done_callback(connections.discard)

    server = await asyncio.start_server(accept, host, port, ssl=tls)
    receiver.port = server.sockets[0].getsockname()[1]
    try:
        yield receiver
    finally:
        server.close()
        open_ones = list(connections)
        for one in open_ones:
            one.cancel()
        await asyncio.gather(*open_ones, return_exceptions=True)
