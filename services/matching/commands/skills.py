"""Changing the vocabulary: ours at the start, an imported one in parts; what is the same already is not written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.queries.skills import ESCO
from services.matching.rules.folding import fold
from services.matching.rules.vocabulary import LANGUAGES, Concept
from shared.contracts.base import EVERYWHERE
from shared.contracts.matching.facts import ConceptsChangedV1
from shared.contracts.matching.skills import (
    ImportCount,
    ImportedSkill,
    ImportEnded,
    ImportSkills,
    LinkSkills,
    SkillKind,
    SkillOrigin,
)
from shared.kit.ids import Ids
from shared.kit.outbox import emit

_ALONE = text("SELECT pg_advisory_xact_lock(hashtextextended('foci matching vocabulary', 0))")
_GIVEN = (
    "jsonb_to_recordset(CAST(:given AS jsonb)) AS given(id text, kind text, field text, exact_match text)"
)
_WANTED = "jsonb_to_recordset(CAST(:wanted AS jsonb)) AS w(concept text, kind text, label text, folded text)"
_LINKS = "jsonb_to_recordset(CAST(:wanted AS jsonb)) AS w(concept text, kind text, other text)"

# Whether somebody has reviewed it, and which imported concept it was found to equal, are not the file's to say.
_CONCEPTS = text(f"""
    INSERT INTO concept AS c (id, origin, kind, field, exact_match)
    SELECT id, :origin, kind, field, exact_match FROM {_GIVEN}
    ON CONFLICT (id) DO UPDATE
    SET kind = excluded.kind, field = excluded.field, active = true,
        exact_match = coalesce(excluded.exact_match, c.exact_match)
    WHERE (c.kind, c.field, c.active) IS DISTINCT FROM (excluded.kind, excluded.field, true)
       OR (excluded.exact_match IS NOT NULL AND c.exact_match IS DISTINCT FROM excluded.exact_match)
    RETURNING c.id, (c.xmax = 0) AS added
""")  # noqa: S608  # made of the constants above
_OLD_LABELS = text(f"""
    DELETE FROM label l WHERE l.concept = ANY(:concepts) AND l.language = :language
    AND NOT EXISTS (SELECT 1 FROM {_WANTED}
                    WHERE (w.concept, w.kind, w.folded, w.label) = (l.concept, l.kind, l.folded, l.label))
    RETURNING l.concept
""")  # noqa: S608  # as above
_NEW_LABELS = text(f"""
    INSERT INTO label (concept, language, kind, label, folded)
    SELECT concept, :language, kind, label, folded FROM {_WANTED}
    ON CONFLICT (concept, language, kind, folded) DO NOTHING RETURNING concept
""")  # noqa: S608  # as above
_OLD_LINKS = text(f"""
    DELETE FROM relation r USING concept o WHERE r.concept = ANY(:concepts) AND o.id = r.other AND o.origin = :origin
    AND NOT EXISTS (SELECT 1 FROM {_LINKS} WHERE (w.concept, w.kind, w.other) = (r.concept, r.kind, r.other))
    RETURNING r.concept
""")  # noqa: S608  # as above
_NEW_LINKS = text(f"""
    INSERT INTO relation (concept, kind, other)
    SELECT w.concept, w.kind, w.other FROM {_LINKS} JOIN concept o ON o.id = w.other JOIN concept c ON c.id = w.concept
    ON CONFLICT DO NOTHING RETURNING concept
""")  # noqa: S608  # as above
_RETIRE = text("""
    UPDATE concept SET active = false
    WHERE origin = :origin AND active AND id COLLATE "C" > :after
      AND (CAST(:until AS text) IS NULL OR id COLLATE "C" <= :until) AND id <> ALL(:concepts)
    RETURNING id
""")
_CHANGED = text("""
    INSERT INTO vocabulary (one, changed) VALUES (true, true) ON CONFLICT (one) DO UPDATE SET changed = true
