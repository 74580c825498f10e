"""Brings a service's database to the schema of this release: one at a time, never waiting long for a lock."""

from __future__ import annotations

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

LOCK_WAIT = "5s"
LONGEST_STATEMENT = "10min"
SERVICES = Path(__file__).parents[2] / "services"


def migrate(service: str, database_url: str) -> None:
    """Upgrade to the newest revision; a second caller waits for the first and then finds nothing to do."""
    config = Config()
    config.set_main_option("script_location", str(SERVICES / service / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes["database_url"] = database_url
    command.upgrade(config, "head")


def run() -> None:
    """What a service's `migrations/env.py` calls."""
    asyncio.run(_upgrade(context.config.attributes["database_url"]))


async def _upgrade(url: str) -> None:
    engine = create_async_engine(url, poolclass=pool.NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run_migrations)
            await connection.commit()
    finally:
        await engine.dispose()


def _run_migrations(connection: Connection) -> None:
    # A migration may take long, but it must not make the running release wait behind its locks.
    for setting in (
        f"lock_timeout = '{LOCK_WAIT}'",
        f"statement_timeout = '{LONGEST_STATEMENT}'",
        "transaction_timeout = 0",
    ):
        connection.execute(text(f"SET {setting}"))
    connection.execute(text("SELECT pg_advisory_lock(hashtextextended('foci migrate', 0))"))
    context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
