"""From a fact in the stream to a mail the mail server has accepted: notify's real process, and its SMTP client alone."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

from deploy.local.home import public_half
from deploy.local.probes import answers_ok
from deploy.local.servers import bound_to_parent, free_port
from shared.contracts.booking.facts import BookingConfirmedV1
from shared.contracts.directory.requests import HubProfile, RegisterHub
from shared.contracts.directory.words import HubKind
from shared.kit.ids import new_id, utc_now
from shared.kit.requester import Requester
from tests.bench.machine import ROOT, Finished, cpu, memory, run_to_end, used_since
from tests.bench.stack import Stack
from tests.bench.world import CELL
from tests.stack.console import eventually

HUB = "bench-told"
CONNECTIONS = 4
"""To the mail server, of notify and of its client alone."""
REPLICAS = 2
"""Of notify: one keeps one core busy, and the service scales by replicas."""
KEPT = 500
AT_ONCE = 500
"""Facts in one batch; the server takes a thousand."""
DOMAINS = 50
PATIENCE_S = 120.0

# A crowd by SQL, as in `sign_ups.py`: who is a person is asked of directory. $3: every so many has an address.
_CROWD = """
    WITH people AS (
        INSERT INTO person (id, name, email, language, time_zone, guest, registered_at)
        SELECT uuidv7(), 'Crowd Member ' || n,
               CASE WHEN n % $3::int = 0 THEN 'crowd-' || n || '@d' || n % $4::int || '.example' END,
               (ARRAY['sv', 'da', 'en'])[1 + n % 3], $5, false, now()
        FROM generate_series(1, $2::int) n
        RETURNING id, email
    ), members AS (
        INSERT INTO membership (hub, person, role, since) SELECT $1::text, id, 'member', now() FROM people
    )
    SELECT id FROM people
"""
_LEFT = """
    SELECT (SELECT count(*) FROM notice WHERE about <> 'reminder')
           + (SELECT count(*) FROM message WHERE sent_at IS NULL AND failed_at IS NULL) AS number
"""
_HEARD = "SELECT count(*) AS number FROM booking WHERE version > 0"


def awake(now: datetime) -> str:
    """A zone in which it is about noon: nobody's quiet hours stop the bench."""
    ahead = 12 - now.hour
    return f"Etc/GMT{'-' if ahead >= 0 else '+'}{abs(ahead)}"


@dataclass(frozen=True)
class Round:
    """So many mails, from the first fact's way into the stream to the last mail's acceptance."""

    mails: int
    seconds: float
    settled_s: float
    """How much longer until all of it was marked."""
    cpu_s: dict[str, float]

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds

    def cpu_us(self) -> dict[str, float]:
        """Microseconds of CPU a mail, by process."""
        return {name: used / self.mails * 1e6 for name, used in self.cpu_s.items()}


@dataclass(frozen=True)
class Floor:
    """The SMTP client alone."""

    mails: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        """Mails a second."""
        return self.mails / self.seconds


