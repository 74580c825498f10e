"""The index answers what a look at everybody would, after anything that may happen to it."""

from __future__ import annotations

import random
from collections.abc import Sequence
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.index import index as indexing
from services.matching.index.index import Index
from services.matching.rules.lessons import Lesson, learned
from services.matching.rules.ranking import (
    LOTS,
    POOL,
    Card,
    Context,
    Known,
    Near,
    Place,
    compare,
    lot,
    near,
    weight,
)

CONCEPTS = ("baking", "bread", "cakes", "craft", "law", "letters", "pr", "web")
RELATIONS = (
    ("bread", "broader", "baking"), ("cakes", "broader", "baking"), ("bread", "related", "cakes"),
    ("baking", "broader", "craft"), ("letters", "related", "pr"), ("law", "related", "letters"),
    ("baking", "related", "craft"),
)  # fmt: skip
PLACES = {
    "harbour": Place("Alvhamn", "west"),
    "library": Place("Alvhamn", "west"),
    "mill": Place("Bruket", "west"),
    "yard": Place("Ostby", "east"),
    "online": Place(None, None),
}
HUBS = (*PLACES, "unheard-of")
PEOPLE = tuple(UUID(int=(n << 100) + n, version=4) for n in range(1, 13))


def _some(chance: random.Random, names: Sequence[str], most: int) -> tuple[str, ...]:
    return tuple(sorted(chance.sample(names, chance.randint(0, most))))


def card(chance: random.Random) -> Card:
    """Anybody, saying anything."""
    belongs = _some(chance, HUBS, 2)
    offers, needs = (
        tuple((one, chance.randint(1, 3)) for one in _some(chance, CONCEPTS, 4)) for _ in range(2)
    )
    return Card(
        person=chance.choice(PEOPLE),
        belongs=belongs,
        found_at=tuple(hub for hub in belongs if chance.random() < 0.8),
        opened=chance.random() < 0.5,
        languages=_some(chance, ("sv", "da", "en"), 2),
        offers=offers,
        needs=needs,
    )


def context(chance: random.Random) -> Context:
    """Anything that may have been between two people."""
    past = {one: chance.choice((0, 10, 55, 100)) for one in chance.sample(PEOPLE, chance.randint(0, 4))}
    return Context(past, chance.choice((None, None, *HUBS)), chance.randrange(LOTS))


def brute_force(
    cards: dict[UUID, Card], known_near: Near, places: dict[str, Place], reader: Card, context: Context
) -> list[tuple[UUID, int]]:
    """Everybody compared with the reader, best first, equals by lot."""
    found = [one for one in cards.values() if one.found_at]
    named: dict[str, int] = {}
    for one in found:
        for concept, _ in (*one.offers, *one.needs):
            named[concept] = named.get(concept, 0) + 1
    known = Known(known_near, lambda concept: weight(len(found), named.get(concept, 0)), places)
    scores = [(one.person, compare(reader, one, known, context).score) for one in found]
    return sorted((one for one in scores if one[1]), key=lambda one: (-one[1], lot(one[0], context.turn)))


@pytest.fixture
def _as_if_large(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sweep soon, add up both ways, and look at few before it is certain that they are the best."""
    monkeypatch.setattr(indexing, "LEAST_DEAD", 2)
    monkeypatch.setattr(indexing, "ENOUGH", 0)
    monkeypatch.setattr(indexing, "DENSE", 2)
    monkeypatch.setattr(indexing, "SWEPT_AT_ONCE", 200)


@pytest.mark.usefixtures("_as_if_large")
@settings(max_examples=250, deadline=None)
@given(seed=st.integers(0, 1 << 32), at_first=st.integers(0, 12), changes=st.integers(0, 30))
def test_the_index_finds_what_brute_force_finds_after_any_changes(
    seed: int, at_first: int, changes: int
) -> None:
    chance = random.Random(seed)
    cards = {one.person: one for one in (card(chance) for _ in range(at_first))}
    index, places, taught = Index(near(RELATIONS), PLACES), dict(PLACES), near(RELATIONS)
    index.build(cards.values())
    for _ in range(changes):
        if chance.random() < 0.3:
            gone = chance.choice(PEOPLE)
            index.remove(gone)
            cards.pop(gone, None)
        elif chance.random() < 0.1:
            hub = chance.choice(HUBS)
            places[hub] = chance.choice(tuple(PLACES.values()))
            index.place(hub, places[hub])
        elif chance.random() < 0.1:
            lessons = [Lesson("law", "letters", 30, chance.randint(0, 30)), Lesson("pr", "pr", 9, 9)]
            taught = learned(near(RELATIONS), [*lessons, Lesson("pr", "letters", 40, 9)])
            index.learn(taught)
        else:
            changed = card(chance)
            index.replace(changed)
            cards[changed.person] = changed
    for _ in range(3):
        reader, k, about = card(chance), chance.randint(1, 8), context(chance)
        expected = brute_force(cards, taught, places, reader, about)
        assert index.top(reader, k, about) == expected[:k]
        best, drawn = index.pool(reader, about)
        assert best == expected[:POOL]
        # All there are, when there are no more than are drawn; the lowest lots first.
        assert drawn == sorted(expected, key=lambda one: lot(one[0], about.turn))
