"""Who is suggested counts as suggested when somebody looks: not when a browser fetches ahead, nor when nothing is sent."""

from __future__ import annotations

import asyncpg

from tests.gateway.cell import Cell, eventually
from tests.gateway.matching_things import opened

HUB = "here"
MATCHES = "/v1/me/matches"


def shown(cell: Cell) -> int:
    """How many have been shown to anybody."""

    async def counted() -> int:
        connection = await asyncpg.connect(cell.plain_url("matching"))
        try:
            return int(await connection.fetchval("SELECT count(*) FROM shown"))
        finally:
            await connection.close()

    return cell.run(counted())


def found(cell: Cell, headers: dict[str, str]) -> None:
    """Wait until the index has heard of somebody."""
    eventually("somebody is found", lambda: cell.http.get(MATCHES, headers=headers).json()["items"])


def test_a_list_fetched_ahead_is_no_suggestion(cell: Cell) -> None:
    auth = opened(cell, HUB, "member", "Looks ahead")
    opened(cell, HUB, "member", "Is looked at")
    assert cell.http.put("/v1/me/profile/needs/bookkeeping", headers=auth).status_code == 200
    before = shown(cell)
    for purpose in ("prefetch", "prefetch;prerender"):
        found(cell, auth | {"Sec-Purpose": purpose})
    head = cell.http.head(MATCHES, headers=auth)
    assert (head.status_code, head.content) == (200, b"")
    assert shown(cell) == before
    assert cell.http.get(MATCHES, headers=auth).json()["items"]
    assert shown(cell) > before
