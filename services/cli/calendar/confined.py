"""Reads a calendar file in a process with bounded time and memory, as no list of tricks is complete."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter

from services.cli.calendar.entry import Limits, Reading, RefusedError, one_line
from services.cli.calendar.reading import read

_READING = TypeAdapter(Reading)
_ROOT = Path(__file__).resolve().parents[3]
_OUT_OF_MEMORY = "reading it took more memory than allowed"


def read_confined(
    raw: bytes, *, home: ZoneInfo, now: datetime, limits: Limits | None = None, claims: bool = True
) -> Reading:
    """What `read` answers, or RefusedError: also when the reader had to be stopped."""
    limits = limits or Limits()
    if len(raw) > limits.file_bytes:
        raise RefusedError(f"the file is larger than {limits.file_bytes / 1_000_000:g} MB")
    task = json.dumps({"home": home.key, "now": now.isoformat(), "limits": asdict(limits), "claims": claims})
    command = [sys.executable, "-m", "services.cli.calendar.confined", task]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
            command, input=raw, capture_output=True, cwd=_ROOT, timeout=limits.wall_seconds, check=False
        )
    except subprocess.TimeoutExpired as stopped:
        raise RefusedError(f"reading it took longer than allowed{_where(stopped.stderr)}") from None
    if done.returncode < 0:
        raise RefusedError(f"reading it took more time or memory than allowed{_where(done.stderr)}")
    if done.returncode:
        why = one_line(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
        raise RefusedError(f"it could not be read: {why}{_where(done.stderr)}")
    if done.stdout.startswith(b'{"refused"'):
        raise RefusedError(str(json.loads(done.stdout)["refused"]))
    return _READING.validate_json(done.stdout)


def _where(heard: bytes | None) -> str:
    said = (heard or b"").decode("utf-8", "replace").splitlines()
    lines = [line for line in said if line.startswith("at ")]
    return f"; it was stopped in the entry {one_line(lines[-1][3:], 80)!r}" if lines else ""


def _confine(limits: Limits) -> None:
    try:
        import resource  # noqa: PLC0415 - not on Windows, where the parent's clock is the only limit
    except ImportError:
        return
    bounds = {
        resource.RLIMIT_CPU: limits.cpu_seconds,
        resource.RLIMIT_AS: limits.memory_bytes,
        resource.RLIMIT_CORE: 0,
    }
    for what, most in bounds.items():
        _, hard = resource.getrlimit(what)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(what, (allowed, hard))


def _main() -> None:
    task = json.loads(sys.argv[1])
    limits = Limits(**task["limits"])
    _confine(limits)

    def reached(uid: str) -> None:
        print("at", one_line(uid, 80), file=sys.stderr, flush=True)

    try:
        reading = read(
            sys.stdin.buffer.read(),
            home=ZoneInfo(task["home"]),
            now=datetime.fromisoformat(task["now"]),
            limits=limits,
            reached=reached,
            claims=task["claims"],
        )
        answer = _READING.dump_json(reading)
    except RefusedError as refused:
        answer = json.dumps({"refused": str(refused)}).encode()
    except MemoryError:
        answer = json.dumps({"refused": _OUT_OF_MEMORY}).encode()
    sys.stdout.buffer.write(answer)


if __name__ == "__main__":
    _main()
