"""The promises that can be broken, by name."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Broken(StrEnum):
    """Which promise was broken."""

    DOUBLE_BOOKING = "double booking"
    LOST_CHANGE = "lost change"
    GHOST_CHANGE = "ghost change"
    HISTORY = "impossible history"
    UNSTATED = "unstated change"
    UNCOMMITTED = "uncommitted fact"
    TWO_BODIES = "one id, two bodies"
    EFFECTS = "not one effect"
    KEY = "same key, other answer"
    OCCUPANCY = "wrong occupancy"
    LEFT_OVER = "left over"
    CRASH = "ended unasked"
    HANG = "no answer at all"
    UNDECIDED = "too little decided"


@dataclass(frozen=True)
class Violation:
    """A broken promise and what shows it."""

    broken: Broken
    words: str

    def __str__(self) -> str:
        return f"{self.broken}: {self.words}"
