"""Carries a plan out over the API: cancels first, then changes, then new events, each told in the report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from services.cli.calendar.entry import VANISHED, Entry
from services.cli.calendar.report import Refusal
from services.cli.gateway import Gateway, RefusalError
from services.cli.programme.plan import Change, Plan, idempotency_key
from services.cli.programme.report import EventReport
from services.cli.programme.wanted import Known, change_of, new_event

_CHANGED_MEANWHILE = 412
_ABOUT_THE_ENTRY = frozenset((404, 409, 412, 413, 422))
"""Refusals that say something about one entry; any other says that going on is useless."""


@dataclass
class Execution:
    """One import in progress. Stopped anywhere, the next run finds what is missing and goes on."""

    gateway: Gateway
    report: EventReport
    run: str
    """Different in every run: see `idempotency_key`."""
    visibility: str
    """Who may see new events; those there are keep what they have."""
    advance: Callable[[str], None]

    def carry_out(self, plan: Plan) -> None:
        """Do what the plan says. GatewayError when the gateway is gone: the report tells how far it came."""
        for known in plan.cancel:
            self._cancel(known)
            self.advance(known.title)
        for change in plan.change:
            self._change(change)
            self.advance(change.entry.title)
        for entry in plan.start:
            self._start(entry)
            self.advance(entry.title)
        self.report.finished = True

    def _path(self, event: str = "") -> str:
        path = f"/v1/hubs/{self.report.hub}/events"
        return f"{path}/{event}" if event else path

    def _cancel(self, known: Known) -> None:
        try:
            self.gateway.post(f"{self._path(known.id)}/cancel", {"reason": VANISHED})
        except RefusalError as problem:
            self._refused(known, problem, "could not be cancelled: ")
        else:
            self.report.cancelled.append(known)

    def _change(self, change: Change) -> None:
        try:
            changed = self._patch(change, change.known)
        except RefusalError as problem:
            self._refused(change.entry, problem, "could not be changed: ")
        else:
            self.report.changed.append(changed)

    def _patch(self, change: Change, known: Known) -> Change:
        try:
            self.gateway.patch(self._path(known.id), change_of(known, change.entry), version=known.version)
        except RefusalError as problem:
            if problem.status != _CHANGED_MEANWHILE:
                raise
            # Somebody changed it since it was listed, or our first attempt worked and its answer was lost.
            fresh = Known.from_item(self.gateway.get(self._path(known.id)).body)
            if fresh.version == known.version:
                raise
            if not fresh.says(change.entry):
                return self._patch(change, fresh)
        return change

    def _start(self, entry: Entry) -> None:
        report = self.report
        key = idempotency_key(self.run, report.hub, report.calendar, entry)
        try:
            self.gateway.post(self._path(), new_event(entry, report.calendar, self.visibility), key=key)
        except RefusalError as problem:
            self._refused(entry, problem)
        else:
            report.started.append(entry)

    def _refused(self, what: Entry | Known, problem: RefusalError, before: str = "") -> None:
        if problem.status not in _ABOUT_THE_ENTRY:
            raise problem
        self.report.refused.append(Refusal(what, f"{before}{problem}"))
