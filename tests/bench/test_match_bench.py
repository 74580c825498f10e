"""The bench of matching at small size: the three ways agree, and the ranking beats tags where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from services.matching.index.index import Index
from services.matching.rules.ranking import Context
from tests.bench.match_exposure import Crowd, spread
from tests.bench.match_index import TOP, Size, Town, _brute_force, _readers, measure
from tests.bench.match_join import Join
from tests.bench.match_quality import LEARNED, compare, gini
from tests.bench.pages_matching import LEAST_RATIO, matches_section
from tests.matching.planted import TUNING, Plan, make


def test_a_plan_makes_the_same_world_again_and_another_seed_another() -> None:
    plan = Plan(TUNING, members=40, hubs=4)
    one, again, other = make(plan), make(plan), make(Plan(TUNING + 1, members=40, hubs=4))
    assert one.members == again.members
    assert (one.useful == again.useful).all()
    assert one.members != other.members
    assert not one.successes()[~one.visible].any()


def test_index_join_and_brute_force_give_the_same_answers(postgres: str) -> None:
    town = Town(1000)
    readers = _readers(town, 3)
    index, join = Index(town.near, town.places), Join(postgres)
    index.build(town.cards())
    try:
        join.fill(town.cards(), town.near, town.places)
        _, looked = _brute_force(town, readers, join.weights())
        for reader, best in zip(readers, looked, strict=True):
            assert index.top(reader, TOP, Context()) == join.top(reader, TOP)[1] == best
            assert len(best) == TOP
    finally:
        join.close()


def test_matches_succeed_more_often_than_tags_and_those_than_chance() -> None:
    worlds = [compare(Plan(TUNING, members=250, hubs=8), weeks=1)]
    found = {name: one.success for name, one in worlds[0].items()}
    assert found["Foci"] >= LEAST_RATIO * found["tags as typed"]
    assert found["tags as concepts"] >= found["tags as typed"] > found["random"]
    assert worlds[0][LEARNED].precision > 0
    crowd = spread(Crowd(200, 2, weeks=2))
    assert (crowd.never, crowd.gini < 0.4) == (0, True)
    assert "| Foci" in matches_section(worlds, [crowd]).markdown()


def test_the_index_is_measured_in_a_process_of_its_own() -> None:
    found = measure(Size(people=500, questions=10, compared=0, changes=50), None, lambda _: None)
    assert (len(found.top_s), len(found.change_s)) == (10, 50)
    assert found.resident_mb > found.empty_mb > 0


def test_gini_is_nothing_when_all_are_alike_and_near_one_when_one_has_all() -> None:
    assert gini(np.ones(10)) == pytest.approx(0)
    assert gini(np.array([0.0] * 99 + [5.0])) == pytest.approx(0.99)
    assert gini(np.zeros(3)) == 0
