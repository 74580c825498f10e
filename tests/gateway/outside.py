"""What a cell speaks to outside: a mail server, and a webhook's target that answers as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import orjson

from tests.notify.post_office import PostOffice, post_office


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent in it."""
        read: dict[str, Any] = orjson.loads(self.body)
        return read


@dataclass
class Target:
    """What it has been sent; `status` is what it answers."""

    port: int = 0
    status: int = 204
    received: list[Received] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}/hook"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take requests until the other side goes away."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                pairs = (line.partition(":") for line in lines if line)
                headers = {name.lower(): value.strip() for name, _, value in pairs}
                body = await reader.readexactly(int(headers.get("content-length", 0)))
                self.received.append(Received(first.split()[1], headers, body))
                writer.write(f"HTTP/1.1 {self.status} Said\r\nContent-Length: 0\r\n\r\n".encode())
                await writer.drain()
        writer.close()


@dataclass(frozen=True)
class Outside:
    """Both of them."""

    post: PostOffice
    target: Target

    def settings(self) -> dict[str, Any]:
        """What notify is told of them."""
        return {
            "smtp_port": self.post.port,
            "smtp_tls": "none",
            "webhook_trusted": (f"127.0.0.1:{self.target.port}",),
        }


@asynccontextmanager
async def outside() -> AsyncIterator[Outside]:
    """A mail server and a target on free ports of this machine."""
    target = Target()
    server = await asyncio.start_server(target.answer, "127.0.0.1", 0)
    target.port = server.sockets[0].getsockname()[1]
    try:
        async with post_office() as post:
            yield Outside(post, target)
    finally:
        server.close()
