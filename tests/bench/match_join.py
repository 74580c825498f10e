"""The same matches from a join in PostgreSQL: what ranking would be without an index in memory."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Iterator, Mapping
from uuid import UUID

import asyncpg

from services.matching.rules import ranking
from services.matching.rules.ranking import Card, Near, Place

TABLES = """
    CREATE SCHEMA bench_matches;
    SET search_path TO bench_matches;
    CREATE UNLOGGED TABLE person (id uuid, hub text, municipality text, region text, opened boolean, languages text[],
                                  offers int, needs int);
    CREATE UNLOGGED TABLE stated (person uuid, side text, concept text, level int);
    CREATE UNLOGGED TABLE near (concept text, other text, percent int);
"""
INDEXES = """
    ALTER TABLE person ADD PRIMARY KEY (id);
    CREATE INDEX ON stated (concept, side) INCLUDE (person, level);
    CREATE TABLE weight AS SELECT concept,
        1 + length(ltrim((((SELECT count(*) FROM person) / count(*))::int)::bit(32)::text, '0')) AS weight
        FROM stated GROUP BY concept;
    ALTER TABLE weight ADD PRIMARY KEY (concept);
    ALTER TABLE near ADD PRIMARY KEY (concept, other);
    ANALYZE;
"""
FIT = f"(ARRAY[{', '.join(map(str, ranking.FIT))}])[greatest({{need}} - {{offer}}, 0) + 1]"
FOCUS = f"(100 * {ranking.FOCUS} / greatest({ranking.FOCUS}, {{named}}))"
TOP = f"""
    WITH mine AS (SELECT * FROM unnest($2::text[], $3::text[], $4::int[]) AS said (side, concept, level)),
    got AS (
        SELECT person, sum(points) AS points FROM (
            SELECT s.person, mine.concept, max(n.percent * {FIT.format(need="mine.level", offer="s.level")}) * w.weight AS points
            FROM mine JOIN near n ON n.concept = mine.concept JOIN stated s ON s.concept = n.other AND s.side = 'offer'
            JOIN weight w ON w.concept = mine.concept
            WHERE mine.side = 'need' GROUP BY s.person, mine.concept, w.weight) best GROUP BY person),
    given AS (
        SELECT person, sum(points) AS points FROM (
            SELECT s.person, s.concept, max(n.percent * {FIT.format(need="s.level", offer="mine.level")}) * w.weight AS points
            FROM mine JOIN near n ON n.concept = mine.concept JOIN stated s ON s.concept = n.other AND s.side = 'need'
            JOIN weight w ON w.concept = s.concept
            WHERE mine.side = 'offer' GROUP BY s.person, s.concept, w.weight) best GROUP BY person),
    both_ways AS (
        SELECT p.*, {ranking.GET} * coalesce(got.points, 0) * {FOCUS.format(named="p.offers")} AS get,
               {ranking.GIVE} * coalesce(given.points, 0) * {FOCUS.format(named="p.needs")} AS give
        FROM got FULL JOIN given USING (person) JOIN person p ON p.id = person WHERE p.id <> $1),
    scored AS (
        SELECT b.id, (get + give + least(get, give)) * 100
            * CASE WHEN b.hub = $5 THEN {ranking.HUB} WHEN NOT b.opened THEN 0
                   WHEN b.municipality = $6 THEN {ranking.MUNICIPALITY}
                   WHEN b.region = $7 THEN {ranking.REGION} ELSE {ranking.FEDERATION} END
            * CASE WHEN b.languages = '{{}}' OR $8::text[] = '{{}}' THEN {ranking.UNSAID}
                   WHEN b.languages && $8 THEN {ranking.COMMON} ELSE {ranking.NONE} END AS score
        FROM both_ways b)
    SELECT id, score::bigint FROM scored WHERE score > 0 ORDER BY score DESC FETCH FIRST $9 ROWS WITH TIES
"""


class Join:
    """A schema of the bench's own: tables as lean as the question allows, unlogged, with an index that covers it."""

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._connection: asyncpg.Connection[asyncpg.Record] = self._loop.run_until_complete(
            asyncpg.connect(url, server_settings={"jit": "off", "work_mem": "256MB"})
        )
        self._places: Mapping[str, Place] = {}

    def fill(self, cards: Iterable[Card], near: Near, places: Mapping[str, Place]) -> None:
        """Take in everybody, and the vocabulary."""
        self._places = places
        self._loop.run_until_complete(self._fill(cards, near))

    async def _fill(self, cards: Iterable[Card], near: Near) -> None:
        connection = self._connection
        await connection.execute(TABLES)
        pairs = [(one, other, percent) for one, some in near.items() for other, percent in some.items()]
        await connection.copy_records_to_table("near", records=pairs, schema_name="bench_matches")
        for some in _chunks(cards, 20_000):
            await connection.copy_records_to_table(
                "person", records=map(self._person, some), schema_name="bench_matches"
            )
            await connection.copy_records_to_table(
                "stated", records=_statements(some), schema_name="bench_matches"
            )
        await connection.execute(INDEXES)

    def _person(self, card: Card) -> tuple[object, ...]:
        hub = card.found_at[0]
        place = self._places[hub]
        sizes = len(card.offers), len(card.needs)
        where = (hub, place.municipality, place.region)
        return (card.person, *where, card.opened, list(card.languages), *sizes)

    def weights(self) -> dict[str, int]:
        """What concepts weigh, by PostgreSQL's count."""
        rows = self._loop.run_until_complete(
            self._connection.fetch("SELECT concept, weight FROM bench_matches.weight")
        )
        return {row["concept"]: row["weight"] for row in rows}

    def top(self, reader: Card, k: int) -> tuple[float, list[tuple[UUID, int]]]:
        """The best, and how long it took."""
        said = [
            (side, *one) for side, some in (("offer", reader.offers), ("need", reader.needs)) for one in some
        ]
        place = self._places[reader.belongs[0]]
        columns = [list(column) for column in zip(*said, strict=True)]
        known = (reader.belongs[0], place.municipality, place.region, list(reader.languages), k)
        began = time.perf_counter()
        rows = self._loop.run_until_complete(self._connection.fetch(TOP, reader.person, *columns, *known))
        took = time.perf_counter() - began
        found = [(UUID(int=row["id"].int), row["score"]) for row in rows]
        return took, sorted(found, key=lambda one: (-one[1], ranking.lot(one[0], 0)))[:k]

    def close(self) -> None:
        """Leave nothing behind."""
        self._loop.run_until_complete(self._connection.execute("DROP SCHEMA bench_matches CASCADE"))
        self._loop.run_until_complete(self._connection.close())
        self._loop.close()


def _chunks(cards: Iterable[Card], size: int) -> Iterator[list[Card]]:
    some: list[Card] = []
    for card in cards:
        some.append(card)
        if len(some) == size:
            yield some
            some = []
    yield some


def _statements(cards: Iterable[Card]) -> Iterator[tuple[object, ...]]:
    for card in cards:
        for side, some in (("offer", card.offers), ("need", card.needs)):
            for concept, level in some:
                yield card.person, side, concept, level
