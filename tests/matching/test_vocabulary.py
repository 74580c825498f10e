"""The vocabulary that comes with Foci: its shape, and that bringing it in again changes nothing."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

import pytest
from sqlalchemy import text

from services.matching.commands import skills
from services.matching.rules.folding import kept
from services.matching.rules.vocabulary import FOLDER, LANGUAGES, Concept, ours
from shared.contracts.base import SLUG_PATTERN
from shared.contracts.matching.facts import ConceptsChangedV1
from tests.matching.world import World

VOCABULARY = ours()
BY_ID = {one.id: one for one in VOCABULARY}


async def bring_in(world: World, concepts: tuple[Concept, ...] = VOCABULARY) -> bool:
    """The vocabulary as a start of the service brings it in."""
    async with world.database.transaction() as session:
        return await skills.seed(session, concepts, now=world.now, ids=world.ids)


def ways_up(concept: str, way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Every way from a concept to broader ones, up to the first that comes twice."""
    way = (*way, concept)
    if concept in way[:-1] or not BY_ID[concept].broader:
        yield way
        return
    for broader in BY_ID[concept].broader:
        yield from ways_up(broader, way)


def test_there_are_many_concepts_in_many_fields_none_of_them_reviewed() -> None:
    assert len(VOCABULARY) >= 390
    assert len(BY_ID) == len(VOCABULARY)
    fields = Counter(one.field for one in VOCABULARY)
    assert len(fields) >= 16
    assert min(fields.values()) >= 10
    labels = [label for one in VOCABULARY for language in LANGUAGES for label in one.others[language]]
    assert len(labels) >= 2400


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_concept_has_a_name_that_no_other_has(language: str) -> None:
    names = Counter(kept(one.preferred[language]) for one in VOCABULARY)
    assert "" not in names
    assert names.most_common(1)[0][1] == 1
    others = Counter(kept(label) for one in VOCABULARY for label in one.others[language])
    shared = {
        label
        for one in VOCABULARY
        for label in one.others[language]
        if names[kept(label)] and kept(label) != kept(one.preferred[language])
    }
    assert not shared, "another concept is called that"
    assert not [label for label, times in others.items() if times > 1 and label in names]


def test_every_label_is_a_line_people_can_read() -> None:
    for file in FOLDER.glob("*.csv"):
        with file.open(encoding="utf-8", newline="") as opened:
            for row in csv.reader(opened):
                assert all(cell == cell.strip() and cell.isprintable() and len(cell) <= 200 for cell in row)
                assert all(part for cell in row for part in cell.split("|") if "|" in cell), row
    assert all(re.fullmatch(SLUG_PATTERN, one.id) for one in VOCABULARY)


def test_neighbours_exist_and_nothing_is_broader_than_itself() -> None:
    for one in VOCABULARY:
        assert {*one.broader, *one.related} <= set(BY_ID) - {one.id}, one.id
        assert not set(one.broader) & set(one.related), one.id
        for way in ways_up(one.id):
            assert all(low != high for low, high in pairwise(way))
            assert len(set(way)) == len(way), f"a circle: {' → '.join(way)}"
            assert not {*one.related} & {*way[1:]}, f"{one.id} is related to what is broader than it"


async def test_it_is_brought_in_once_and_told_once(empty: World) -> None:
    assert await bring_in(empty)
    before = await empty.rows("SELECT xmin::text, * FROM label ORDER BY concept, language, kind, folded")
    assert not await bring_in(empty)
    assert (
        await empty.rows("SELECT xmin::text, * FROM label ORDER BY concept, language, kind, folded") == before
    )
    (fact,) = await empty.facts(ConceptsChangedV1)
    assert isinstance(fact, ConceptsChangedV1)
    assert (fact.subject, fact.subject_version, fact.vocabulary) == ("vocabulary", 1, 1)
    (row,) = await empty.rows(
        "SELECT count(*) AS concepts, count(*) FILTER (WHERE reviewed) AS seen FROM concept"
    )
    assert (row.concepts, row.seen) == (len(VOCABULARY), 0)
    (relations,) = await empty.rows("SELECT count(*) AS found FROM relation WHERE kind = 'related'")
    assert relations.found % 2 == 0, "who is related to another has the other related to them"


async def test_another_release_changes_what_is_other_and_retires_what_is_gone(empty: World) -> None:
    await bring_in(empty)
    welding, *rest = [BY_ID["welding"], *(one for one in VOCABULARY if one.id not in ("welding", "yoga"))]
    renamed = Concept(**{**vars(welding), "preferred": {**welding.preferred, "da": "svejsearbejde"}})
    assert await bring_in(empty, (renamed, *rest))
    rows = await empty.rows(
        "SELECT language, label FROM label WHERE concept = 'welding' AND kind = 'preferred'"
    )
    assert {row.language: row.label for row in rows} == renamed.preferred
    gone = await empty.rows("SELECT id FROM concept WHERE NOT active")
    assert [row.id for row in gone] == ["yoga"], "kept, as somebody may offer it, but found no more"
    assert [fact.subject_version for fact in await empty.facts(ConceptsChangedV1)] == [1, 2]
    await bring_in(empty)
    assert not await empty.rows("SELECT id FROM concept WHERE NOT active")


async def test_what_a_person_has_reviewed_stays_so(empty: World) -> None:
    await bring_in(empty)
    async with empty.database.transaction() as session:
        await session.execute(text("UPDATE concept SET reviewed = true WHERE id = 'welding'"))
    await bring_in(empty)
    (row,) = await empty.rows("SELECT reviewed FROM concept WHERE id = 'welding'")
    assert row.reviewed
