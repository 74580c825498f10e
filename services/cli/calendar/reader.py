"""The process a calendar file is read in: bounded, and without what it does not need, as it starts for every file."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import is_dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from services.cli.calendar.entry import Limits, RefusedError, one_line
from services.cli.calendar.lines import sift
from shared.kit.loading import load

_OUT_OF_MEMORY = "reading it took more memory than allowed"


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


def _plain(value: object) -> object:
    """What JSON has no word for."""
    if isinstance(value, datetime):
        # Before there were time zones, local times differed by seconds, for which ISO 8601 has no place.
        whole = not (offset := value.utcoffset()) or not offset.seconds % 60
        return (value if whole else value.astimezone(UTC)).isoformat()
    if is_dataclass(value):
        return vars(value)
    if isinstance(value, frozenset):
        return tuple(value)
    raise TypeError(f"no JSON for {type(value).__name__}")


def answered(task: str, raw: bytes, reached: Callable[[str], None]) -> bytes:
    """The file read as the task says: a Reading in JSON, or why it is refused."""
    asked = json.loads(task)
    limits = Limits(**asked["limits"])
    try:
        sifted = sift(raw, limits)
        # Here, because what is refused at the door needs no library, which takes most of the start.
        reading = load("services.cli.calendar.reading").understood(
            sifted,
            home=ZoneInfo(asked["home"]),
            now=datetime.fromisoformat(asked["now"]),
            limits=limits,
            reached=reached,
            claims=asked["claims"],
        )
        return json.dumps(reading, default=_plain, ensure_ascii=False).encode()
    except RefusedError as refused:
        return json.dumps({"refused": str(refused)}).encode()
    except MemoryError:
        return json.dumps({"refused": _OUT_OF_MEMORY}).encode()


def _main() -> None:
    task = sys.argv[1]
    _confine(Limits(**json.loads(task)["limits"]))

    def reached(uid: str) -> None:
        print("at", one_line(uid, 80), file=sys.stderr, flush=True)

    sys.stdout.buffer.write(answered(task, sys.stdin.buffer.read(), reached))


if __name__ == "__main__":
    _main()
