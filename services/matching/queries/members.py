"""Searching a hub's members by what they say of themselves, as far as each of them allows it to the one who asks."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.handles import handles_for
from services.matching.queries.labels import label_of
from services.matching.queries.seeing import holds, may_see
from services.matching.rules.handles import Handles
from services.matching.rules.introductions import NAMED
from services.matching.rules.searching import ALIKE, CONFIGS, languages, words
from shared.contracts.matching.members import MemberPage, MemberView, SearchMembers
from shared.contracts.matching.profiles import StatementView
from shared.contracts.matching.words import OwnerKind, Side
from shared.kit.errors import Invalid


def _rank(row: str) -> str:
    """How well one word fits what stands in a row: inflected 3, inside another word 2, alike 1, not at all 0.

    `w.languages` says which languages it is read in; a compound or a misspelt word fits in any.
    """
    inflected = " OR ".join(
        f"('{language}' = ANY(w.languages) AND {row}.said_{language} @@ w.as_{language})"
        for language in CONFIGS
    )
    return f"""
        CASE WHEN {row}.said = '' THEN 0
             WHEN {inflected} OR {row}.said_sv @@ w.plain THEN 3
             WHEN w.inside AND position(w.written IN {row}.said) > 0 THEN 2
             WHEN w.inside AND word_similarity(w.written, {row}.said) >= {ALIKE} THEN 1 ELSE 0 END
    """


FEW = 2000
"""In a hub of so many open members each is looked at; in a larger one those whom the indexes find."""
MOST = 1000
"""Of these, so many are put in order: the same for everybody who asks, and more than anybody pages through."""
_SHOWN = "p.person, p.kept_by, p.owner_kind, p.name, p.about, p.talk_about, p.fields, p.languages"
_QUERIES = ", ".join(
    f"plainto_tsquery('{config}', written) AS {name}"
    for name, config in (
        *((f"as_{language}", config) for language, config in CONFIGS.items()),
        ("plain", "simple"),
    )
)
_FEW = f"""
    SELECT open.person FROM consent open WHERE open.hub = :hub AND open.withdrawn_at IS NULL LIMIT {FEW}
"""  # noqa: S608  # constants
"""Everybody of a hub of few: each is looked at."""

_WRITTEN = " UNION ALL ".join(
    f"SELECT w.number, x.person FROM w JOIN {table} x ON {fits}"  # noqa: S608  # constants
    for table in ("profile", "statement")
    for fits in (
        *(
            f"'{language}' = ANY(w.languages) AND x.said_{language} @@ w.as_{language}"
            for language in CONFIGS
        ),
        "x.said_sv @@ w.plain",
        "w.inside AND x.said LIKE w.within",
        # Weighing how alike words are takes long where many have it: of many it is asked only if nobody writes it so.
        "w.inside AND w.unwritten AND w.written <% x.said",
    )
)
_MANY = f"""
    SELECT hit.person FROM (
        WITH w AS MATERIALIZED (
            SELECT w.*, NOT EXISTS (SELECT 1 FROM profile x WHERE x.said LIKE w.within)
                        AND NOT EXISTS (SELECT 1 FROM statement x WHERE x.said LIKE w.within) AS unwritten FROM w
        )
        {_WRITTEN}
        UNION ALL SELECT c.number, s.person FROM called c JOIN statement s ON s.concept = c.concept
    ) hit
    JOIN consent open ON open.person = hit.person AND open.hub = :hub AND open.withdrawn_at IS NULL
    GROUP BY hit.person HAVING count(DISTINCT hit.number) = cardinality(CAST(:written AS text[]))
    ORDER BY md5(hit.person::text) LIMIT {MOST}
"""  # noqa: S608  # constants
"""Of a hub of many, those whom an index finds for each of the words in any way that counts, in the order of places."""


# Each step is made once, whatever the planner thinks of the tables' sizes: looked up anew for each member, the labels took
# seconds. Everybody's best fit for each word, in what they say of themselves, in their own words for an offer or a need, or in
# what the skill is called in any language. Who lacks one of the words is left out. The order within a rank means nothing, on
# purpose.
def _search(candidates: str) -> TextClause:
    return text(f"""
    WITH w AS MATERIALIZED (
        SELECT number, written, folded, inside, CAST(:languages AS text[]) AS languages, {_QUERIES},
               '%' || replace(written, '_', '\\_') || '%' AS within
        FROM unnest(CAST(:written AS text[]), CAST(:folded AS text[]), CAST(:insides AS boolean[]))
             WITH ORDINALITY w (written, folded, inside, number)
    ), called AS MATERIALIZED (
        SELECT w.number, l.concept,
               max(CASE WHEN l.folded = w.folded THEN 3 WHEN l.folded LIKE w.pattern THEN 2 ELSE 1 END) AS fit
        FROM (SELECT number, folded, CASE WHEN inside THEN '%' || folded || '%' ELSE folded END AS pattern,
                     CASE WHEN inside THEN folded END AS alike FROM w) w
        JOIN label l ON l.folded LIKE w.pattern OR w.alike <% l.folded
        GROUP BY w.number, l.concept
    ), candidate AS MATERIALIZED (
        {candidates}
    ), there AS MATERIALIZED (
        SELECT {_SHOWN}, p.said, p.said_sv, p.said_da, p.said_en
        FROM candidate JOIN profile p ON p.person = candidate.person
        WHERE NOT p.paused AND {may_see("p", ":viewer", hub=":hub")}
    ), fits AS MATERIALIZED (
        SELECT t.person, w.number, greatest({_rank("t")}, coalesce((
            SELECT max(greatest({_rank("s")}, coalesce(c.fit, 0)))
            FROM statement s LEFT JOIN called c ON c.number = w.number AND c.concept = s.concept
            WHERE s.person = t.person AND {holds()}), 0)) AS fit
        FROM there t CROSS JOIN w
    ), ranked AS (
        SELECT t.*, f.rank, md5(t.person::text) AS place
        FROM there t JOIN (
            SELECT person, sum(fit)::int AS rank, min(fit) AS least FROM fits GROUP BY person
        ) f ON f.person = t.person
        WHERE f.least > 0
    )
    SELECT * FROM ranked
    WHERE CAST(:after AS uuid) IS NULL
       OR (-rank, place) > (-CAST(:after_rank AS int), md5(CAST(:after AS uuid)::text))
    ORDER BY rank DESC, place LIMIT :limit
