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

_READING = TypeAdapter(Reading)
_ROOT = Path(__file__).resolve().parents[3]


def read_confined(
    raw: bytes, *, home: ZoneInfo, now: datetime, limits: Limits | None = None, claims: bool = True
) -> Reading:
    """What `read` answers, or RefusedError: also when the reader had to be stopped."""
    limits = limits or Limits()
    if len(raw) > limits.file_bytes:
        raise RefusedError(f"the file is larger than {limits.file_bytes / 1_000_000:g} MB")
    task = json.dumps({"home": home.key, "now": now.isoformat(), "limits": asdict(limits), "claims": claims})
    answer = apart(task, raw, limits.wall_seconds)
    if answer.startswith(b'{"refused"'):
        raise RefusedError(str(json.loads(answer)["refused"]))
    return _READING.validate_json(answer)


def apart(task: str, raw: bytes, seconds: float) -> bytes:
    """What the reader answers from a process of its own, or RefusedError when it had to be stopped."""
    command = [sys.executable, "-m", "services.cli.calendar.reader", task]
    try:
        done = subprocess.run(  # noqa: S603 - our own interpreter and module, no shell
            command, input=raw, capture_output=True, cwd=_ROOT, timeout=seconds, check=False
        )
    except subprocess.TimeoutExpired as stopped:
        raise RefusedError(f"reading it took longer than allowed{_where(stopped.stderr)}") from None
    if done.returncode < 0:
        raise RefusedError(f"reading it took more time or memory than allowed{_where(done.stderr)}")
    if done.returncode:
        why = one_line(done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2])
        raise RefusedError(f"it could not be read: {why}{_where(done.stderr)}")
    return done.stdout


def _where(heard: bytes | None) -> str:
    said = (heard or b"").decode("utf-8", "replace").splitlines()
    lines = [line for line in said if line.startswith("at ")]
    return f"; it was stopped in the entry {one_line(lines[-1][3:], 80)!r}" if lines else ""
