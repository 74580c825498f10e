"""Brings a service's database to the schema of this release: one at a time, never waiting long for a lock."""

from __future__ import annotations

import asyncio
import logging
import time
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

# The library's own: what else the kit logs with takes longer to load than a migration does.
log = logging.getLogger(__name__)

LOCK_WAIT = "5s"
LOOK_EVERY_S = 0.25
LONGEST_STATEMENT = "10min"
_LOCK = text("SELECT pg_try_advisory_lock(hashtextextended('foci migrate', 0))")
SERVICES = Path(__file__).parents[2] / "services"


def migrate(service: str, database_url: str, *, services: Path = SERVICES) -> None:
    """Upgrade to the newest revision; a second caller waits for the first and then finds nothing to do.

    A database that a later release has brought further is left as it is: whoever goes back to the release before must not
    be kept from it.
    """
    config = Config()
    config.set_main_option("script_location", str(services / service / "migrations"))
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
        # The lock below belongs to this session: of a machine that is gone it must not stay for hours.
        "tcp_keepalives_idle = 10",
        "tcp_keepalives_interval = 5",
        "tcp_keepalives_count = 3",
    ):
        connection.execute(text(f"SET {setting}"))
    _wait_for_the_turn(connection)
    later = _made_by_a_later_release(connection)
    # What is set and locked is the session's. In a transaction begun here all revisions would be one, holding the locks of
    # all their tables at once, and none could do what needs no transaction, such as an index made CONCURRENTLY.
    connection.commit()
    if later:
        log.warning("the database has been brought to %s by a later release; left as it is", later)
        return
    context.configure(connection=connection, target_metadata=None, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()


def _wait_for_the_turn(connection: Connection) -> None:
    """Look for the lock again and again: whoever waited inside a statement would be waited for by an index made
    CONCURRENTLY, and neither would ever go on."""
    while not connection.execute(_LOCK).scalar():
        connection.commit()
        time.sleep(LOOK_EVERY_S)


def _made_by_a_later_release(connection: Connection) -> str | None:
    """The revision the database is at, when this release does not know it."""
    known = {script.revision for script in context.script.walk_revisions()}
    found = MigrationContext.configure(connection).get_current_heads()
    return next((revision for revision in found if revision not in known), None)
