"""Reading the vocabulary: what somebody's words mean, and one concept with its names and neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.index.vocabulary import Vocabulary
from services.matching.queries.labels import label_of
from services.matching.rules.finding import Match, Wording, answer, by_letters, combined
from shared.contracts.matching.skills import (
    FindSkills,
    GetSkill,
    SkillDetail,
    SkillLabels,
    SkillRef,
    SkillsFound,
    SkillView,
)
from shared.kit.errors import NotFound

# ruff: noqa: S608  # the statements are put together from constants
ESCO = "http://data.europa.eu/esco/skill/"
"""What a concept's UUID is appended to, to make its URI in the European classification."""
_SHOWN_AT_MOST = 40
"""Concepts that are looked at beyond their likelihood: more than anybody asks for, even when some are retired."""

# Of an imported concept and one of ours that are the same, ours is shown.
_SHOWN = text(f"""
    SELECT c.id, s.id AS shown, s.field, {label_of("s.id")} AS label
    FROM concept c
    LEFT JOIN concept o ON c.origin = 'esco' AND o.exact_match = '{ESCO}' || substr(c.id, 6) AND o.active
    JOIN concept s ON s.id = coalesce(o.id, c.id)
    WHERE c.id = ANY(:concepts) AND c.active
""")


def _refs(source: str, column: str, where: str) -> str:
    ref = f"jsonb_build_object('id', r.{column}, 'label', {label_of(f'r.{column}')})"
    return f"""(
        SELECT coalesce(jsonb_agg({ref} ORDER BY r.{column}), '[]')
        FROM relation r JOIN concept n ON n.id = r.{column} AND n.active WHERE {where}) AS {source}"""


_CONCEPT = text(f"""
    SELECT c.id, c.origin, c.kind, c.field, c.reviewed, c.exact_match, {label_of("c.id")} AS label,
           (SELECT coalesce(jsonb_agg(to_jsonb(named) ORDER BY named.language), '[]') FROM (
               SELECT l.language, max(l.label) FILTER (WHERE l.kind = 'preferred') AS preferred,
                      coalesce(array_agg(l.label ORDER BY l.label) FILTER (WHERE l.kind = 'alternative'), '{{}}')
                          AS alternatives
               FROM label l WHERE l.concept = c.id GROUP BY l.language) named) AS labels,
           {_refs("broader", "other", "r.concept = c.id AND r.kind = 'broader'")},
           {_refs("narrower", "concept", "r.other = c.id AND r.kind = 'broader'")},
           {_refs("related", "other", "r.concept = c.id AND r.kind = 'related'")}
    FROM concept c WHERE c.id = :concept
""")


async def find(session: AsyncSession, request: FindSkills, vocabulary: Vocabulary) -> SkillsFound:
    """Which concepts a text means; none where it names no skill."""
    ranked = await rank(session, request.text, vocabulary)
    shown = await _shown(session, ranked, request.language)
    found = answer(_once(ranked, shown), request.limit)
    return SkillsFound(
        items=tuple(_view(one, shown) for one in found.items),
        did_you_mean=tuple(_view(one, shown) for one in found.questions),
        by_meaning=vocabulary.knows_meaning,
    )


async def rank(session: AsyncSession, words: str, vocabulary: Vocabulary) -> list[Match]:
    """Every concept that might be meant, the likeliest first, however unlikely."""
    wording = Wording.of(words)
    if not wording.words:
        return []
    lexicon = await vocabulary.lexicon(session)
    letters = by_letters(wording, lexicon.candidates(wording))
    return combined(letters, await vocabulary.near(words, [one.concept for one in letters]))


async def _shown(session: AsyncSession, ranked: Sequence[Match], language: str | None) -> dict[str, Any]:
    ids = [one.concept for one in ranked[:_SHOWN_AT_MOST]]
    rows = (await session.execute(_SHOWN, {"concepts": ids, "language": language})).all()
    return {row.id: row for row in rows}


def _once(ranked: Sequence[Match], shown: dict[str, Any]) -> list[Match]:
    """Each concept that is shown once, by its likeliest match."""
    best: dict[str, Match] = {}
    for one in ranked:
        if one.concept in shown:
            best.setdefault(shown[one.concept].shown, one)
    return list(best.values())


def _view(one: Match, shown: dict[str, Any]) -> SkillView:
    row = shown[one.concept]
    return SkillView(
        id=row.shown,
        label=row.label,
        field=row.field,
        confidence=one.confidence,
        how=one.how,
        matched=one.label,
    )


async def get_skill(session: AsyncSession, request: GetSkill) -> SkillDetail:
    """One concept, a retired one too: somebody may still offer it."""
    asked = {"concept": request.concept, "language": request.language}
    row = (await session.execute(_CONCEPT, asked)).mappings().first()
    if row is None:
        raise NotFound(f"There is no skill {request.concept}.", field="concept")
    refs = {name: tuple(SkillRef(**one) for one in row[name]) for name in ("broader", "narrower", "related")}
    labels = tuple(SkillLabels(**one) for one in row["labels"])
    return SkillDetail(**{**row, **refs, "labels": labels})
