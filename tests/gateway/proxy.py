"""A wire that can be cut: TCP forwarded to a server, so that a test can take the server away from one cell alone."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable


class Wire:
    """Forwards connections while it is whole; cut, it drops those there are and refuses new ones."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()
        self.port = 0
        self.overhears: Callable[[bytes], None] | None = None
        """Told what clients say before it is passed on, so that a test can cut the wire at a word."""

    async def mend(self) -> None:
        """Let connections through, on the same port as before."""
        self._server = await asyncio.start_server(self._forward, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def cut(self) -> None:
        """Drop every connection and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        for writer in tuple(self._writers):
            writer.transport.abort()

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            there, back = await asyncio.open_connection(*self._target)
        except OSError:
            writer.close()
            return
        self._writers |= {writer, back}
        try:
            await asyncio.gather(_pump(reader, back, self._overhear), _pump(there, writer))
        finally:
            self._writers -= {writer, back}

    def _overhear(self, chunk: bytes) -> None:
        if self.overhears is not None:
            self.overhears(chunk)


async def _pump(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    overhear: Callable[[bytes], None] = lambda _: None,
) -> None:
    with contextlib.suppress(OSError):
        while chunk := await reader.read(65536):
            overhear(chunk)
            writer.write(chunk)
            await writer.drain()
    with contextlib.suppress(OSError, RuntimeError):
        writer.close()
