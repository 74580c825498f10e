"""Connections that outlive a story: statements are compiled and planned once for a worker, not once for every test."""

from __future__ import annotations

import asyncpg
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.kit.database import driver_of, make_autocommit_pool, make_engine

SIZE = 8

# DELETE, not TRUNCATE: few rows go faster than thirty new files are made.
_EMPTY = """
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                    AND relname <> 'alembic_version' ORDER BY relname <> 'booking', relname <> 'membership', relname = 'person',
                    relname IN ('hub', 'concept') LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
    END $$
"""


async def empty(url: str) -> None:
    """Delete every row of every table, over a connection of its own: for stories that cut those they have."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute(_EMPTY)
    finally:
        await connection.close()


class Connections:
    """Engines and pools of one event loop, made as production makes them and closed together."""

    def __init__(self) -> None:
        self._engines: dict[str, AsyncEngine] = {}
        self._pools: dict[str, asyncpg.Pool] = {}

    async def close(self) -> None:
        """Close them all."""
        for pool in self._pools.values():
            await pool.close()
        for engine in self._engines.values():
            await engine.dispose()

    def engine(self, url: str) -> AsyncEngine:
        """The engine on this database."""
        if url not in self._engines:
            self._engines[url] = make_engine(url, pool_size=SIZE)
        return self._engines[url]

    async def pool(self, url: str) -> asyncpg.Pool:
        """The pool on this database for the path whose transaction is a single statement."""
        if url not in self._pools:
            self._pools[url] = await make_autocommit_pool(url, size=SIZE)
        return self._pools[url]

    async def emptied(self, url: str) -> AsyncEngine:
        """The engine on this database, in which every row of every table was deleted."""
        engine = self.engine(url)
        async with engine.connect() as connection:
            await (await driver_of(connection)).execute(_EMPTY)
        return engine
