"""A queue that is empty now and long in a minute: what is due is found without reading everything that waits."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from sqlalchemy import text

from services.notify.commands.claiming import MOST_NOTICES, claim
from shared.kit.database import Database, make_engine
from tests.notify.world import World

OFTEN = 8
"""After five times PostgreSQL would keep a plan for good."""
WAITING = 4000
_MANY = text("""
    INSERT INTO notice (id, person, hub, about, thing, channel, due_at, first_at)
    SELECT gen_random_uuid(), :person, 'nordviken', 'booking', gen_random_uuid(), channel, due_at, :now
    FROM generate_series(1, :number) n,
         (VALUES ('email', CAST(:now AS timestamptz)), ('inbox', CAST(:later AS timestamptz))) one (channel, due_at)
""")
_READ = text("SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'notice'")


async def test_what_is_due_is_claimed_without_reading_all_that_waits(
    world: World, notify_database: str
) -> None:
    """Found by profiling: each claim read the whole queue, by a plan that was made when it was empty."""
    engine = make_engine(notify_database, pool_size=1)
    try:
        database = Database(engine, lambda: None)
        for _ in range(OFTEN):
            async with database.transaction() as session:
                assert not (await claim(session, now=world.now)).notices
        many = {
            "number": WAITING,
            "now": world.now,
            "later": world.now + timedelta(days=1),
            "person": uuid4(),
        }
        async with world.database.transaction() as session:
            await session.execute(_MANY, many)
        async with database.transaction() as session:
            claimed = await claim(session, now=world.now)
            assert len(claimed.notices) == MOST_NOTICES
            assert (await session.execute(_READ)).scalar_one() == 0
    finally:
        await engine.dispose()
