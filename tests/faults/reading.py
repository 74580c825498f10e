"""Those who read along live: each goes on from its last cursor at whichever gateway is there, and notes what it was told."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx2
import orjson

from shared.contracts.directory.words import Role
from shared.contracts.streams import OCCUPANCY, stream_of
from tests.faults.waiting import comes_true, pause

HANGS_UP = 0.01
"""How likely a reader goes away by itself after an event: a laptop closed, a page left."""
LONGEST_BREATH_S = 0.2
OPENS_WITHIN_S = 30.0
EXACT, PUBLIC = "foci.booking.occupancy.v1", "foci.booking.public-occupancy.v1"


@dataclass(frozen=True)
class Told:
    """One CloudEvent: of which stream, and what it says."""

    stream: str
    id: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Reset:
    """They were told to read again: when, why, and after how much of what they were told."""

    at: float
    because: str
    after: int


@dataclass
class Account:
    """Who somebody is in the hub, and everything they were told of it."""

    name: str
    role: Role | None
    person: str | None
    opened_at: float = 0.0
    """When their first stream had begun, seconds since 1970."""
    told: list[Told] = field(default_factory=list)
    resets: list[Reset] = field(default_factory=list)

    def take(self, type: str, event: dict[str, Any]) -> None:
        """Note one message of the hub."""
        if type != PUBLIC:
            stream = OCCUPANCY if type == EXACT else stream_of(type.split(".")[1])
            self.told.append(Told(stream, event["id"], event["data"]))


class Reader:
    """One reader's connections, one after the other."""

    def __init__(
        self, account: Account, hub: str, token: str | None, ports: Sequence[int], chance: random.Random
    ) -> None:
        self.account = account
        self.ends: Counter[str] = Counter()
        """Why connections have ended, or were not made."""
        self._hub = hub
        self._headers = {} if token is None else {"authorization": f"Bearer {token}"}
        self._ports = ports
        self._chance = chance
        self._last = ""
        self._caught_up = False
        self._reading: asyncio.Task[str] | None = None

    async def run(self) -> None:
        """Read along until cancelled."""
        limits = httpx2.Timeout(10, read=40)
        async with httpx2.AsyncClient(timeout=limits, trust_env=False) as client:
            try:
                while True:
                    self._reading = asyncio.create_task(self._read(client, self._chance.choice(self._ports)))
                    await asyncio.wait({self._reading})
                    turned = self._reading.cancelled()
                    self.ends["turned away by the test" if turned else self._reading.result()] += 1
                    await pause(self._chance.uniform(0, LONGEST_BREATH_S))
            finally:
                if self._reading is not None:
                    self._reading.cancel()

    async def _read(self, client: httpx2.AsyncClient, port: int) -> str:
        """One connection; says how it ended."""
        headers = self._headers | ({"last-event-id": self._last} if self._last else {})
        url = f"http://127.0.0.1:{port}/v1/live?hub={self._hub}"
        waiting, because = b"", "ended"
        try:
            async with client.stream("GET", url, headers=headers) as answer:
                if answer.status_code != 200:
                    return str(answer.status_code)
                async for chunk in answer.aiter_bytes():
                    *blocks, waiting = (waiting + chunk).split(b"\n\n")
                    for block in blocks:
                        because = self._take(block.decode()) or because
                        if self._chance.random() < HANGS_UP:
                            return "hung up"
        except httpx2.ConnectError:
            return "nobody there"
        except httpx2.HTTPError:
            return "lost"
        return because

    def _take(self, block: str) -> str | None:
        """One event, as a browser takes it; why the server ends the stream when it says so."""
        name, said = "message", ""
        for line in block.split("\n"):
            key, _, value = line.partition(": ")
            if key == "event":
                name = value
            elif key == "data":
                said = value
            elif key == "id":
                self._last = value
        if not said:
            self._caught_up = True
            self.account.opened_at = self.account.opened_at or time.time()
            return None
        event = orjson.loads(said)
        if name == "message":
            self.account.take(event["type"], event)
        elif name == "reset":
            self.account.resets.append(Reset(time.time(), event["because"], len(self.account.told)))
        return str(event["because"]) if name == "close" else None

    async def caught_up(self) -> bool:
        """Whether a stream has said everything there was, since the last turn."""
        return self._caught_up

    def turn(self) -> None:
        """Leave and come back, to whichever gateway."""
        self._caught_up = False
        if self._reading is not None:
            self._reading.cancel()


async def all_caught_up(readers: Sequence[Reader]) -> bool:
    """Whether everybody has been told what there was when they came."""
    return all([await reader.caught_up() for reader in readers])


@contextlib.asynccontextmanager
async def reading(readers: Sequence[Reader]) -> AsyncIterator[None]:
    """They read along while the block lasts, which begins when all are there."""
    tasks = [asyncio.create_task(reader.run()) for reader in readers]
    try:
        there = await comes_true(lambda: all_caught_up(readers), within=OPENS_WITHIN_S)
        assert there, [reader.ends for reader in readers]
        yield
    finally:
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
    broken = [one for one in done if not isinstance(one, asyncio.CancelledError)]
    assert not broken, broken
