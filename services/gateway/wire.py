"""The gateway's end of a connection: who sends no HTTP, no end of a head, or nothing at all, hears why and is let go."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from services.gateway.door import SECURITY_HEADERS
from shared.kit import problems

MOST_HEAD = 65_536
"""Bytes of an address, headers and trailers that are kept of a request; the parser itself knows no limit."""
WITHIN_S = 30.0
"""So long a request may take to arrive, and a connection may be without one."""
LINGER_S = 2.0
"""So long is read on, and thrown away, what somebody sends who has been refused: closed at once they would never see why."""


class Wire(HttpToolsProtocol):
    """uvicorn's, which answers what is not HTTP in plain text, and waits for a request for ever."""

    within_s = WITHIN_S
    _given_up: asyncio.TimerHandle | None = None
    _in_head = False
    _arriving = False
    _refused = False
    _kept = 0
    _silent = 0
    """Bytes since the parser has made anything of them."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """The first request has to come soon."""
        super().connection_made(transport)
        self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is waited for any more."""
        self._expect_nothing()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """A head begins, and with it the time it may take."""
        self._in_head = self._arriving = True
        self._kept = self._silent = 0
        self._expect_nothing()
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._keep(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or after the body a trailer."""
        self._keep(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The body is counted by the door."""
        self._in_head = False
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._silent = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        self._arriving = False
        self._expect_nothing()
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Take in what came, unless it is too much without an end; wait for the rest, but not for ever."""
        if self._refused:
            return
        self._silent += len(data)
        super().data_received(data)
        if self._refused or self.transport.is_closing():
            return
        if self._arriving and self._kept + self._silent > MOST_HEAD:
            self._refuse(431)
        # Blank lines are no request: who sends nothing else is not kept either.
        elif self._given_up is None and (
            self._arriving or self.cycle is None or self.cycle.response_complete
        ):
            self._expect()

    def send_400_response(self, _: str) -> None:
        """In the words of every other refusal; uvicorn's say no more than that it is no HTTP."""
        self._refuse(400)

    def _keep(self, size: int) -> None:
        self._kept += size
        self._silent = 0

    def _expect(self) -> None:
        self._given_up = self.loop.call_later(self.within_s, self._give_up)

    def _expect_nothing(self) -> None:
        if self._given_up is not None:
            self._given_up.cancel()
            self._given_up = None

    def _give_up(self) -> None:
        self._given_up = None
        if self._arriving:
            self._refuse(408)
        else:
            self.transport.close()

    def _is_answering(self) -> bool:
        """Whether something else stands on the wire already, or is about to."""
        if self.pipeline or self.cycle is None:
            return bool(self.pipeline)
        # Until the head is whole the cycle is still the last request's.
        is_this = self._arriving and not self._in_head
        return self.cycle.response_started if is_this else not self.cycle.response_complete

    def _refuse(self, status: int) -> None:
        self._expect_nothing()
        self._refused = True
        if self._is_answering():
            self.transport.close()
            return
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True  # who waits for the rest of the body need not wait, nor answer
            self.cycle.message_event.set()
        body = orjson.dumps(problems.of_status(status))
        head = [
            *self.server_state.default_headers,
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
        self.transport.write_eof()
        self._given_up = self.loop.call_later(LINGER_S, self.transport.close)
