"""Who may do what with what is held of people: the rows of the table for erasing."""

from __future__ import annotations

from itertools import count
from typing import Any

from services.gateway.auth import Memory
from shared.contracts.directory.erasure import ErasePerson
from shared.contracts.directory.requests import EnsurePerson
from shared.contracts.directory.words import Role
from tests.gateway.cell import Cell
from tests.gateway.rows import PEOPLE, Row

_NUMBERS = count(1)


def _a_minute_later(cell: Cell, *_: str) -> dict[str, Any]:
    cell.app.state.services.exported = Memory()
    return {}


# Asked without a number nothing is erased, so each may ask here; the receipt names nobody, and whoever has its number reads it.
PEOPLE_TABLE: dict[tuple[str, str], Row] = {
    ("DELETE", "/v1/me"): Row(200, 0, PEOPLE),
    ("GET", "/v1/me/looks"): Row(200, 0, PEOPLE),
    ("POST", "/v1/me/export"): Row(200, 0, PEOPLE, ask=_a_minute_later),
    ("GET", "/v1/me/erasure/{number}"): Row(200, 0, PEOPLE, signed_in=False),
}


def things_of_people(cell: Cell, hub: str, path: str) -> dict[str, str]:
    """What the address of such a route names: the number of somebody's erasure."""
    if "{number}" not in path:
        return {}
    name = f"Somebody to be erased {next(_NUMBERS)}"
    gone = cell.as_admin(EnsurePerson(hub=hub, name=name, role=Role.VISITOR))
    return {"number": cell.as_admin(ErasePerson(person=gone.id)).number}
