"""What the databases of all services hold of somebody: every column of every table, by their catalogs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from tests.gateway.cell import SETTINGS, Cell

Column = tuple[str, str, str]
"""Service, table, column."""

_TABLES = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition ORDER BY 1
"""
_IDS = """
    SELECT table_name, column_name FROM information_schema.columns
    WHERE table_schema = 'public' AND (data_type = 'uuid' OR udt_name = '_uuid') ORDER BY 1, 2
"""


def holdings(cell: Cell, person: UUID, mark: str) -> dict[Column, int]:
    """In which columns, and in how many rows, the person's id or mark stands, however it is written."""
    needles = (str(person), person.hex, mark.lower(), mark.encode().hex())
    return dict(cell.run(_held(cell, needles)))


async def _held(cell: Cell, needles: tuple[str, ...]) -> dict[Column, int]:
    found: dict[Column, int] = {}
    for service in SETTINGS:
        connection = await asyncpg.connect(cell.plain_url(service))
        try:
            for (table,) in await connection.fetch(_TABLES):
                asked = f'SELECT to_jsonb(t)::text FROM "{table}" t WHERE lower(to_jsonb(t)::text) ~ $1'
                for (row,) in await connection.fetch(asked, "|".join(needles)):
                    for column in _columns(orjson.loads(row), needles):
                        place = (service, table, column)
                        found[place] = found.get(place, 0) + 1
        finally:
            await connection.close()
    return found


def _columns(row: dict[str, Any], needles: tuple[str, ...]) -> Iterator[str]:
    for column, value in row.items():
        written = orjson.dumps(value).decode().lower()
        if any(needle in written for needle in needles):
            yield column


def id_columns(cell: Cell) -> set[Column]:
    """Every column of any service that holds ids."""

    async def work() -> set[Column]:
        found: set[Column] = set()
        for service in SETTINGS:
            connection = await asyncpg.connect(cell.plain_url(service))
            try:
                found |= {(service, table, column) for table, column in await connection.fetch(_IDS)}
            finally:
                await connection.close()
        return found

    return cell.run(work())