""")
_NEXT = text("UPDATE vocabulary SET version = version + 1, changed = false WHERE changed RETURNING version")
_VERSION = text("SELECT coalesce(max(version), 0) FROM vocabulary")
# The same name in two languages is no accident; in one it may be: "design" is much in Swedish and less in English.
_SAME = text(f"""
    UPDATE concept c SET exact_match = '{ESCO}' || substr(found.theirs, 6)
    FROM (
        SELECT DISTINCT ON (o.id) o.id AS ours, e.id AS theirs
        FROM concept o JOIN label a ON a.concept = o.id AND a.kind = 'preferred'
        JOIN label b ON b.language = a.language AND b.folded = a.folded AND b.kind = 'preferred'
        JOIN concept e ON e.id = b.concept AND e.origin = 'esco' AND e.active
        WHERE o.origin = 'foci' AND o.active
        GROUP BY o.id, e.id HAVING count(*) >= 2 ORDER BY o.id, count(*) DESC, e.id
    ) found
    WHERE c.id = found.ours AND c.exact_match IS NULL
    RETURNING c.id
""")  # noqa: S608  # as above
_MATCHED = text("SELECT count(*) FROM concept WHERE origin = 'foci' AND exact_match IS NOT NULL")


async def seed(session: AsyncSession, concepts: Sequence[Concept], *, now: datetime, ids: Ids) -> bool:
    """Make our own vocabulary what the release says; whether anything was other."""
    await session.execute(_ALONE)
    before = bool((await session.execute(text("SELECT bool_or(changed) FROM vocabulary"))).scalar_one())
    given = [
        {
            "id": one.id,
            "kind": SkillKind.SKILL.value,
            "field": one.field,
            "exact_match": one.exact_match,
        }
        for one in concepts
    ]
    touched = set(await _concepts(session, SkillOrigin.FOCI, given))
    for language in LANGUAGES:
        wanted = [
            row
            for one in concepts
            for row in _labels(one.id, one.preferred[language], one.others[language], ())
        ]
        touched |= await _name(session, language, [one.id for one in concepts], wanted)
    touched |= await _join(session, SkillOrigin.FOCI, [one.id for one in concepts], _neighbours(concepts))
    touched |= await _retire(session, SkillOrigin.FOCI, "", None, [one.id for one in concepts])
    if touched:
        await session.execute(_CHANGED)
    if touched or before:
        await _tell(session, now=now, ids=ids)
    return bool(touched)


async def take_in(session: AsyncSession, request: ImportSkills) -> ImportCount:
    """Concepts with their labels in one language, as somebody else's vocabulary has them."""
    await session.execute(_ALONE)
    given = [{"id": one.concept, "kind": one.kind.value, "field": "esco"} for one in request.items]
    concepts = await _concepts(session, SkillOrigin.ESCO, given)
    added = {concept for concept, new in concepts.items() if new}
    wanted = [row for one in request.items for row in _imported(one)]
    names = await _name(session, request.language, [one.concept for one in request.items], wanted)
    return await _counted(session, len(request.items), added, set(concepts) | names)


async def link(session: AsyncSession, request: LinkSkills) -> ImportCount:
    """Their neighbours; imported concepts in the same range that are not named are retired."""
    await session.execute(_ALONE)
    concepts = [one.concept for one in request.items]
    wanted = [
        {"concept": one.concept, "kind": kind, "other": other}
        for one in request.items
        for kind, others in (("broader", one.broader), ("related", one.related))
        for other in others
        if other != one.concept
    ]
    touched = await _join(session, SkillOrigin.ESCO, concepts, wanted)
    retired = await _retire(session, SkillOrigin.ESCO, request.after, request.until, concepts)
    counted = await _counted(session, len(concepts), set(), touched | retired)
    return counted.model_copy(update={"changed": len(touched), "retired": len(retired)})


