"""Connections to the database: what each has to ask before it can work."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit
from uuid import uuid4

from sqlalchemy import text

from shared.kit.database import make_autocommit_pool, make_engine
from tests.gateway.proxy import Wire

ASKED = b"RECURSIVE typeinfo_tree("
"""How asyncpg's question about types begins."""


async def test_postgresqls_own_types_are_asked_for_once_and_not_by_every_connection(
    database: Callable[[str], str],
) -> None:
    parts, questions = urlsplit(database("booking")), list[bytes]()
    wire = Wire(parts.hostname or "", parts.port or 0)
    wire.overhears = questions.append
    await wire.mend()
    url = parts._replace(netloc=f"{parts.netloc.rpartition('@')[0]}@127.0.0.1:{wire.port}").geturl()
    ids, wanted = [uuid4(), uuid4()], text("SELECT CAST(:ids AS uuid[]), CAST(:sizes AS int4[])")

    async def asks() -> int:
        """How often a connection that has just been made asks."""
        questions.clear()
        engine = make_engine(url, pool_size=1)
        async with engine.connect() as connection:
            row = (await connection.execute(wanted, {"ids": ids, "sizes": [1, 2]})).one()
            assert tuple(row) == (ids, [1, 2])
        await engine.dispose()
        return b"".join(questions).count(ASKED)

    try:
        assert await asks() <= 2
        assert await asks() == 0
        # What a database has made for itself is another matter in each.
        async with make_autocommit_pool(url, size=1) as pool:
            await pool.execute("CREATE TYPE mood AS ENUM ('calm', 'busy')")
            questions.clear()
            assert await pool.fetchval("SELECT CAST($1 AS mood[])", ["calm"]) == ["calm"]
            assert ASKED in b"".join(questions)
    finally:
        await wire.cut()
