"""One reader: what waits to be sent to them, and the response that sends it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from uuid import UUID

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from services.gateway.live.frames import FAN_OUT, said

MOST_WAITING = 256 * 1024
"""Bytes that wait for a reader whose connection takes no more; beyond them the reader is cut off."""


@dataclass(slots=True, eq=False)
class Reader:
    """Somebody who reads along: never more waits for them than MOST_WAITING, whatever they do."""

    person: UUID | None
    address: str
    until: float
    """When the stream ends, by the token or by its own age, seconds since 1970."""
    next_beat: float = 0.0
    rechecked: bool = False
    """Whether their rights have changed while they were on their way in."""
    because: str | None = None
    """Why it has ended; None while it goes on."""
    ends_by: float | None = None
    """When it is cut off although something still waits, seconds since 1970."""
    _frames: list[bytes] = field(default_factory=list)
    _size: int = 0
    _since: float = 0.0
    _wake: asyncio.Future[None] | None = None
    _task: asyncio.Task[object] | None = None
    _cut: bool = False

    def start_with(self, frames: list[bytes]) -> None:
        """Send these first, however many; they are what the reader has asked for."""
        self._frames, self._since = frames, perf_counter()

    def push(self, frame: bytes) -> None:
        """Send this when the connection takes it; who takes too little for too long is cut off."""
        if self.because is not None:
            return
        if self._size + len(frame) > MOST_WAITING:
            self.cut("too-slow")
            return
        if not self._frames:
            self._since = perf_counter()
        self._frames.append(frame)
        self._size += len(frame)
        self._stir()

    def close(self, because: str, *, retry: int | None = None) -> None:
        """Say why, and end when everything that waits has been sent."""
        if self.because is None:
            self._frames.append(said("close", {"because": because}, retry=retry))
            self.because = because
            self._stir()

    def cut(self, because: str) -> None:
        """End at once: what waits is dropped, and nothing can be said to who does not listen."""
        self.because = self.because or because
        self._frames.clear()
        self._cut = True
        if self._task is not None:
            self._task.cancel()

    def _stir(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def next(self) -> bytes | None:
        """What waits, as soon as something does; None at the end."""
        while not self._frames:
            if self.because is not None:
                return None
            self._wake = asyncio.get_running_loop().create_future()
            await self._wake
        frames, self._frames, self._size = self._frames, [], 0
        return b"".join(frames)

    async def serve(self, send: Send) -> None:
        """Send what comes until the end."""
        self._task = asyncio.current_task()
        try:
            while (chunk := await self.next()) is not None:
                since = self._since
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
                FAN_OUT.observe(perf_counter() - since)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except asyncio.CancelledError:
            if not self._cut:
                raise
            # Cancelled by ourselves: the task goes on, and the server closes the connection in the middle of the answer.
            if self._task is not None:
                self._task.uncancel()
        finally:
            self._task = None


class LiveResponse(Response):
    """A stream of server-sent events to one reader."""

    media_type = "text/event-stream"

    def __init__(self, reader: Reader, left: Callable[[Reader], None], *, headers: dict[str, str]) -> None:
        super().__init__(headers=headers)
        del self.headers["content-length"]
        self._reader = reader
        self._left = left

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  # ASGI's form
        """Answer, for as long as both want."""
        start = {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        hung_up = asyncio.create_task(self._wait_for_hang_up(receive))
        try:
            await send(start)
            await self._reader.serve(send)
        finally:
            self._left(self._reader)
            hung_up.cancel()

    async def _wait_for_hang_up(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._reader.cut("gone")
