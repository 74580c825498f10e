"""Answering what is held of a person: table by table, as many lines at a time as a message takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Request
from shared.contracts.exporting import ExportedRow, ExportPage
from shared.kit.errors import Invalid
from shared.kit.principal import required
from shared.kit.rpc import Call, Handler

ROWS_AT_ONCE = 200
BYTES_AT_ONCE = 256 * 1024
"""Of lines in an answer; the bus takes four times that."""

BEGINNING = "[]"
"""Before every place."""

Tables = Mapping[str, str]
"""What is exported of each table: a SELECT about `:person`.

Its column `place`, which is not exported, is a JSON list that no two rows share and that stays a row's own, in the order in which
rows are written. A page goes on after the last row's place: between two of them rows may come, go and change.
"""


def exports(request: type[Request[ExportPage]], tables: Tables) -> dict[type[Request[Any]], Handler]:
    """The handler of a service's export. It shows the person's own part: nobody else's id that they would not be shown."""
    order = list(tables)

    async def export(session: AsyncSession, asked: Any, call: Call) -> ExportPage:
        person = required(call.principal).person
        table, after = _place(asked.cursor, order)
        rows: list[ExportedRow] = []
        size = 0
        while table is not None:
            for line, place in await _lines(session, tables[table], person, after):
                size += len(line)
                if rows and size > BYTES_AT_ONCE:
                    return ExportPage(items=tuple(rows), cursor=f"{table}:{after}")
                rows.append(ExportedRow(table=table.replace("_", "-"), line=line))
                after = place
            if len(rows) >= ROWS_AT_ONCE:
                return ExportPage(items=tuple(rows), cursor=f"{table}:{after}")
            following = order.index(table) + 1
            table, after = (order[following] if following < len(order) else None), BEGINNING
        return ExportPage(items=tuple(rows))

    return {request: export}


def _place(cursor: str | None, order: list[str]) -> tuple[str | None, str]:
    if cursor is None:
        return order[0], BEGINNING
    table, _, after = cursor.partition(":")
    try:
        known = table in order and isinstance(orjson.loads(after), list)
    except orjson.JSONDecodeError:
        known = False
    if not known:
        raise Invalid("This cursor is not from this export.", field="cursor")
    return table, after


async def _lines(session: AsyncSession, statement: str, person: UUID, after: str) -> list[tuple[str, str]]:
    """The next lines of a table, and where each of them stands."""
    asked = text(f"""
        SELECT CAST(to_jsonb(one) - 'place' AS text) AS line, CAST(one.place AS text) AS place FROM ({statement}) one
        WHERE one.place > CAST(:after AS jsonb) ORDER BY one.place LIMIT {ROWS_AT_ONCE}
    """)  # noqa: S608  # constants
    rows = await session.execute(asked, {"person": person, "after": after})
    return [(row.line, row.place) for row in rows]
