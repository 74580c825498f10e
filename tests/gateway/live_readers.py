"""Reading along like a web page does: server-sent events taken in by a thread of their own."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from ctypes import addressof, create_string_buffer
from dataclasses import dataclass, field
from typing import Any

import httpx2

from shared.contracts.streams import stream_of
from tests.gateway.cell import Cell, eventually

URL = "/v1/live"


@dataclass
class Event:
    """One event as a browser would see it."""

    name: str
    data: Any
    id: str


@dataclass
class Listening:
    """What one stream has said so far."""

    events: list[Event] = field(default_factory=list)
    last_id: str = ""
    """As a browser would send it in `Last-Event-ID`; heartbeats move it, too."""
    retry: int | None = None
    beats: int = 0
    ended: bool = False
    broken: Exception | None = None
    """What ended it, if not the server's own word."""
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The CloudEvents, in order."""
        return [event.data for event in [*self.events] if event.name == "message"]

    @property
    def ids(self) -> list[str]:
        """Their ids."""
        return [fact["id"] for fact in self.facts]

    def types(self) -> list[str]:
        """Their types, without what all have in common."""
        return [fact["type"].split(".")[2] for fact in self.facts]

    def named(self, name: str) -> list[Any]:
        """The data of events of this name."""
        return [event.data for event in [*self.events] if event.name == name]

    def tells(self, of: str, *, seconds: float = 10) -> dict[str, Any]:
        """The first fact of this type, waited for."""
        found: dict[str, Any] = eventually(
            f"{of} is told; so far {self.types()}",
            lambda: next((one for one in self.facts if one["type"].split(".")[2] == of), {}),
            seconds=seconds,
        )
        return found

    def opens(self) -> Listening:
        """Wait for the beginning, the catching up included."""
        eventually("the stream opens", lambda: self.beats or self.ended or self.status >= 400)
        assert self.status == 200, self.events
        return self

    def take(self, block: list[str]) -> None:
        """One block of lines between empty ones."""
        name, data, seen = "message", [], self.last_id
        for line in block:
            key, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if key == "event":
                name = value
            elif key == "data":
                data.append(value)
            elif key == "id":
                seen = value
            elif key == "retry":
                self.retry = int(value)
        self.last_id = seen
        if data:
            self.events.append(Event(name, json.loads("\n".join(data)), seen))
        else:
            self.beats += 1


def known(cell: Cell, hub: str, role: str, name: str | None = None) -> str:
    """A token of somebody of whom the gateway has heard that they joined: hearing of it ends a stream of theirs."""
    person, token = cell.person(hub, role, name), cell.token(hub, role, name)
    facts = cell.app.state.hall.held[stream_of("directory")].by_hub
    eventually(
        "the gateway has heard of them",
        lambda: any(getattr(told.fact, "person", None) == person for told in [*facts.get(hub, ())]),
    )
    return token


@contextmanager
def listening(
    client: httpx2.Client, hub: str, topics: str | None = None, *, token: str | None = None, last: str = ""
) -> Iterator[Listening]:
    """A reader, opened and closed like a page's."""
    found = Listening()
    headers = ({"Authorization": f"Bearer {token}"} if token else {}) | (
        {"Last-Event-ID": last} if last else {}
    )
    wanted = {"hub": hub} | ({} if topics is None else {"topics": topics})
    stop = threading.Event()
    sockets: list[socket.socket] = []
    own = httpx2.Client(base_url=client.base_url, timeout=30)

    def read() -> None:
        try:
            with own.stream("GET", URL, params=wanted, headers=headers) as answer:
                sockets.append(answer.extensions["network_stream"].get_extra_info("socket"))
                found.headers = dict(answer.headers)
                found.status = answer.status_code
                _take_in(answer, found, stop)
        except httpx2.HTTPError as error:
            found.broken = error
        finally:
            found.ended = True

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    try:
        yield found.opens()
    finally:
        stop.set()
        for connection in sockets:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        thread.join(10)
        own.close()


def _take_in(answer: httpx2.Response, found: Listening, stop: threading.Event) -> None:
    block: list[str] = []
    for line in answer.iter_lines():
        if stop.is_set():
            return
        if line:
            block.append(line)
        elif block:
            found.take(block)
            block = []


_SO_ATTACH_FILTER = 26
_DROP = struct.pack("HBBI", 0x06, 0, 0, 0)
"""Linux' number for it, and the one instruction of a packet filter that lets nothing pass."""


def acknowledge_nothing(connection: socket.socket) -> None:
    """From now on nothing that comes in is seen here, not even by TCP: as if the network were gone. Anybody may do that."""
    program = create_string_buffer(_DROP, len(_DROP))
    connection.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HL", 1, addressof(program)))
