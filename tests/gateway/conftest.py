"""One cell per file of tests: starting it takes about a second, and the files run side by side."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.cell import Cell, running_cell


@pytest.fixture(scope="module")
def cell(request: pytest.FixtureRequest) -> Iterator[Cell]:
    """A cell with two hubs, each with a room and flexible seats; wired for the files that say `WIRED`.

    Files with `OPTIONS` have a gateway with these settings.
    """
    options = getattr(request.module, "OPTIONS", {})
    with running_cell(wired=getattr(request.module, "WIRED", False), **options) as running:
        for hub in ("here", "there"):
            running.hub(hub)
            running.space(hub, "room")
            running.space(hub, "flex", "flex", seats=6)
        yield running
