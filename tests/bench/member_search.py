"""How long the search of a large hub's members takes, and whether it reads indexes or everybody."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import md5
from uuid import UUID

import asyncpg
from sqlalchemy import text

from services.matching.commands import skills
from services.matching.queries import members
from services.matching.rules.vocabulary import ours
from shared.contracts.matching.members import SearchMembers
from shared.kit.database import Database, make_engine
from shared.kit.ids import new_id, utc_now
from tests.bench.report import Say

HUB = "bench-members"
WORDS = (
    None, "bookkeeping", "bogføring", "fotograf", "fotografrering", "snickare", "bokföring snickeri",
    "web shops", "patents", "segling", "zebrafink",
)  # fmt: skip
"""Nothing, a skill in two languages, inside a compound, misspelt, common, two words, rare, everybody's, nobody's."""
ABOUT = (
    "Jag har drivit eget i tio år och hjälper gärna den som börjar.",
    "Laver bryllupsfotografering og familieportrætter.",
    "I build small web shops and mend old ones.",
    "Snickare som också ritar möbler.",
    "Skriver tekster til hjemmesider og nyhedsbreve.",
    "Retired engineer, patents and drawings.",
)
"""What people say of themselves, in turn; with a word of their own, as texts are never all alike."""
# Person n says the n-th, and seven of the vocabulary's concepts, in words of their own every third time.
FILL = (
    """
    INSERT INTO membership (person, hub, role, joined_at, version)
    SELECT md5('m' || n)::uuid, $1, 'member', now(), 1 FROM generate_series(1, $2::int) n
    """,
    """
    INSERT INTO profile (person, hub, visibility, changed_at, about, talk_about, languages)
    SELECT md5('m' || n)::uuid, $1, (ARRAY['hub', 'federation'])[1 + n % 2], now(),
           ($3::text[])[1 + n % cardinality($3::text[])] || ' ' || md5(n::text), ARRAY['segling'], ARRAY['sv']
    FROM generate_series(1, $2::int) n
    """,
    """
    INSERT INTO consent (person, hub, given_at, membership)
    SELECT md5('m' || n)::uuid, $1, now(), 1 FROM generate_series(1, $2::int) n
    """,
    """
    WITH known AS (SELECT array_agg(id ORDER BY md5(id)) AS ids FROM concept)
    INSERT INTO statement (id, person, side, concept, level, words, created_at)
    SELECT gen_random_uuid(), md5('m' || n)::uuid, (ARRAY['offer', 'need'])[1 + k % 2],
           ids[1 + (n::bigint * 31 + k * 17) % cardinality(ids)], 'practised',
           CASE WHEN n % 3 = 0 THEN 'gärna på kvällar, hellre i grupp' END, now()
    FROM known, generate_series(1, $2::int) n, generate_series(0, 6) k
    """,
)


VIEWER = UUID(md5(b"m1").hexdigest())
"""One of them."""
# What this transaction has read row after row; a small part of a table may be read so.
_READ_WHOLE = text("""
    SELECT s.relname FROM pg_stat_xact_user_tables s JOIN pg_class c ON c.oid = s.relid
    WHERE s.relname IN ('profile', 'statement', 'consent', 'membership') AND s.seq_tup_read > c.reltuples / 2
    ORDER BY s.relname
""")


@dataclass(frozen=True)
class Size:
    """How many members, and how often each text is looked for."""

    members: int
    times: int


FULL, QUICK = Size(100_000, 10), Size(3000, 2)


@dataclass(frozen=True)
class Searched:
    """What one text has shown; seconds for a page of fifty."""

    words: str | None
    found: int
    seconds: Sequence[float]
    whole_tables: tuple[str, ...]
    """Tables of people that were read from the first row to the last."""


def measured(url: str, size: Size, say: Say) -> list[Searched]:
    """On a migrated database of matching's."""
    return asyncio.run(_measured(url, size, say))


async def _measured(url: str, size: Size, say: Say) -> list[Searched]:
    engine = make_engine(url, pool_size=2)
    try:
        database = Database(engine, lambda: None)
        async with database.transaction() as session:
            await skills.seed(session, ours(), now=utc_now(), ids=new_id)
        say(f"filling a hub with {size.members} members")
        await _fill(url, size)
        found = []
        for words in WORDS:
            found.append(await _searched(database, words, size.times))
            one = found[-1]
            say(f"{words}: {one.found} found, {1000 * sorted(one.seconds)[len(one.seconds) // 2]:.0f} ms")
        return found
    finally:
        await engine.dispose()


async def _fill(url: str, size: Size) -> None:
    # A large hub comes about in years; here in a transaction that production would end.
    connection = await asyncpg.connect(
        url.replace("+asyncpg", ""), server_settings={"transaction_timeout": "0", "statement_timeout": "0"}
    )
    try:
        for statement in FILL:
            more = [list(ABOUT)] if "$3" in statement else []
            if "$1" in statement:
                await connection.execute(statement, HUB, size.members, *more)
            else:
                await connection.execute(statement.replace("$2", "$1"), size.members)
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _searched(database: Database, words: str | None, times: int) -> Searched:
    took, number, whole = [], 0, ()  # type: list[float], int, tuple[str, ...]
    wanted = SearchMembers(hub=HUB, text=words, shown_in="sv")
    for _ in range(times):
        async with database.reading() as session:
            began = time.perf_counter()
            page = await members.search_members(session, wanted, VIEWER, today=date(2027, 3, 1))
            took.append(time.perf_counter() - began)
            number = len(page.items)
            whole = tuple((await session.execute(_READ_WHOLE)).scalars())
    return Searched(words, number, took, whole)