async def end_import(session: AsyncSession, *, now: datetime, ids: Ids) -> ImportEnded:
    """Find which of ours are the same as theirs, and tell everybody if anything is other than it was."""
    await session.execute(_ALONE)
    if (await session.execute(_SAME)).all():
        await session.execute(_CHANGED)
    version = await _tell(session, now=now, ids=ids)
    matched = (await session.execute(_MATCHED)).scalar_one()
    return ImportEnded(vocabulary=version, matched=matched)


async def _tell(session: AsyncSession, *, now: datetime, ids: Ids) -> int:
    """State that the vocabulary is another one, unless it is not; its version."""
    version = (await session.execute(_NEXT)).scalar_one_or_none()
    if version is None:
        same: int = (await session.execute(_VERSION)).scalar_one()
        return same
    fact = ConceptsChangedV1(
        id=ids(),
        hub=EVERYWHERE,
        occurred_at=now,
        subject="vocabulary",
        subject_version=version,
        vocabulary=version,
    )
    await emit(session, fact)
    return int(version)


async def _counted(session: AsyncSession, given: int, added: set[str], touched: set[str]) -> ImportCount:
    if touched:
        await session.execute(_CHANGED)
    changed = len(touched - added)
    return ImportCount(added=len(added), changed=changed, same=given - len(added) - changed)


async def _concepts(
    session: AsyncSession, origin: SkillOrigin, given: Sequence[Mapping[str, Any]]
) -> dict[str, bool]:
    """Those that were written, with whether they are new."""
    asked = {"given": orjson.dumps(given).decode(), "origin": origin.value}
    return {row.id: row.added for row in await session.execute(_CONCEPTS, asked)}


async def _name(
    session: AsyncSession, language: str, concepts: Sequence[str], wanted: Sequence[Mapping[str, str]]
) -> set[str]:
    asked = {
        "concepts": list(concepts),
        "language": language,
        "wanted": orjson.dumps(wanted).decode(),
    }
    old = {row.concept for row in await session.execute(_OLD_LABELS, asked)}
    asked.pop("concepts")
    return old | {row.concept for row in await session.execute(_NEW_LABELS, asked)}


async def _join(
    session: AsyncSession, origin: SkillOrigin, concepts: Sequence[str], wanted: Sequence[Mapping[str, str]]
) -> set[str]:
    asked = {"concepts": list(concepts), "wanted": orjson.dumps(wanted).decode(), "origin": origin.value}
    old = {row.concept for row in await session.execute(_OLD_LINKS, asked)}
    new = await session.execute(_NEW_LINKS, {"wanted": asked["wanted"]})
    return old | {row.concept for row in new}


async def _retire(
    session: AsyncSession, origin: SkillOrigin, after: str, until: str | None, concepts: Sequence[str]
) -> set[str]:
    asked = {"origin": origin.value, "after": after, "until": until, "concepts": list(concepts)}
    return {row.id for row in await session.execute(_RETIRE, asked)}


def _imported(one: ImportedSkill) -> list[dict[str, str]]:
    return _labels(one.concept, one.preferred, one.alternatives, one.hidden)


def _labels(
    concept: str, preferred: str, alternatives: Iterable[str], hidden: Iterable[str]
) -> list[dict[str, str]]:
    """Each name once, as the best of what it is; a name without a letter names nothing."""
    kinds = [("preferred", preferred)]
    kinds += [("alternative", label) for label in alternatives] + [("hidden", label) for label in hidden]
    found: dict[str, dict[str, str]] = {}
    for kind, label in kinds:
        folded = fold(label)
        if folded or kind == "preferred":
            found.setdefault(folded, {"concept": concept, "kind": kind, "label": label, "folded": folded})
    return list(found.values())


def _neighbours(concepts: Sequence[Concept]) -> list[dict[str, str]]:
    links = [("broader", one.id, other) for one in concepts for other in one.broader]
    links += [("related", one.id, other) for one in concepts for other in one.related]
    links += [("related", other, one.id) for one in concepts for other in one.related]
    return [{"concept": one, "kind": kind, "other": other} for kind, one, other in dict.fromkeys(links)]
