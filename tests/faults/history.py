"""What each client asked, when, and what it was told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson


class Outcome(StrEnum):
    """What a client knows after an exchange."""

    OK = "ok"
    FAIL = "fail"
    UNKNOWN = "unknown"


class Kind(StrEnum):
    """What was asked for."""

    RESERVE = "reserve"
    CONFIRM = "confirm"
    MOVE = "move"
    CANCEL = "cancel"
    CHECK_IN = "check-in"
    CHECK_OUT = "check-out"
    READ = "read"
    LIST = "list"
    AVAILABILITY = "availability"


CHANGES = frozenset({Kind.RESERVE, Kind.CONFIRM, Kind.MOVE, Kind.CANCEL, Kind.CHECK_IN, Kind.CHECK_OUT})


@dataclass
class Operation:
    """One exchange over HTTP as its client saw it; a retry with the same key is another one.

    `mark` is unique to the intent and shows in the booking (title or reason), so that what became of an order
    whose answer was lost can be found.
    """

    number: int
    client: str
    person: str
    kind: Kind
    gateway: int
    invoked: float
    booking: str | None = None
    mark: str | None = None
    key: str | None = None
    sent: bytes = b""
    if_match: int | None = None
    completed: float = 0.0
    outcome: Outcome = Outcome.UNKNOWN
    status: int | None = None
    body: bytes = b""
    etag: str | None = None
    trouble: str = ""

    def finish(self, status: int, body: bytes, etag: str | None) -> None:
        """An answer came: 5xx says nothing about what was done."""
        self.completed, self.status, self.body, self.etag = time.time(), status, body, etag
        if status < 400:
            self.outcome = Outcome.OK
        elif status < 500:
            self.outcome = Outcome.FAIL
        else:
            self.trouble = f"{status} {body[:200].decode(errors='replace')}"

    def lose(self, trouble: str) -> None:
        """No answer came."""
        self.completed, self.trouble = time.time(), trouble

    @cached_property
    def answer(self) -> Any:
        """The parsed body."""
        return orjson.loads(self.body)

    def views(self) -> list[dict[str, Any]]:
        """The bookings it was shown."""
        if self.outcome is not Outcome.OK or self.kind is Kind.AVAILABILITY:
            return []
        return list(self.answer["items"]) if self.kind is Kind.LIST else [self.answer]

    def __str__(self) -> str:
        about = " ".join(str(it) for it in (self.booking, self.mark, self.key) if it)
        return f"#{self.number} {self.client} {self.kind} {about} → {self.status or self.trouble}"


@dataclass(frozen=True)
class Kill:
    """One or more processes ended with -9 at once."""

    at: float
    victims: tuple[str, ...]


@dataclass
class History:
    """All operations of a run in the order they were begun, and the kills between them."""

    operations: list[Operation] = field(default_factory=list)
    kills: list[Kill] = field(default_factory=list)

    def begin(self, **asked: Any) -> Operation:
        """Note an operation before it is sent."""
        operation = Operation(number=len(self.operations) + 1, invoked=time.time(), **asked)
        self.operations.append(operation)
        return operation

    def undisturbed(self, seconds: float = 5.0) -> Iterator[Operation]:
        """Operations begun when no kill had happened for so long, and ended before the next."""
        for operation in self.operations:
            if not any(
                kill.at - 0.05 <= operation.completed and operation.invoked < kill.at + seconds
                for kill in self.kills
            ):
                yield operation

    def decided(self) -> tuple[float, float]:
        """The share of operations with a certain outcome: of all, and of the undisturbed ones."""
        return _share(self.operations), _share(list(self.undisturbed()))

    def write(self, path: Path) -> None:
        """One JSON object per line, for whoever looks for the reason."""
        with path.open("wb") as file:
            for kill in self.kills:
                file.write(orjson.dumps({"kill": asdict(kill)}) + b"\n")
            for operation in self.operations:
                words = {name: value for name, value in vars(operation).items() if name != "answer"}
                words |= {"sent": operation.sent.decode(), "body": operation.body.decode(errors="replace")}
                file.write(orjson.dumps(words) + b"\n")


def _share(operations: list[Operation]) -> float:
    done = [one for one in operations if one.completed]
    return sum(one.outcome is not Outcome.UNKNOWN for one in done) / len(done) if done else 1.0
