"""Emptying a service's database between stories: ten times as quick as copying the template anew."""

from __future__ import annotations

import asyncpg

# DELETE, not TRUNCATE: few rows go faster than thirty new files are made.
_EMPTY = """
    DO $$ DECLARE name text; BEGIN
        FOR name IN SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
                    AND relname <> 'alembic_version' ORDER BY relname <> 'booking', relname <> 'membership',
                    relname = 'hub' LOOP
            EXECUTE format('DELETE FROM %I', name);
        END LOOP;
    END $$
"""


async def emptied(url: str) -> None:
    """Delete every row of every table."""
    connection = await asyncpg.connect(
        url.replace("postgresql+asyncpg://", "postgresql://", 1), command_timeout=5
    )
    try:
        await connection.execute(_EMPTY)
    finally:
        await connection.close()
