"""When and how a space can be booked: its rules, as they stand and as somebody gives them."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import ConfigDict, StringConstraints

from shared.contracts.base import View, described

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
ClockTime = Annotated[str, StringConstraints(pattern=r"^(?:[01]\d|2[0-3]):[0-5]\d$|^24:00$")]


class OpenInterval(View):
    """Doors open from `opens` to `closes`, wall time in the hub's zone; `24:00` is the end of the day."""

    opens: ClockTime
    closes: ClockTime


class SpaceRules(View):
    """When and how a space can be booked."""

    opening_hours: dict[Weekday, tuple[OpenInterval, ...]] | None = described(
        "Per weekday; a day that is missing is closed; null means always open.", default=None
    )
    closed_days: tuple[date, ...] = described(
        "Whole days it is closed, in the hub's zone.", default=(), max_length=1000
    )
    buffer_before_minutes: int = described("Kept free before a booking.", default=0, ge=0, le=1440)
    buffer_after_minutes: int = described(
        "Kept free after a booking; of two neighbours' buffers the longer counts.", default=0, ge=0, le=1440
    )
    shortest_minutes: int = described("Shortest booking.", default=15, ge=1, le=44640)
    longest_minutes: int = described("Longest booking.", default=1440, ge=1, le=44640)
    days_ahead: int = described("How many days ahead it can be booked.", default=90, ge=0, le=1100)
    hold_minutes: int = described("How long a hold is kept.", default=10, ge=1, le=1440)


class GivenInterval(OpenInterval):
    """An interval as somebody gives it."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class GivenRules(SpaceRules):
    """Rules as somebody gives them: a misspelt one must not be dropped in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    opening_hours: dict[Weekday, tuple[GivenInterval, ...]] | None = described(  # type: ignore[assignment]  # narrower
        "Per weekday; a day that is missing is closed; null means always open.", default=None
    )
