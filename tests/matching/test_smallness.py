"""Figures of few people: whoever sees all that is published, and knows how it is made, cannot tell what is hidden."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.rules.smallness import SMALLEST, STEP, Path, Said, Vocabulary, pooled, published

REGION = "region"
Counts = Mapping[tuple[str, str], int]
FLAT: dict[str, tuple[str, ...]] = {"photography": ()}
FAMILY: dict[str, tuple[str, ...]] = {
    "pictures": (),
    "photography": ("pictures",),
    "film": ("pictures",),
    "drawing": ("pictures",),
}


def said(counts: Counts) -> dict[tuple[str, str], Said]:
    """So many different people of each hub say each thing."""
    return {
        (hub, concept): Said(
            people, frozenset(f"{hub} {concept} {one}" for one in range(people if people < SMALLEST else 0))
        )
        for (hub, concept), people in counts.items()
        if people
    }


def table(
    counts: Counts, places: Mapping[str, Path], broader: Mapping[str, tuple[str, ...]] = FLAT
) -> dict[tuple[str, str], int]:
    """What would be published."""
    return published(said(counts), places, Vocabulary(broader))


def place(hub: str, municipality: str | None = None, region: str | None = REGION) -> dict[str, Path]:
    """A hub where it lies."""
    return {hub: (hub, municipality, region)}


TOWN = place("a", "town") | place("b", "town") | place("c", "town")
TWO_TOWNS = place("a", "north") | place("b", "north") | place("c", "south") | place("d", "south")
SCATTERED = place("a", "north") | place("b", "south") | place("c") | place("d", "east")
ALONE = place("a", None, None)


Publishing = Callable[[Counts, Mapping[str, Path], Mapping[str, tuple[str, ...]]], dict[tuple[str, str], int]]


class Attacker:
    """Knows the rule, every hub and every skill; sees what is published; thinks of all worlds that look like that."""

    def __init__(
        self,
        places: Mapping[str, Path],
        broader: Mapping[str, tuple[str, ...]],
        guesses: tuple[int, ...],
        publish: Publishing = table,
    ) -> None:
        cells = [(hub, concept) for hub in sorted(places) for concept in sorted(broader)]
        self.guesses = guesses
        self.worlds: dict[frozenset[tuple[tuple[str, str], int]], list[dict[tuple[str, str], int]]]
        self.worlds = defaultdict(list)
        for numbers in product(guesses, repeat=len(cells)):
            counts = dict(zip(cells, numbers, strict=True))
            self.worlds[frozenset(publish(counts, places, broader).items())].append(counts)

    def told(self) -> Iterator[str]:
        """Every count below five that some published table gives away."""
        small = {guess for guess in self.guesses if guess < SMALLEST}
        for seen, worlds in self.worlds.items():
            shown = {key for key, _ in seen}
            for cell in worlds[0]:
                if cell not in shown and {world[cell] for world in worlds} != small:
                    yield f"{cell} can only be {sorted({world[cell] for world in worlds})} in {sorted(seen)}"


@pytest.mark.parametrize(
    "places", [ALONE, TOWN, TWO_TOWNS, SCATTERED], ids=["alone", "town", "two", "scattered"]
)
def test_whatever_is_published_a_hidden_count_may_be_anything_below_five(places: dict[str, Path]) -> None:
    assert list(Attacker(places, FLAT, (0, 1, 2, 3, 4, 6)).told()) == []


@pytest.mark.parametrize(
    "places", [ALONE, place("a", "north") | place("b", "south")], ids=["one hub", "two hubs"]
)
def test_neither_do_broader_skills_give_their_narrower_ones_away(places: dict[str, Path]) -> None:
    guesses = (0, 1, 2, 3, 4, 6) if len(places) == 1 else (0, 2, 4)
    assert list(Attacker(places, FAMILY, guesses).told()) == []


def hidden_one_by_one(
    counts: Counts, places: Mapping[str, Path], broader: Mapping[str, tuple[str, ...]]
) -> dict[tuple[str, str], int]:
    """As others do it: each figure by itself, hidden while it is small."""
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for (hub, concept), people in counts.items():
        for area in places[hub]:
            for one in (concept, *broader[concept]):
                if area is not None:
                    sums[area, one] += people
    return {key: people for key, people in sums.items() if people >= SMALLEST}


@pytest.mark.parametrize(("places", "broader"), [(TOWN, FLAT), (ALONE, FAMILY)], ids=["areas", "skills"])
def test_the_attacker_gets_what_is_only_hidden_one_by_one(
    places: dict[str, Path], broader: dict[str, tuple[str, ...]]
) -> None:
    told = list(Attacker(places, broader, (0, 1, 4, 6), hidden_one_by_one).told())
    assert any("can only be [1]" in one for one in told)


@st.composite
def layouts(draw: st.DrawFn) -> tuple[dict[str, Path], dict[str, tuple[str, ...]]]:
    """A few hubs somewhere and a few skills below each other."""
    hubs = draw(st.integers(1, 3))
    places: dict[str, Path] = {}
    for hub in "abc"[:hubs]:
        places |= place(hub, draw(st.sampled_from([None, "north", "south"])))
    concepts = ("trade", "craft", "wood", "metal")[: draw(st.integers(1, 6 // hubs))]
    broader = {
        concept: tuple(draw(st.sets(st.sampled_from(concepts[:number]), max_size=2))) if number else ()
        for number, concept in enumerate(concepts)
    }
    return places, broader


@settings(max_examples=12, deadline=None, derandomize=True)
@given(layouts())
def test_no_layout_of_hubs_and_skills_helps_the_attacker(
    layout: tuple[dict[str, Path], dict[str, tuple[str, ...]]],
) -> None:
    assert list(Attacker(*layout, (0, 3, 4, 7)).told()) == []


CELLS = [(hub, concept) for hub in sorted(TWO_TOWNS) for concept in sorted(FAMILY)]


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=len(CELLS), max_size=len(CELLS)), st.sampled_from(CELLS))
def test_one_person_more_or_less_below_the_threshold_changes_nothing_that_is_published(
    numbers: list[int], cell: tuple[str, str]
) -> None:
    before = dict(zip(CELLS, numbers, strict=True))
    after = before | {cell: before[cell] + 1}
    vocabulary = Vocabulary(FAMILY)
    with_one_more = pooled(said(after), TWO_TOWNS, vocabulary)
    if cell not in with_one_more.left:
        return  # five or more people are counted together there, and are told as such
    assert published(said(before), TWO_TOWNS, vocabulary) == published(said(after), TWO_TOWNS, vocabulary)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 7), min_size=len(CELLS), max_size=len(CELLS)), st.sampled_from(CELLS))
def test_from_month_to_month_nothing_moves_by_fewer_than_five(
    numbers: list[int], cell: tuple[str, str]
) -> None:
    before = dict(zip(CELLS, numbers, strict=True))
    months = [table(before | {cell: people}, TWO_TOWNS, FAMILY) for people in range(9)]
    for month, following in pairwise(months):
        for key in month.keys() | following.keys():
            assert (following.get(key, 0) - month.get(key, 0)) % STEP == 0


@settings(max_examples=150, deadline=None)
@given(st.lists(st.integers(0, 9), min_size=len(CELLS), max_size=len(CELLS)))
def test_every_group_is_of_five_and_a_figure_never_claims_more_than_there_is(numbers: list[int]) -> None:
    counts = dict(zip(CELLS, numbers, strict=True))
    pooling = pooled(said(counts), TWO_TOWNS, Vocabulary(FAMILY))
    assert all(group.people >= SMALLEST for group in pooling.groups)
    for (area, concept), figure in table(counts, TWO_TOWNS, FAMILY).items():
        there = sum(
            people
            for (hub, narrower), people in counts.items()
            if area in TWO_TOWNS[hub] and concept in (narrower, *FAMILY[narrower])
        )
        assert SMALLEST <= figure <= there


def test_one_person_in_many_hubs_is_one_person() -> None:
    everywhere = {(hub, "photography"): Said(1, frozenset({"ann"})) for hub in "abcdef"}
    places = {hub: (hub, "town", REGION) for hub in "abcdef"}
    assert published(everywhere, places, Vocabulary(FLAT)) == {}


def test_many_small_hubs_are_a_region_that_can_be_told() -> None:
    places = {f"hub-{number}": (f"hub-{number}", f"town-{number % 8}", REGION) for number in range(30)}
    counts = {(hub, "photography"): 3 for hub in places}
    seen = table(counts, places)
    assert seen[REGION, "photography"] >= 75
    assert not any(area.startswith("hub") for area, _ in seen)


def test_a_circle_of_broader_skills_ends() -> None:
    circle = {"hen": ("egg",), "egg": ("hen",)}
    assert table({("a", "hen"): 6, ("a", "egg"): 7}, ALONE, circle) == {("a", "hen"): 10, ("a", "egg"): 10}
