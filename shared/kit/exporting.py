"""Answering what is held of a person: table by table, as many lines at a time as a message takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

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

Tables = Mapping[str, str]
"""What is exported of each table: a SELECT about `:person` with an order that stays."""


def exports(request: type[Request[ExportPage]], tables: Tables) -> dict[type[Request[Any]], Handler]:
    """The handler of a service's export. It shows the person's own part: nobody else's id that they would not be shown."""
    order = list(tables)

    async def export(session: AsyncSession, asked: Any, call: Call) -> ExportPage:
        person = required(call.principal).person
        table, skipped = _place(asked.cursor, order)
        rows: list[ExportedRow] = []
        size = 0
        while table is not None:
            for line in await _lines(session, tables[table], person, skipped):
                size += len(line)
                if rows and size > BYTES_AT_ONCE:
                    return ExportPage(items=tuple(rows), cursor=f"{table}:{skipped}")
                rows.append(ExportedRow(table=table.replace("_", "-"), line=line))
                skipped += 1
            if len(rows) >= ROWS_AT_ONCE:
                return ExportPage(items=tuple(rows), cursor=f"{table}:{skipped}")
            following = order.index(table) + 1
            table, skipped = (order[following] if following < len(order) else None), 0
        return ExportPage(items=tuple(rows))

    return {request: export}


def _place(cursor: str | None, order: list[str]) -> tuple[str | None, int]:
    if cursor is None:
        return order[0], 0
    table, _, skipped = cursor.partition(":")
    if table not in order or not skipped.isdecimal() or len(skipped) > 9:
        raise Invalid("This cursor is not from this export.", field="cursor")
    return table, int(skipped)


async def _lines(session: AsyncSession, statement: str, person: UUID, skipped: int) -> list[str]:
    asked = text(
        f"SELECT CAST(to_jsonb(one) AS text) FROM ({statement}) one OFFSET :skipped LIMIT {ROWS_AT_ONCE}"  # noqa: S608  # constants
    )
    return list((await session.execute(asked, {"person": person, "skipped": skipped})).scalars())
