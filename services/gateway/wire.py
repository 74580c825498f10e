"""The gateway's end of a connection: who sends no HTTP, no end of a head, or nothing at all, hears why and is let go."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.gateway.door import SECURITY_HEADERS
from shared.kit import problems

MOST_HEAD = 65_536
"""Characters of an address and headers that are kept while their end has not come; the parser itself knows no limit."""
WITHIN_S = 30.0
"""So long a request may take to arrive, and a new connection may be without one."""


class Wire(HttpToolsProtocol):
    """uvicorn's, which answers what is not HTTP in plain text, and waits for a request for ever."""

    within_s = WITHIN_S
    _given_up: asyncio.TimerHandle | None = None
    _in_head = False
    _head = 0
    _arriving = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """The first request has to come soon."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._expect_nothing()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins."""
        self._in_head = self._arriving = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """What comes now is counted by the door."""
        self._in_head, self._head = False, 0
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._arriving = False
        self._expect_nothing()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Take in what came, unless it is too much without an end; wait for the rest, but not for ever."""
        super().data_received(data)
        if self.transport.is_closing():
            return
        if self._in_head:
            self._head += len(data)
            if self._head > MOST_HEAD:
                self._refuse(431)
                return
        # Blank lines are no request: who sends nothing else is not kept either.
        if self._given_up is None and (self._arriving or self.cycle is None or self.cycle.response_complete):
            self._expect()

    def send_400_response(self, _: str) -> None:
        """In the words of every other refusal; uvicorn's say no more than that it is no HTTP."""
        self._refuse(400)

    def _expect(self) -> None:
        self._given_up = self.loop.call_later(self.within_s, self._give_up)

    def _expect_nothing(self) -> None:
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None

    def _give_up(self) -> None:
        self._given_up = None
        # While a head comes in, the cycle is still the last request's.
        if self._in_head or (self._arriving and not self.cycle.response_started):
            self._refuse(408)
        else:
            self.transport.close()

    def _refuse(self, status: int) -> None:
        body = orjson.dumps(problems.of_status(status))
        head = [
            (b"content-type", problems.MEDIA_TYPE.encode()),
            (b"content-length", str(len(body)).encode()),
            (b"cache-control", b"no-store"),
            (b"connection", b"close"),
            *SECURITY_HEADERS,
        ]
        lines = [
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}".encode(),
            *(b": ".join(one) for one in head),
        ]
        self.transport.write(b"\r\n".join([*lines, b"", body]))
        self.transport.close()
