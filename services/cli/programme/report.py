"""What an import of a programme did: events."""

from __future__ import annotations

from dataclasses import dataclass, field

from services.cli.calendar.entry import Entry
from services.cli.calendar.report import Imported, Report, Told
from services.cli.programme.plan import Change, Plan
from services.cli.programme.wanted import Known, change_of


@dataclass(kw_only=True)
class EventReport(Report):
    """The whole story of one import of a programme into a hub."""

    started: list[Entry] = field(default_factory=list)
    changed: list[Change] = field(default_factory=list)

    def pretend(self, plan: Plan) -> None:
        """Of a dry run: what would be asked for."""
        self.dry_run = self.finished = True
        self.started.extend(plan.start)
        self.changed.extend(plan.change)
        self.cancelled.extend(plan.cancel)

    def asked(self) -> dict[str, list[Told]]:
        changed = [
            {
                **self.said(each.entry),
                "event": each.known.id,
                "parts": sorted(change_of(each.known, each.entry)),
                "from": self.said(each.known),
            }
            for each in self.changed
        ]
        return {"started": [self.said(each) for each in self.started], "changed": changed}

    def more_of(self, what: Imported) -> Told:
        return {"event": what.id} if isinstance(what, Known) else {}
