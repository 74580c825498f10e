"""The smallest HTTP client that tells an answer from a lost connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass

PATIENCE_S = 20.0
"""The gateway promises an answer in 5 s; a machine that is busy with other things gets more."""


class Lost(Exception):
    """The connection could not be made or ended before the answer was complete."""


class Shut(Exception):
    """Nobody listens there: nothing has been sent, so asking at another door is no second try."""


class Hangs(Exception):
    """Nothing came, and the connection did not end either."""


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Door:
    """One kept connection to one gateway; made anew when it was lost."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._one_at_a_time = asyncio.Lock()
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, method: str, path: str, headers: Mapping[str, str], body: bytes = b"") -> Reply:
        """The answer, or Shut, Lost, Hangs."""
        try:
            async with self._one_at_a_time, asyncio.timeout(PATIENCE_S):
                return await self._exchange(method, path, headers, body)
        except TimeoutError as error:
            self.close()
            raise Hangs(f"no answer within {PATIENCE_S:g} s") from error
        except (OSError, EOFError) as error:
            self.close()
            raise Lost(repr(error)) from error

    async def _exchange(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> Reply:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            self.close()
            try:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            except ConnectionRefusedError as error:
                raise Shut(str(error)) from error
        lines = [f"{method} {path} HTTP/1.1", f"host: 127.0.0.1:{self._port}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        await self._writer.drain()
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        fields = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        content = await self._reader.readexactly(int(fields.get("content-length", "0")))
        if fields.get("connection") == "close":
            self.close()
        return Reply(int(head[0].split()[1]), fields, content)

    def close(self) -> None:
        """Forget the connection."""
        if self._writer is not None:
            with contextlib.suppress(OSError):
                self._writer.close()
        self._reader = self._writer = None
