"""Many people reading along in one hub: how long a fact takes to the last of them, and what a reader costs the gateway."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2

from deploy.local.servers import bound_to_parent
from deploy.local.tokens import development_token
from shared.contracts.directory.requests import EnsurePerson, PersonView
from shared.contracts.directory.words import Role
from shared.kit.ids import utc_now
from shared.kit.requester import Requester
from tests.bench.machine import ROOT, cpu, memory, run_to_end, used_since
from tests.bench.openloop import CompilerMissing
from tests.bench.plan import Plan
from tests.bench.report import Say
from tests.bench.stack import Stack
from tests.bench.world import CELL

SOURCE = Path(__file__).with_name("liveload.c")
PEOPLE = 120
"""Every other reader has signed in, as one of so many members; the others are shown what is public."""


LAST_WORDS_S = 2.0
PACE = threading.Event()
"""Never set: waiting for it is how the orders are paced."""


@dataclass(frozen=True)
class Size:
    """How many read, how many facts, how often."""

    readers: int
    facts: int
    each_s: float


FULL = Size(readers=2_000, facts=60, each_s=0.5)
QUICK = Size(readers=100, facts=5, each_s=0.1)


@dataclass(frozen=True)
class Told:
    """One fact: whom it reached, and milliseconds from sending the order behind it, and from its first reader, to the last."""

    reached: int
    to_last_ms: float
    spread_ms: float


@dataclass(frozen=True)
class Live:
    """What one run has found."""

    size: Size
    opened: int
    closed: int
    told: Sequence[Told]
    kb_per_reader: float
    gateway_cpu_ms: float
    """Of the gateway, per fact told to everybody."""
    load_cpu_s: float
    seconds: float


def measure(stack: Stack, plan: Plan, size: Size, folder: Path, say: Say) -> Live:
    """Open the readers, open spaces in the hub one after another, and see when who was told."""
    hub = plan.hubs[0]
    token = asyncio.run(_operator(stack, hub))
    program = _compiled(folder)
    before = memory(stack.processes)["gateway"].resident
    record = folder / "live.record"
    requests = b"".join(_request(number, plan) for number in range(size.readers))
    command = [str(program), str(urlsplit(stack.url).port), str(size.readers), str(record)]
    load = subprocess.Popen(
        bound_to_parent(command, ending=signal.SIGKILL),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    )
    assert load.stdin
    assert load.stdout
    load.stdin.write(requests)
    load.stdin.close()
    assert load.stdout.readline() == b"open\n"
    after = memory(stack.processes)["gateway"].resident
    say(f"{size.readers} readers are there; {size.facts} facts")
    started, used = time.monotonic(), cpu(stack.processes)
    sent = _cause_facts(stack, token, hub, size)
    spent = used_since(used, stack.processes)
    seconds = time.monotonic() - started
    load.send_signal(signal.SIGTERM)
    summed: dict[str, Any] = json.loads(load.stdout.read())
    assert load.wait(30) == 0
    return Live(
        size=size,
        opened=summed["opened"],
        closed=summed["closed"],
        told=_told(record, sent),
        kb_per_reader=(after - before) * 1024 / size.readers,
        gateway_cpu_ms=1000 * spent["gateway"] / size.facts,
        load_cpu_s=summed["cpu_s"],
        seconds=seconds,
    )


def _compiled(folder: Path) -> Path:
    compiler = shutil.which("cc")
    if compiler is None:
        raise CompilerMissing(
            "cc, a C compiler, is missing. On Debian and Ubuntu: apt-get install -y gcc libc6-dev"
        )
    program = folder / "liveload"
    run_to_end(
        [
            compiler,
            "-O2",
            "-std=gnu11",
            "-Wall",
            "-Werror",
            "-Wno-format-truncation",
            "-o",
            str(program),
            str(SOURCE),
        ]
    )
    return program


def _request(number: int, plan: Plan) -> bytes:
    tokens = plan.tokens[0]
    token = f"Authorization: Bearer {tokens[number // 2 % len(tokens)]}\r\n" if number % 2 else ""
    text = (
        f"GET /v1/live?hub={plan.hubs[0]}&topics=spaces,events HTTP/1.1\r\nHost: foci\r\n{token}\r\n".encode()
    )
    return b"%d\n%s" % (len(text), text)


async def _operator(stack: Stack, hub: str) -> str:
    client = await stack.admin()
    try:
        wanted = EnsurePerson(hub=hub, name="Odd Operator", role=Role.OPERATOR)
        reply = await Requester(client, utc_now).send(wanted, cell=CELL, seconds=10)
    finally:
        await client.close()
    person = PersonView.model_validate_json(reply.body).id
    return development_token(stack.console.home.token_key(), person, now=utc_now())


def _cause_facts(stack: Stack, token: str, hub: str, size: Size) -> list[int]:
    """Open spaces; when each order was sent, ns since 1970."""
    sent = []
    headers = {"Authorization": f"Bearer {token}"}
    with httpx2.Client(base_url=stack.url, headers=headers, timeout=10, trust_env=False) as client:
        for number in range(size.facts):
            due = time.monotonic() + size.each_s
            sent.append(time.time_ns())
            body = {"id": f"told-{number}", "name": f"Told {number}", "kind": "room"}
            answer = client.post(f"/v1/hubs/{hub}/spaces", json=body)
            if answer.status_code != 201:
                raise RuntimeError(f"{answer.status_code}: {answer.text}")
            PACE.wait(max(due - time.monotonic(), 0))
    PACE.wait(LAST_WORDS_S)
    return sent


def _told(record: Path, sent: Sequence[int]) -> list[Told]:
    """The n-th message tells of the n-th order: nothing else happens in the hub."""
    lines = [line.split() for line in record.read_text().splitlines()]
    return [
        Told(int(reached), (int(last) - at) / 1e6, (int(last) - int(first)) / 1e6)
        for at, (_, reached, first, last) in zip(sent, lines, strict=False)
    ]