@dataclass
class Telling:
    """A stack of directory alone, notify beside it in a process of its own, and a mail server that takes everything.

    The services that state the facts are left out: the bench states them itself, as fast as the stream takes them.
    """

    stack: Stack
    people: Sequence[UUID]
    smtp_port: int
    processes: dict[str, int]
    _turn: Iterator[int] = field(default_factory=itertools.count)

    # --- facts ---

    def run(self, number: int) -> Round:
        """State so many bookings of distinct people, and wait until everybody has been told."""
        facts = [self._booked(self.people[place % len(self.people)]) for place in range(number)]
        before, used = taken(self.smtp_port)[0], cpu(self.processes)
        started = time.monotonic()
        asyncio.run(self._state(facts))
        mails, last = self._wait_for(before + number)
        told = time.monotonic()
        self.settle()
        return Round(
            mails - before, last - started, time.monotonic() - told, used_since(used, self.processes)
        )

    def state(self, number: int) -> None:
        """The same without looking at the mails: only until nothing is left to do."""
        first = next(self._turn) * number
        heard = self._number(_HEARD)
        facts = [self._booked(self.people[(first + place) % len(self.people)]) for place in range(number)]
        asyncio.run(self._state(facts))
        eventually("all of it is heard", lambda: self._number(_HEARD) >= heard + number, seconds=PATIENCE_S)
        self.settle()

    def settle(self) -> None:
        """Wait until nothing is left to be told."""
        eventually("everybody is told", lambda: self._number(_LEFT) == 0, seconds=PATIENCE_S)

    @property
    def resident_mb(self) -> float:
        """Of notify."""
        return memory({"notify": self.processes["notify"]})["notify"].resident

    def told(self) -> dict[str, int]:
        """Messages so far by channel."""
        rows = self.stack.sql("SELECT channel, count(*) AS number FROM message GROUP BY 1", database="notify")
        return {row["channel"]: row["number"] for row in rows}

    def _number(self, query: str) -> int:
        return int(self.stack.sql(query, database="notify")[0]["number"])

    def _wait_for(self, mails: int) -> tuple[int, float]:
        eventually(
            f"{mails} mails are accepted", lambda: taken(self.smtp_port)[0] >= mails, seconds=PATIENCE_S
        )
        return taken(self.smtp_port)

    def _booked(self, person: UUID) -> tuple[str, bytes, str]:
        now = utc_now()
        start = (now + timedelta(days=30)).replace(minute=0, second=0, microsecond=0)
        fact = BookingConfirmedV1(
            id=new_id(),
            hub=HUB,
            occurred_at=now,
            subject=str(new_id()),
            subject_version=1,
            space="studio",
            units=(1,),
            seats=1,
            start=start,
            end=start + timedelta(hours=1),
            person=person,
            by=person,
        )
        return fact.subject_for(HUB), fact.model_dump_json().encode(), str(fact.id)

    async def _state(self, facts: Sequence[tuple[str, bytes, str]]) -> None:
        """Into the stream as booking's relay does it: in batches that are there as a whole or not at all."""
        client = await self.stack.client("booking")
        try:
            for begin in range(0, len(facts), AT_ONCE):
                *most, last = enumerate(facts[begin : begin + AT_ONCE], start=1)
                batch = str(new_id())
                for number, (subject, body, fact) in most:
                    await client.publish(subject, body, headers=_place(fact, batch, number))
                number, (subject, body, fact) = last
                headers = _place(fact, batch, number) | {"Nats-Batch-Commit": "1"}
                reply = await client.request(subject, body, timeout=10, headers=headers)
                if "error" in json.loads(reply.data):
                    raise RuntimeError(f"the stream does not take them: {reply.data.decode()}")
        finally:
            await client.close()

    # --- the client alone ---

    def alone(self, number: int, kept: Path) -> Floor:
        """Its SMTP client sends as many mails of those that were told, to the same mail server."""
        ask(self.smtp_port, f"XKEPT {kept}")
        command = [sys.executable, "-m", "tests.bench.mail_floor"]
        finished: Finished = run_to_end(
            [*command, *(str(one) for one in (self.smtp_port, CONNECTIONS, number)), str(kept)]
        )
        return Floor(number, float(finished.output), finished.cpu)


