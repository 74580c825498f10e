"""Webhooks: notify's real process posts what is due, signed, and marks it; the bare HTTP client posts the same bodies."""

from __future__ import annotations

import contextlib
import json
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from deploy.local.servers import free_port
from services.notify.rules.envelopes import body_of
from services.notify.senders.webhooks import PER_PLACE
from shared.contracts.audiences import type_of
from shared.contracts.booking.facts import BookingConfirmedV1
from shared.contracts.examples import example
from tests.bench.machine import cpu, run_to_end, used_since
from tests.bench.notices import PATIENCE_S, Floor, Round, notify_beside, process
from tests.bench.stack import Stack
from tests.stack.console import eventually

HUB = "bench-hooked"
WEBHOOKS = 8
"""All at one place, to which notify posts no more than PER_PLACE at once: so does the bare client."""

_SET_UP = """
    WITH known AS (
        INSERT INTO hub (slug, name, time_zone, version) VALUES ($1, $1, 'Europe/Stockholm', 1) RETURNING slug
    )
    INSERT INTO webhook (id, hub, url, state, created_by, created_at)
    SELECT uuidv7(), slug, $2::text || n, 'active', uuidv7(), now() FROM known, generate_series(1, $3::int) n
"""
_DUE = """
    INSERT INTO delivery (id, webhook, hub, fact, type, body, created_at, since, due_at)
    SELECT uuidv7(), w.id, w.hub, uuidv7(), $2::text, $3::text, now(), now(), now()
    FROM (SELECT id, hub, row_number() OVER () AS place FROM webhook WHERE hub = $1) w
    CROSS JOIN generate_series(1, $4::int) n WHERE n % $5::int = w.place - 1
"""
_WAITING = "SELECT count(*) AS number FROM delivery WHERE state <> 'delivered'"


@dataclass
class Posting:
    """A stack without services, notify beside it, and a receiver that takes everything."""

    stack: Stack
    port: int
    folder: Path
    processes: dict[str, int]
    body: str

    @property
    def url(self) -> str:
        """The receiver's."""
        return f"http://127.0.0.1:{self.port}/"

    def run(self, number: int) -> Round:
        """Let so many fall due at once; from the first that is received until all are marked."""
        used = cpu(self.processes)
        urllib.request.urlopen(urllib.request.Request(self.url, method="DELETE"), timeout=10)
        kind = type_of(BookingConfirmedV1)
        self.stack.sql(_DUE, HUB, kind, self.body, number, WEBHOOKS, database="notify")
        eventually("all are delivered", lambda: self._waiting() == 0, seconds=PATIENCE_S)
        marked = time.monotonic()
        received, first, last = self._received()
        if received != number:
            raise RuntimeError(f"{received} of {number} webhooks were received")
        return Round(number, marked - first, marked - last, used_since(used, self.processes))

    def _waiting(self) -> int:
        return int(self.stack.sql(_WAITING, database="notify")[0]["number"])

    def _received(self) -> tuple[int, float, float]:
        with urllib.request.urlopen(self.url, timeout=10) as answer:
            number, first, last = answer.read().split()
        return int(number), float(first), float(last)

    def alone(self, number: int) -> Floor:
        """The bare client posts as many."""
        bodies = self.folder / "bodies"
        bodies.write_text(json.dumps([self.body]))
        command = [sys.executable, "-m", "tests.bench.hook_floor", self.url]
        finished = run_to_end([*command, str(PER_PLACE), str(number), str(bodies)])
        return Floor(number, float(finished.output), finished.cpu)


@contextlib.contextmanager
def posting(folder: Path) -> Iterator[Posting]:
    """The whole of it."""
    port, log = free_port(), folder.parent / "hook-receiver.log"
    leave_out = {"notify": 0, "booking": 0, "events": 0, "directory": 0}
    trusted = json.dumps([f"127.0.0.1:{port}"])
    with (
        Stack(folder, replicas=leave_out) as stack,
        process("tests.bench.hook_receiver", port, log=log) as receiver,
        notify_beside(stack, free_port(), WEBHOOK_TRUSTED=trusted) as notify,
    ):
        stack.sql(_SET_UP, HUB, f"http://127.0.0.1:{port}/", WEBHOOKS, database="notify")
        known = {"notify": notify, "postgres": stack.processes["postgres"], "receiver": receiver}
        yield Posting(stack, port, folder.parent, known, body_of(example(BookingConfirmedV1)))
