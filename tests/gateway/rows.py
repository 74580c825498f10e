"""What the table of who may do what is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tests.gateway.cell import Cell
from tests.gateway.sign_in_things import signed_in

ROLES = ("nobody", "garbage", "stranger", "visitor", "member", "host", "operator", "coordinator", "admin")
STAFF = ("host", "operator", "coordinator", "admin")
OPERATORS = ("operator", "admin")
BELONG = ("visitor", "member", *STAFF)
PEOPLE = ("stranger", *BELONG)
HUB = "/v1/hubs/{hub}"
WITH_ACCESS_TOKENS = frozenset({"visitor", "operator"})
"""Who comes as people do who have signed in; the others come with development tokens, which is quicker."""
VERSION = {"headers": {"If-Match": '"1"'}}


_TOKENS: dict[tuple[str, UUID], str] = {}


def access_token(cell: Cell, person: UUID) -> str:
    """The access token of somebody who has signed in; it lasts as long as a test takes."""
    if (cell.url, person) not in _TOKENS:
        _TOKENS[cell.url, person] = signed_in(cell, person).access_token
    return _TOKENS[cell.url, person]


def headers_of(cell: Cell, role: str) -> dict[str, str]:
    """What somebody sends who has this role in `here` and none in `there`."""
    if role == "nobody":
        return {}
    if role == "garbage":
        return {"Authorization": "Bearer not.a.token"}
    if role == "stranger":
        return cell.auth("elsewhere", "member", "A Stranger")
    if role in WITH_ACCESS_TOKENS:
        return {"Authorization": f"Bearer {access_token(cell, cell.person('here', role))}"}
    return cell.auth("here", role)


@dataclass(frozen=True)
class Row:
    """What a route answers those who may, and which others hear instead; `ask` makes a request that fits."""

    good: int
    refused: int
    may: tuple[str, ...]
    signed_in: bool = True
    ask: Callable[[Cell, str, str], dict[str, Any]] = lambda *_: {}
    besides: Mapping[str, int] = field(default_factory=dict)
    """Roles that hear something else again."""
