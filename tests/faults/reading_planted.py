"""For tests.faults.start, with FOLDER: a gateway that tells who reads along wrongly in the way FOLDER says.

Production code knows nothing of this: functions are replaced before main runs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

from services.gateway.live.held import Held, Told
from services.gateway.live.rooms import View
from tests.faults.planting import Planting
from tests.faults.reading_checks import Wrong

FAULTS = {
    "cursor-behind": Wrong.TWICE,
    "cursor-ahead": Wrong.LEFT_OUT,
    "audience-of-everybody": Wrong.NOT_THEIRS,
}
"""What is wrong by the name of the fault."""


def reads_cursors_wrongly(planting: Planting) -> None:
    """Who comes back is told on from one message before or behind the one they were told last."""
    after = Held.after

    def after_wrongly(self: Held, hub: str, sequence: int) -> Iterator[Told]:
        off = planting.has("cursor-ahead") - planting.has("cursor-behind")
        return after(self, hub, sequence + off)

    Held.after = after_wrongly  # type: ignore[method-assign]


def shows_all_to_everybody(planting: Planting) -> None:
    """Who comes back is told what they missed, whoever they are."""
    shows = View.shows

    def shows_all(self: View, one: Told, person: UUID | None) -> str | None:
        return one.whole if planting.has("audience-of-everybody") else shows(self, one, person)

    View.shows = shows_all  # type: ignore[method-assign]


def main() -> None:
    """Put them in, then be the gateway."""
    planting = Planting(Path(sys.argv[1]))
    reads_cursors_wrongly(planting)
    shows_all_to_everybody(planting)
    importlib.import_module("services.gateway.main").serve()