""")  # noqa: S608  # constants


_SEARCH, _SEARCH_MANY = _search(_FEW), _search(_MANY)
# Without words everybody fits alike: their places are read from an index, as many as a page takes.
_LIST = text(f"""
    SELECT {_SHOWN}, 0 AS rank FROM consent open JOIN profile p ON p.person = open.person
    WHERE open.hub = :hub AND open.withdrawn_at IS NULL AND NOT p.paused AND {may_see("p", ":viewer", hub=":hub")}
      AND md5(open.person::text) > coalesce(md5(CAST(:after AS uuid)::text), '')
    ORDER BY md5(open.person::text) LIMIT :limit
""")  # noqa: S608  # constants
_OPEN = text(f"""
    SELECT count(*) FROM (
        SELECT 1 FROM consent open WHERE open.hub = :hub AND open.withdrawn_at IS NULL LIMIT {FEW + 1}
    ) there
""")  # noqa: S608  # constants
# What `<%` takes for alike, for this transaction.
_AS_ALIKE = text(f"SELECT set_config('pg_trgm.word_similarity_threshold', '{ALIKE}', true)")  # constant
_STATEMENTS = text(f"""
    SELECT s.person, s.side, s.concept, {label_of("s.concept")} AS label, s.level, s.words, s.until
    FROM statement s WHERE s.person = ANY(:people) AND {holds()} ORDER BY s.person, s.side, label, s.concept
""")  # noqa: S608  # constants
# Only where both have said yes; that each may see the other now has been asked for all of them.
_INTRODUCED = text("""
    SELECT CASE WHEN one = :viewer THEN other ELSE one END AS person FROM introduction
    WHERE status = ANY(:named) AND ((one = :viewer AND other = ANY(:people)) OR (other = :viewer AND one = ANY(:people)))
""")

_CURSOR = re.compile(r"([0-9]{1,3})_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.ASCII)
"""The rank of the last one shown, and by which id the reader knows them."""


async def search_members(
    session: AsyncSession, request: SearchMembers, viewer: UUID, *, today: date
) -> MemberPage:
    """A page of the hub's members whom the viewer may be shown and who fit all words of the text."""
    handles = await handles_for(session, viewer)
    wanted = words(request.text)
    rank, after = _after(request.cursor, handles)
    asked = {
        "hub": request.hub,
        "viewer": viewer,
        "today": today,
        "written": [word.written for word in wanted],
        "folded": [word.folded for word in wanted],
        "insides": [word.inside for word in wanted],
        "languages": languages(request.language),
        "after": after,
        "after_rank": rank,
        "limit": request.limit + 1,
    }
    rows = await _found(session, asked)
    shown = rows[: request.limit]
    cursor = None
    if len(rows) > request.limit:
        cursor = f"{shown[-1].rank}_{handles.of(shown[-1].person)}"
    return MemberPage(
        items=tuple(await _views(session, shown, viewer, handles, request.shown_in, today)), cursor=cursor
    )


async def _found(session: AsyncSession, asked: dict[str, Any]) -> Sequence[Row[Any]]:
    """The next of them, one more than the page takes."""
    if not asked["written"]:
        listed = {name: asked[name] for name in ("hub", "viewer", "after", "limit")}
        return (await session.execute(_LIST, listed)).all()
    many = (await session.execute(_OPEN, {"hub": asked["hub"]})).scalar_one() > FEW
    await session.execute(_AS_ALIKE)
    return (await session.execute(_SEARCH_MANY if many else _SEARCH, asked)).all()


async def _views(
    session: AsyncSession,
    rows: Sequence[Row[Any]],
    viewer: UUID,
    handles: Handles,
    language: str | None,
    today: date,
) -> list[MemberView]:
    people = [row.person for row in rows]
    asked = {"people": people, "language": language, "today": today}
    said: dict[tuple[UUID, str], list[StatementView]] = defaultdict(list)
    for one in (await session.execute(_STATEMENTS, asked)).all():
        said[one.person, one.side].append(StatementView.model_validate(one, from_attributes=True))
    known = {"viewer": viewer, "people": people, "named": sorted(NAMED)}
    met = set((await session.execute(_INTRODUCED, known)).scalars())
    return [
        MemberView(
            match=handles.of(row.person),
            kind=row.owner_kind,
            named=row.person in met or row.owner_kind == OwnerKind.ORGANISATION,
            person=(row.kept_by or row.person) if row.person in met else None,
            name=row.name,
            about=row.about,
            talk_about=tuple(row.talk_about),
            fields=tuple(row.fields),
            languages=tuple(row.languages),
            offers=tuple(said[row.person, Side.OFFER]),
            needs=tuple(said[row.person, Side.NEED]),
        )
        for row in rows
    ]


def _after(cursor: str | None, handles: Handles) -> tuple[int, UUID | None]:
    if cursor is None:
        return 0, None
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise Invalid("This cursor is not one of ours; start again without it.", field="cursor")
    return int(found[1]), handles.person(UUID(found[2]))
