"""Latency at a constant arrival rate, from the moment each request was due; the generator is `openloop.c`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench.machine import run_to_end
from tests.bench.plan import Plan

SOURCE = Path(__file__).with_name("openloop.c")
CONNECTIONS = 64


class CompilerMissing(Exception):
    """There is nothing to compile the load generator with."""


def build(folder: Path) -> Path:
    """Compile the generator into `folder`."""
    compiler = shutil.which("cc")
    if compiler is None:
        raise CompilerMissing(
            "cc, a C compiler, is missing. On Debian and Ubuntu: apt-get install -y gcc libc6-dev"
        )
    program = folder / "openloop"
    run_to_end([compiler, "-O2", "-std=gnu11", "-Wall", "-Werror", "-Wno-format-truncation",
                "-o", str(program), str(SOURCE)])  # fmt: skip
    return program


@dataclass(frozen=True)
class Answered:
    """One request of a run: when it was due and answered (ns, clock of the day; 0 never), and with what."""

    due: int
    answered: int
    status: int
    booking: str


@dataclass(frozen=True)
class OpenLoopRun:
    """What a run summed up to; times in milliseconds from when a request was due."""

    rate: float
    requests: int
    good: int
    refused: int
    unanswered: int
    broken: int
    seconds: float
    cpu_s: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float
    answers: tuple[Answered, ...]


def run(url: str, plan: Plan, *, first: int, rate: float, seconds: float, folder: Path) -> OpenLoopRun:
    """Book at a constant rate, `first` and the numbers after it."""
    texts = [plan.request(first + number) for number in range(int(rate * seconds))]
    return send(url, texts, rate=rate, connections=CONNECTIONS, folder=folder)


def send(
    url: str, texts: Sequence[bytes], *, rate: float, connections: int, folder: Path, patience_s: int = 10
) -> OpenLoopRun:
    """Send these requests at a constant rate."""
    requests, record = folder / "requests", folder / "answers.open"
    requests.write_bytes(b"".join(b"%d\n%s" % (len(text), text) for text in texts))
    command = [build(folder), urlsplit(url).port, rate, connections, requests, record, patience_s]
    said = json.loads(run_to_end([str(word) for word in command]).output)
    lines = (line.split() for line in record.read_text().splitlines())
    answers = tuple(Answered(int(due), int(at), int(status), booking) for due, at, status, booking in lines)
    return OpenLoopRun(rate=rate, answers=answers, **said)
