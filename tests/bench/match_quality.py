"""How good matches are where the truth is known: Foci, tag overlap and chance on the same made-up federation."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.matching.index.index import Index
from services.matching.rules import lessons, ranking
from services.matching.rules.ranking import Card, Context, Place
from shared.contracts.matching.words import IntroductionStatus
from tests.bench.report import Say
from tests.matching.planted import REPORTED, Federation, Member, Plan, World, make
from tests.world import MONDAY

SHOWN = 10
WEEKS = 12
LOOKS = 0.6
"""So many of the people look at their matches in a week."""
MEETS = {True: 0.5, False: 0.05}
"""So often a suggestion becomes a meeting, by whether it is a success in truth."""
REPEATED_WITHIN = 4
"""Weeks in which the same person again is a repeat."""

Suggest = Callable[[int, datetime], Sequence[int]]
"""Up to SHOWN numbers of members for the member with that number, at that time, best first."""


@dataclass(frozen=True)
class Weeks:
    """What came of some weeks of suggestions."""

    never: float
    """Share of the people who were suggested to nobody."""
    gini: float
    """Of how often people were suggested: 0 all alike, 1 one person always."""
    repeats: float
    """Share of suggestions of somebody suggested to the same person in the weeks before."""
    successes: float
    """Different successes per person who looked."""


@dataclass(frozen=True)
class Quality:
    """How good one way of suggesting is in one world."""

    success: float
    """Share of the people with a success among the ten suggested to them at first."""
    precision: float
    """Share of successes among those suggested."""
    weeks: Weeks


@dataclass
class Foci:
    """Suggesting as the service does it: the index, then rest; what is shown, met and said to have come of it is remembered."""

    world: Federation
    index: Index
    numbers: Mapping[UUID, int]
    shown: defaultdict[int, dict[UUID, datetime]] = field(default_factory=lambda: defaultdict(dict))
    met: defaultdict[int, dict[UUID, datetime]] = field(default_factory=lambda: defaultdict(dict))
    exposed: dict[int, tuple[float, datetime]] = field(default_factory=dict)
    said: defaultdict[tuple[str, str], dict[int, bool]] = field(default_factory=lambda: defaultdict(dict))
    """By pair of concepts, who said what: whether anything ever came of it."""

    @classmethod
    def of(cls, world: Federation) -> Foci:
        """On a world in which nobody has been shown to anybody."""
        words = world.words
        relations = [(one, "related", other) for one, other in words.related]
        relations += [(one, "broader", other) for one, other in words.broader.items()]
        places = {hub: Place(*where) for hub, where in world.hubs.items()}
        index = Index(ranking.near(relations), places)
        index.build(card(one) for one in world.members)
        return cls(world, index, {one.person: n for n, one in enumerate(world.members)})

    def suggest(self, number: int, now: datetime) -> list[int]:
        """The best, by what is remembered at that time."""
        past = {other: ranking.suggested_before(at, now) for other, at in self.shown[number].items()}
        for other, at in self.met[number].items():
            past[other] = ranking.introduced_before(IntroductionStatus.MET, at, now)
        reader = card(self.world.members[number])
        turn = ranking.turn(reader.person, now.date())
        best, drawn = map(dict, self.index.pool(reader, Context(past, turn=turn)))
        times = {one: self._times(self.numbers[one], now) for one in {*best, *drawn}}
        return [self.numbers[one] for one in ranking.chosen(best, drawn, times, SHOWN, turn)]

    def note(self, number: int, others: Sequence[int], met: Sequence[int], now: datetime) -> None:
        """These were suggested, and some of them met."""
        people = self.world.members
        for other in others:
            self.shown[number][people[other].person] = now
            self.exposed[other] = (self._times(other, now) + 1, now)
        for other in met:
            self.met[number][people[other].person] = self.met[other][people[number].person] = now

    def hear(self, number: int, other: int, *, pleased: bool) -> None:
        """Somebody says what came of meeting another."""
        one, two = (card(self.world.members[who]) for who in (number, other))
        for met in ranking.compare(one, two, self.index.known, Context()).got:
            of_pair = self.said[min(met.mine, met.theirs), max(met.mine, met.theirs)]
            of_pair[number] = pleased or of_pair.get(number, False)

    def having_learned(self) -> Foci:
        """From what was said here, with nobody shown to anybody yet."""
        again = Foci.of(self.world)
        drawn = [lessons.Lesson(*pair, len(who), sum(who.values())) for pair, who in self.said.items()]
        again.index.learn(lessons.learned(again.index.known.near, drawn))
        return again

    def _times(self, number: int, now: datetime) -> float:
        times, at = self.exposed.get(number, (0.0, now))
        return ranking.faded(times, at, now)


def card(member: Member) -> Card:
    """What ranking knows of somebody: what they wrote, never the truth."""
    return Card(
        person=member.person,
        belongs=member.hubs,
        found_at=tuple(sorted(member.hubs)),
        opened=member.federation,
        languages=member.languages,
        offers=tuple(member.offers.items()),
        needs=tuple(member.needs.items()),
    )


def by_overlap(world: World, sides: Sequence[tuple[set[str], set[str]]], chance: random.Random) -> Suggest:
    """Whoever shares most tags, what one offers with what the other needs; `sides` are offers and needs by number."""
    overlap = np.zeros(world.visible.shape)
    holders: tuple[dict[str, list[int]], dict[str, list[int]]] = ({}, {})
    for number, both in enumerate(sides):
        for of_side, some in zip(holders, both, strict=True):
            for tag in some:
                of_side.setdefault(tag, []).append(number)
    for tag in holders[0].keys() & holders[1].keys():
        overlap[np.ix_(holders[1][tag], holders[0][tag])] += 1
    overlap = overlap + overlap.T
    ties = np.random.default_rng(chance.getrandbits(32))

    def suggest(number: int, _now: datetime) -> list[int]:
        order = np.lexsort((ties.random(len(overlap)), -overlap[number]))
        return [int(one) for one in order if world.visible[number, one]][:SHOWN]

    return suggest


def by_chance(world: World, chance: random.Random) -> Suggest:
    """Anybody one may see."""
    return lambda number, _now: _few(np.flatnonzero(world.visible[number]).tolist(), chance)


def _few(some: list[int], chance: random.Random) -> list[int]:
    return chance.sample(some, min(SHOWN, len(some)))


def measure(
    world: World, suggest: Suggest, foci: Foci | None, chance: random.Random, weeks: int = WEEKS
) -> Quality:
    """At first, and over some weeks."""
    truth = world.successes()
    first = [suggest(number, MONDAY) for number in range(len(world.members))]
    hits = [truth[number, others].sum() for number, others in enumerate(first)]
    return Quality(
        success=float(np.mean([one > 0 for one in hits])),
        precision=float(sum(hits) / max(sum(map(len, first)), 1)),
        weeks=_over(world, truth, suggest, foci, chance, weeks),
    )


def _over(
    world: World,
    truth: NDArray[np.bool_],
    suggest: Suggest,
    foci: Foci | None,
    chance: random.Random,
    weeks: int,
) -> Weeks:
    times: Counter[int] = Counter()
    last: dict[tuple[int, int], int] = {}
    repeats, looked, found = 0, set(), set()
    for week in range(weeks):
        now = MONDAY + timedelta(weeks=week)
        for number in range(len(world.members)):
            if chance.random() >= LOOKS:
                continue
            looked.add(number)
            others = suggest(number, now)
            times.update(others)
            for other in others:
                repeats += week - last.get((number, other), -WEEKS) <= REPEATED_WITHIN
                last[number, other] = week
            found |= {(number, other) for other in others if truth[number, other]}
            if foci is not None:
                met = [other for other in others if chance.random() < MEETS[bool(truth[number, other])]]
                foci.note(number, others, met, now)
                _say(world, foci, number, met, chance)
    never, unevenness = spread_of(times, len(world.members))
    return Weeks(
        never=never,
        gini=unevenness,
        repeats=repeats / max(times.total(), 1),
        successes=len(found) / max(len(looked), 1),
    )


def _say(world: World, foci: Foci, number: int, met: Sequence[int], chance: random.Random) -> None:
    for other in met:
        for one, two in ((number, other), (other, number)):
            pleased = world.pleased(one, two, chance)
            if pleased is not None:
                foci.hear(one, two, pleased=pleased)


def spread_of(times: Mapping[int, int], people: int) -> tuple[float, float]:
    """Of how often people were suggested: the share of those who never were, and Gini."""
    counts = np.sort(np.array([times.get(number, 0) for number in range(people)], dtype=np.float64))
    return float((counts == 0).mean()), gini(counts)


def gini(ordered: NDArray[np.float64]) -> float:
    """Of figures in ascending order."""
    if not ordered.sum():
        return 0.0
    ranks = np.arange(1, len(ordered) + 1)
    return float((2 * ranks - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))


LEARNED = "Foci, having learned"
WAYS = ("Foci", LEARNED, "tags as typed", "tags as concepts", "random")


def compare(plan: Plan, *, weeks: int = WEEKS) -> dict[str, Quality]:
    """All ways in one world."""
    world, chance = make(plan), random.Random(plan.seed)
    typed = [(one.offer_tags, one.need_tags) for one in world.members]
    concepts = [(set(one.offers), set(one.needs)) for one in world.members]
    foci = Foci.of(world)
    found = {"Foci": measure(world, foci.suggest, foci, chance, weeks)}
    learned = foci.having_learned()
    ways: dict[str, tuple[Suggest, Foci | None]] = {
        LEARNED: (learned.suggest, learned),
        "tags as typed": (by_overlap(world, typed, chance), None),
        "tags as concepts": (by_overlap(world, concepts, chance), None),
        "random": (by_chance(world, chance), None),
    }
    return found | {name: measure(world, *ways[name], chance, weeks) for name in WAYS if name in ways}


def measured(*, quick: bool, say: Say) -> list[dict[str, Quality]]:
    """A world per seed that is reported."""
    found = []
    for seed in REPORTED[:1] if quick else REPORTED:
        plan = Plan(seed, members=200, hubs=6) if quick else Plan(seed)
        found.append(compare(plan, weeks=3 if quick else WEEKS))
        shares = ", ".join(f"{name} {one.success:.2f}" for name, one in found[-1].items())
        say(f"seed {seed}: success@{SHOWN} {shares}")
    return found
