"""Carries a plan out over the API: cancels first, then moves, then new bookings, each told in the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from services.cli.calendar.bookings import BookingReport, Clash, Obstacle, in_order
from services.cli.calendar.entry import VANISHED, Entry
from services.cli.calendar.plan import Booked, Move, Plan, blocked_by_each_other, idempotency_key
from services.cli.calendar.report import Refusal
from services.cli.gateway import Gateway, RefusalError

_TAKEN = 409
_CHANGED_MEANWHILE = 412
_ABOUT_THE_ENTRY = frozenset((404, 409, 412, 413, 422))
"""Refusals that say something about one entry; any other says that going on is useless."""


@dataclass
class Execution:
    """One import in progress. Stopped anywhere, the next run finds what is missing and goes on."""

    gateway: Gateway
    report: BookingReport
    run: str
    """Different in every run: see `idempotency_key`."""
    advance: Callable[[str], None]
    _places: dict[tuple[str, str], Obstacle] = field(default_factory=dict)
    _to_book: list[Entry] = field(default_factory=list)

    def carry_out(self, plan: Plan) -> None:
        """Do what the plan says. GatewayError when the gateway is gone: the report tells how far it came."""
        for booked in (*plan.unchanged, *plan.left_unread, *(move.booked for move in plan.move)):
            self._places[booked.key] = Obstacle(booked.start, booked.end, booked.space, booked.title)
        self._to_book.extend(plan.book)
        for booked in plan.cancel:
            if self._cancel(booked):
                self.report.cancelled.append(booked)
            self.advance(booked.title)
        self._move_all(plan.move)
        for entry in sorted(self._to_book):
            self._book(entry)
            self.advance(entry.title)
        self.report.finished = True

    def _path(self, booking: str = "") -> str:
        path = f"/v1/hubs/{self.report.hub}/bookings"
        return f"{path}/{booking}" if booking else path

    def _cancel(self, booked: Booked) -> bool:
        try:
            self.gateway.post(f"{self._path(booked.id)}/cancel", {"reason": VANISHED})
        except RefusalError as problem:
            if problem.status not in _ABOUT_THE_ENTRY:
                raise
            self.report.refused.append(Refusal(booked, f"could not be cancelled: {problem}"))
            return False
        return True

    def _move_all(self, moves: tuple[Move, ...]) -> None:
        """Moves may wait for each other: go round while one succeeds; cut circles by booking one anew."""
        waiting = list(moves)
        while waiting:
            blocked = [(move, refusal) for move in waiting if (refusal := self._move(move))]
            if len(blocked) == len(waiting):
                circle = blocked_by_each_other([move for move, _ in blocked], self.report.space)
                given_up = {move.booked.id for move in circle if self._cancel(move.booked)}
                if not given_up:
                    for move, refusal in blocked:
                        by = self._in_the_way(refusal, move.entry)
                        self.report.clashed.append(Clash(move.entry, by, move.booked))
                        self.advance(move.entry.title)
                    return
                self._to_book += [move.entry for move, _ in blocked if move.booked.id in given_up]
                blocked = [(move, refusal) for move, refusal in blocked if move.booked.id not in given_up]
            waiting = [move for move, _ in blocked]

    def _move(self, move: Move) -> RefusalError | None:
        """None when it is settled, the refusal when its time is taken at the moment."""
        try:
            self._patch(move, move.booked)
        except RefusalError as problem:
            if problem.status == _TAKEN and _is_clash(problem):
                return problem
            if problem.status not in _ABOUT_THE_ENTRY:
                raise
            self.report.refused.append(Refusal(move.entry, f"could not be moved: {problem}"))
        self.advance(move.entry.title)
        return None

    def _patch(self, move: Move, known: Booked) -> None:
        entry, space = move.entry, self.report.space
        body: dict[str, Any] = {"start": _utc(entry.start), "end": _utc(entry.end)}
        if known.title != entry.title:
            body["title"] = entry.title
        if known.space != space:
            body["space"] = space
        try:
            self.gateway.patch(self._path(known.id), body, version=known.version)
        except RefusalError as problem:
            if problem.status != _CHANGED_MEANWHILE:
                raise
            # Somebody changed it since it was listed, or our first attempt worked and its answer was lost.
            fresh = Booked.from_item(self.gateway.get(self._path(known.id)).body)
            if fresh.version == known.version:
                raise
            if not fresh.says(entry, space):
                self._patch(move, fresh)
                return
        self.report.moved.append(move)
        self._places[entry.key] = Obstacle(entry.start, entry.end, space, entry.title)

    def _book(self, entry: Entry) -> None:
        report = self.report
        source = {"calendar": report.calendar, "uid": entry.uid, "recurrence_id": entry.recurrence_id}
        body = {
            "space": report.space,
            "start": _utc(entry.start),
            "end": _utc(entry.end),
            "title": entry.title,
            "source": source,
        }
        key = idempotency_key(self.run, report.hub, report.calendar, report.space, entry)
        try:
            self.gateway.post(self._path(), body, key=key)
        except RefusalError as problem:
            if problem.status not in _ABOUT_THE_ENTRY:
                raise
            if problem.status == _TAKEN and _is_clash(problem):
                report.clashed.append(Clash(entry, self._in_the_way(problem, entry)))
            else:
                report.refused.append(Refusal(entry, str(problem)))
            return
        report.booked.append(entry)
        self._places[entry.key] = Obstacle(entry.start, entry.end, report.space, entry.title)

    def _in_the_way(self, problem: RefusalError, entry: Entry) -> tuple[Obstacle, ...]:
        """What the gateway names by its time, named by its title where it came from the same calendar."""
        found = []
        for item in problem.body.get("in_the_way") or ():
            start, end = datetime.fromisoformat(item["start"]), datetime.fromisoformat(item["end"])
            space = str(item.get("space") or self.report.space)
            ours = [
                place
                for key, place in self._places.items()
                if key != entry.key and place.space == space and place.start < end and start < place.end
            ]
            found += ours or [Obstacle(start.astimezone(UTC), end.astimezone(UTC), space)]
        return in_order(found)


def _is_clash(problem: RefusalError) -> bool:
    return problem.code == "space-taken" or "in_the_way" in problem.body


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