def _place(fact: str, batch: str, number: int) -> dict[str, str]:
    return {"Nats-Msg-Id": fact, "Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number)}


def ask(port: int, line: str) -> str:
    """What the mail server says to a line of ours."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=10) as connection,
        connection.makefile("rwb") as file,
    ):
        file.readline()
        file.write(f"{line}\r\n".encode())
        file.flush()
        return file.readline().decode().strip()


def taken(port: int) -> tuple[int, float]:
    """How many mails the server has accepted, and when the last (`time.monotonic()`)."""
    _, number, last = ask(port, "XSAID").split()
    return int(number), float(last)


# --- the processes ---


def _environment(stack: Stack, port: int, smtp_port: int, more: dict[str, str]) -> dict[str, str]:
    """What `foci up` tells notify, but for the mail server, its pace, and gathering."""
    home = stack.console.home
    postgres = home.state()["ports"]["postgres"]
    known = {
        "CELL": CELL,
        "NATS_URL": home.state()["urls"]["nats"],
        "NATS_SEED": home.seed("notify"),
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "LOG_LEVEL": "INFO",
        "DATABASE_URL": f"postgresql+asyncpg://notify:{home.password('notify')}@127.0.0.1:{postgres}/notify",
        "ASSERTION_PUBLIC_KEY": public_half(home.assertion_key()),
        "SECRET_KEY": home.notify_key(),
        "LINK_PRIVATE_KEY": home.link_key(),
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(smtp_port),
        "SMTP_TLS": "none",
        "MAIL_CONNECTIONS": str(CONNECTIONS),
        "MAIL_RATE": "1000000",
        "MAIL_DOMAIN_RATE": "1000000",
        "GATHER_S": "0",
    }
    prefixed = {f"NOTIFY_{name}": value for name, value in (known | more).items()}
    return {"PATH": os.defpath, "LANG": "C.UTF-8", "PYTHONUNBUFFERED": "1", **stack.telemetry, **prefixed}


@contextlib.contextmanager
def process(
    module: str, *words: object, environment: dict[str, str] | None = None, log: Path
) -> Iterator[int]:
    command = [sys.executable, "-m", module, *(str(word) for word in words)]
    with log.open("wb") as output:
        running = subprocess.Popen(
            bound_to_parent(command, ending=signal.SIGKILL),
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
        try:
            yield running.pid
        finally:
            running.terminate()
            running.wait()


@contextlib.contextmanager
def notify_beside(stack: Stack, smtp_port: int, **more: str) -> Iterator[int]:
    """Notify's real process; its id when it is ready."""
    port = free_port()
    environment = _environment(stack, port, smtp_port, more)
    log = stack.home.parent / f"notify-beside-{port}.log"
    with process("services.notify", "serve", environment=environment, log=log) as pid:
        url = f"http://127.0.0.1:{port}/readyz"
        eventually(f"notify is ready; see {log}", lambda: asyncio.run(answers_ok(url)))
        yield pid


@contextlib.contextmanager
def telling(folder: Path, *, people: int, every: int = 1, replicas: int = 1) -> Iterator[Telling]:
    """The whole of it; every so many of the people have an address. The replicas share the connections."""
    smtp_port = free_port()
    leave_out = {"notify": 0, "booking": 0, "events": 0}
    with (
        Stack(folder, replicas=leave_out) as stack,
        process("tests.bench.post", smtp_port, KEPT, _queue(folder), log=folder.parent / "post.log") as post,
        contextlib.ExitStack() as beside,
    ):
        share = {"MAIL_CONNECTIONS": str(CONNECTIONS // replicas)}
        names = ("notify", *(f"notify-{number}" for number in range(2, replicas + 1)))
        notify = {name: beside.enter_context(notify_beside(stack, smtp_port, **share)) for name in names}
        asyncio.run(_register(stack))
        known_hub = "SELECT 1 FROM hub WHERE slug = $1"
        eventually("the hub is known", lambda: stack.sql(known_hub, HUB, database="notify"))
        rows = stack.sql(_CROWD, HUB, people, every, DOMAINS, awake(utc_now()), database="directory")
        stack.sql("ANALYZE", database="directory")
        processes = stack.processes
        servers = {name: processes[name] for name in ("postgres", "nats", "directory")}
        known = notify | servers | {"mail server": post}
        yield Telling(stack, [row["id"] for row in rows], smtp_port, known)


def _queue(folder: Path) -> Path:
    queue = folder.parent / "queue"
    queue.mkdir()
    return queue


async def _register(stack: Stack) -> None:
    client = await stack.admin()
    profile = HubProfile(
        id=HUB, name="Bench told", kind=HubKind.LIBRARY, time_zone="Europe/Stockholm", languages=("sv", "en")
    )
    try:
        await Requester(client, utc_now).send(RegisterHub(profile=profile), cell=CELL, seconds=10)
    finally:
        await client.close()
