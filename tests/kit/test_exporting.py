"""An export in parts: every line once and in order, no part larger than the bus takes, whatever the tables hold."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID

import orjson
import pytest

from shared.contracts.exporting import ExportMyBookings, ExportPage
from shared.kit.errors import Invalid
from shared.kit.exporting import BYTES_AT_ONCE, ROWS_AT_ONCE, exports
from shared.kit.ids import utc_now
from shared.kit.principal import Principal
from shared.kit.rpc import Call
from tests.kit.hubs import opened

WIDE = 90_000
_ROWS = (
    "jsonb_build_array(n) AS place FROM generate_series(1, {rows}) n WHERE CAST(:person AS uuid) IS NOT NULL"
)
TABLES = {
    "empty": f"SELECT n, {_ROWS.format(rows=0)}",
    "a_few": f"SELECT n, {_ROWS.format(rows=150)}",
    "many": f"SELECT n, {_ROWS.format(rows=450)}",
    "wide": f"SELECT n, repeat('x', {WIDE}) AS words, {_ROWS.format(rows=7)}",
    "too_wide": f"SELECT n, repeat('x', {BYTES_AT_ONCE + 1}) AS words, {_ROWS.format(rows=1)}",
    "last": f"SELECT n, {_ROWS.format(rows=2)}",
}
WHO = Call(Principal(UUID(int=7)), utc_now())


async def test_every_line_comes_once_and_in_order_in_parts_the_bus_takes(
    database: Callable[[str], str],
) -> None:
    [answer] = exports(ExportMyBookings, TABLES).values()
    parts: list[Any] = []
    async with opened(database("booking")) as there, there.reading() as session:
        while not parts or parts[-1].cursor is not None:
            cursor = parts[-1].cursor if parts else None
            parts.append(await answer(session, ExportMyBookings(cursor=cursor), WHO))
            assert isinstance(parts[-1], ExportPage)
    found: dict[str, list[int]] = {}
    for part in parts:
        sizes = [len(row.line) for row in part.items]
        assert sum(sizes) <= BYTES_AT_ONCE or len(sizes) == 1
        assert len(sizes) < 2 * ROWS_AT_ONCE
        for row in part.items:
            found.setdefault(row.table, []).append(orjson.loads(row.line)["n"])
    assert found == {
        "a-few": [*range(1, 151)], "many": [*range(1, 451)], "wide": [*range(1, 8)], "too-wide": [1], "last": [1, 2],
    }  # fmt: skip
    assert len(parts) > 4


async def test_a_cursor_of_another_list_is_refused(database: Callable[[str], str]) -> None:
    [answer] = exports(ExportMyBookings, TABLES).values()
    async with opened(database("booking")) as there, there.reading() as session:
        for cursor in ("", "many", "nowhere:[1]", "many:1", "many:x", "many:{}", "many:[1"):
            with pytest.raises(Invalid):
                await answer(session, ExportMyBookings(cursor=cursor), WHO)
