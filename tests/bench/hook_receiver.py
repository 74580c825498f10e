"""An operator's system that takes every webhook with 204: as little HTTP as a client needs, so that the clients are measured."""

from __future__ import annotations

import asyncio
import re
import sys
import time
from dataclasses import dataclass
from typing import cast

import uvloop

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"


@dataclass
class Count:
    """How many were taken since the last look, and when the first and the last (`time.monotonic()`)."""

    number: int = 0
    first: float = 0.0
    last: float = 0.0

    def one_more(self) -> None:
        """Taken now."""
        self.last = time.monotonic()
        self.first = self.first if self.number else self.last
        self.number += 1

    def said(self) -> bytes:
        """As an answer to GET."""
        body = f"{self.number} {self.first} {self.last}".encode()
        return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)


class Receiver(asyncio.Protocol):
    """One connection. GET tells the count, DELETE begins it anew."""

    def __init__(self, count: Count) -> None:
        self._count = count
        self._read = b""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        while self._answered():
            pass

    def _answered(self) -> bool:
        head, ended, rest = self._read.partition(b"\r\n\r\n")
        if not ended:
            return False
        found = _LENGTH.search(head)
        length = int(found.group(1)) if found else 0
        if len(rest) < length:
            return False
        self._read = rest[length:]
        if head.startswith(b"GET"):
            self._transport.write(self._count.said())
            return True
        if head.startswith(b"DELETE"):
            self._count.number = 0
        else:
            self._count.one_more()
        self._transport.write(_TAKEN)
        return True


async def serve(port: int) -> None:
    """Until the process ends."""
    count = Count()
    server = await asyncio.get_running_loop().create_server(lambda: Receiver(count), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1])))
