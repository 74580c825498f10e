"""What an import of a calendar did: bookings, and the times that were taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from rich.console import RenderableType

from services.cli.calendar.entry import Entry
from services.cli.calendar.plan import Booked, Move, Plan
from services.cli.calendar.report import Imported, Report, Told, listed, span_of, times_of

_SOMETHING_ELSE = "another booking"


@dataclass(frozen=True)
class Obstacle:
    """What stood in the way: an entry of the same calendar where it is one, else only its time."""

    start: datetime
    end: datetime
    space: str
    title: str = ""


@dataclass(frozen=True)
class Clash:
    """An entry whose time is taken."""

    entry: Entry
    by: tuple[Obstacle, ...]
    stays: Booked | None = None
    """A booking that could not be moved and is still at its old time."""


@dataclass(kw_only=True)
class BookingReport(Report):
    """The whole story of one import of a calendar into a space."""

    nothing_done: ClassVar[str] = (
        "Nothing was changed. Whether the times are free shows when they are booked."
    )
    space: str
    booked: list[Entry] = field(default_factory=list)
    moved: list[Move] = field(default_factory=list)
    clashed: list[Clash] = field(default_factory=list)

    def pretend(self, plan: Plan) -> None:
        """Of a dry run: what would be asked for. Whether a time is free only Foci can say."""
        self.dry_run = self.finished = True
        self.booked.extend(plan.book)
        self.moved.extend(plan.move)
        self.cancelled.extend(plan.cancel)

    def place(self) -> Told:
        return {"hub": self.hub, "space": self.space}

    def asked(self) -> dict[str, list[Told]]:
        moved = [{**self.said(each.entry), "from": self.said(each.booked)} for each in self.moved]
        return {"booked": [self.said(each) for each in self.booked], "moved": moved}

    def failed(self) -> dict[str, list[Told]]:
        return {"clashed": [self._clash(each) for each in self.clashed]}

    def tables_of_failed(self) -> list[RenderableType]:
        rows = [
            (span_of(each.entry.start, each.entry.end, self.zone), each.entry.title, self._in_the_way(each))
            for each in self.clashed
        ]
        return listed("Clashed: the time is taken", ("when", "entry", "in the way"), rows)

    def more_of(self, what: Imported) -> Told:
        return {"booking": what.id, "space": what.space} if isinstance(what, Booked) else {}

    def _clash(self, clash: Clash) -> Told:
        by = [
            {"title": each.title or None, "space": each.space, **times_of(each.start, each.end, self.zone)}
            for each in clash.by
        ]
        stays = self.said(clash.stays) if clash.stays else None
        return {**self.said(clash.entry), "with": by, "still_at": stays}

    def _in_the_way(self, clash: Clash) -> str:
        said = [
            f"{each.title or _SOMETHING_ELSE}, {span_of(each.start, each.end, self.zone)}"
            for each in clash.by
        ]
        said = said or [_SOMETHING_ELSE]
        if clash.stays:
            said.append(f"stays booked {span_of(clash.stays.start, clash.stays.end, self.zone)}")
        return "\n".join(said)


def in_order(obstacles: Iterable[Obstacle]) -> tuple[Obstacle, ...]:
    """Each once, by time."""
    return tuple(sorted(set(obstacles), key=lambda each: (each.start, each.end, each.title)))
