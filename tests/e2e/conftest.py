"""The whole way through: a cell in this process where that is enough, `foci up` where real processes matter."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway.cell import Cell, running_cell


@pytest.fixture(scope="module")
def cell() -> Iterator[Cell]:
    """A cell with a hub that has a room and flexible seats."""
    with running_cell() as running:
        running.hub("here")
        running.space("here", "room")
        running.space("here", "flex", "flex", seats=40)
        yield running
