"""A made-up federation whose truth is known: who would really be of use to whom, hidden behind what people wrote.

Specification (everything follows from `Plan` and its seed, by Python's `random` and, for the chemistry, NumPy's PCG64):

- **Vocabulary.** `fields` fields, each one broad concept over four middle ones over five leaves. The vocabulary says what
  is broader, and that neighbouring leaves of one middle concept are related; besides it relates some leaves of different
  fields. Real vocabularies (ESCO, O*NET) look like this: trees with few cross links.
- **Transfer.** What somebody can do is of use for a neighbouring skill too, but not as the vocabulary says: of its related
  pairs three in ten are of no use at all, the others between 0.3 and 0.7; and half as many pairs as it lists are of use
  without being listed. An editor's idea of "related" is not the world's, so nobody can win by believing it.
- **People.** Two to six abilities with a level, most in one home field; one to four problems with an urgency, never one
  they can solve themselves, most outside their field. Skills are as unevenly spread as skills are (Zipf, exponent 1), and
  what is asked for is not what is common. They belong to a hub (one in ten to two), read one to three languages, and
  half of them open themselves to the federation.
- **Usefulness** of v for u, hidden: the urgency of each of u's problems times the best v can bring to it (ability by
  level, through transfer), plus 0.7 times the same the other way (helping is worth something to the helper), times
  whether they can talk (1, or 0.15 without a common language), times how likely they get together (same hub 1,
  municipality 0.8, region 0.6, else 0.4), times chemistry nobody can know (log-normal, sigma 0.35).
- **Success.** A suggestion is a success when it is among the best one in a hundred of all those the person may see, by
  usefulness, and of any use at all. So who suggests ten at random succeeds for about one person in ten.
- **What is written.** Each ability and problem is written as its exact concept (55 %), a neighbouring one (15 %), the
  broader one (15 %), not at all because the own words were understood as nothing (10 %), or wrongly (5 %). Levels are
  one off in a quarter of the cases. As *tags*, which existing systems keep, the same is typed in one of the member's
  languages, in three of ten cases by another word for it; one concept in four is the same loan word everywhere.

- **Outcomes.** Of two who have met, each says what it brought them in seven of ten cases: something with a chance of 0.1 plus
  0.8 times what the other can bring to their problems (at most 1). So one in ten praises for no reason, and one in ten of those
  who were helped says it was nothing.

Why so: the shares are guesses, rounded, made before any ranking existed and not changed for one; `TUNING` is the seed
that may be looked at while ranking is worked on, the figures in docs/benchmarks.md come from other seeds.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import combinations, pairwise
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

TUNING = 20270301
REPORTED = (11, 23, 47)
"""Seeds: the first to work with, the others for what is reported."""

MIDDLES, LEAVES = 4, 5
LANGUAGES = ("sv", "da", "en")
HELPING = 0.7
NO_COMMON_LANGUAGE = 0.15
TOGETHER = {"hub": 1.0, "municipality": 0.8, "region": 0.6, "federation": 0.4}
CHEMISTRY = 0.35
BEST = 0.01
SAYS, GROUNDLESS = 0.7, 0.1
WRITTEN = (("exact", 0.55), ("neighbour", 0.15), ("broader", 0.15), ("nothing", 0.10), ("wrong", 0.05))

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Plan:
    """How large, and by which seed."""

    seed: int
    members: int = 2000
    hubs: int = 30
    fields: int = 12


@dataclass(frozen=True)
class Words:
    """The vocabulary: leaves, who is broader, who is related; `transfer` is the hidden truth between leaves."""

    leaves: tuple[str, ...]
    broader: Mapping[str, str]
    related: frozenset[tuple[str, str]]
    transfer: Mapping[tuple[str, str], float]
    loans: frozenset[str]

    @property
    def concepts(self) -> tuple[str, ...]:
        """All concepts, each once, in order."""
        return tuple(sorted({*self.leaves, *self.broader, *self.broader.values()}))


@dataclass
class Member:
    """One person: the truth, and what they wrote."""

    person: UUID
    hubs: tuple[str, ...]
    languages: tuple[str, ...]
    federation: bool
    abilities: dict[str, int] = field(default_factory=dict)
    problems: dict[str, float] = field(default_factory=dict)
    offers: dict[str, int] = field(default_factory=dict)
    needs: dict[str, int] = field(default_factory=dict)
    offer_tags: set[str] = field(default_factory=set)
    need_tags: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Federation:
    """Everybody, and what they wrote; `hubs` are (municipality, region) by slug."""

    plan: Plan
    words: Words
    hubs: Mapping[str, tuple[str, str]]
    members: tuple[Member, ...]


@dataclass(frozen=True)
class World(Federation):
    """The truth about everybody, too: it takes the square of their number."""

    visible: NDArray[np.bool_]
    """[u, v]: whether u may see v: they share a hub, or v is open to the federation."""
    useful: Floats
    """[u, v]: how useful it would be for u to meet v; 0 for those u may not see and for u."""

    helped: Floats
    """[u, v]: what v can bring to u's problems, if they meet."""

    def pleased(self, u: int, v: int, chance: random.Random) -> bool | None:
        """What u says came of meeting v: whether it brought them anything; None when they say nothing."""
        if chance.random() >= SAYS:
            return None
        return chance.random() < GROUNDLESS + (1 - 2 * GROUNDLESS) * min(float(self.helped[u, v]), 1)

    def successes(self) -> NDArray[np.bool_]:
        """[u, v]: whether v suggested to u would be a success."""
        found = np.zeros_like(self.visible)
        for u, row in enumerate(self.useful):
            best = max(round(BEST * self.visible[u].sum()), 1)
            found[u, np.argsort(-row, kind="stable")[:best]] = True
        return found & (self.useful > 0)


def federation(plan: Plan) -> Federation:
    """The people of a plan; the same plan makes the same ones."""
    chance = random.Random(plan.seed)
    words = _vocabulary(plan, chance)
    municipalities = max(plan.hubs // 4, 1)
    hubs = {
        f"hub-{n}": (f"town-{n % municipalities}", f"region-{n % municipalities % 3}")
        for n in range(plan.hubs)
    }
    supply, demand = _popularity(words, chance)
    members = tuple(_member(n, hubs, words, supply, demand, chance) for n in range(plan.members))
    return Federation(plan, words, hubs, members)


def make(plan: Plan) -> World:
    """The world of a plan."""
    made = federation(plan)
    circumstances = _circumstances(made.members, made.hubs)
    helped = _helped(made.members, made.words)
    chemistry = np.random.default_rng(plan.seed + 1).lognormal(0, CHEMISTRY, helped.shape)
    useful = (helped + HELPING * helped.T) * chemistry * circumstances
    return World(plan, made.words, made.hubs, made.members, circumstances > 0, useful, helped)


def _vocabulary(plan: Plan, chance: random.Random) -> Words:
    broader: dict[str, str] = {}
    related: set[tuple[str, str]] = set()
    leaves: list[str] = []
    for of_field in range(plan.fields):
        for middle in range(MIDDLES):
            broader[f"f{of_field}-m{middle}"] = f"f{of_field}"
            some = [f"f{of_field}-m{middle}-s{leaf}" for leaf in range(LEAVES)]
            broader.update(dict.fromkeys(some, f"f{of_field}-m{middle}"))
            related.update(pairwise(some))
            leaves += some
    while len(related) < plan.fields * MIDDLES * LEAVES:
        one, other = sorted(chance.sample(leaves, 2))
        related.add((one, other))
    listed = sorted(related)
    transfer = {pair: chance.uniform(0.3, 0.7) for pair in listed if chance.random() >= 0.3}
    unlisted = [pair for pair in combinations(leaves, 2) if pair not in related]
    transfer.update({pair: chance.uniform(0.3, 0.7) for pair in chance.sample(unlisted, len(listed) // 2)})
    every = sorted({*leaves, *broader, *broader.values()})
    loans = frozenset(one for one in every if chance.random() < 0.25)
    return Words(tuple(leaves), broader, frozenset(related), transfer, loans)


def _popularity(words: Words, chance: random.Random) -> tuple[dict[str, float], dict[str, float]]:
    """Weights of the leaves: how many can it, how many lack it (half the same order, half their own)."""
    ranks, others = list(range(1, len(words.leaves) + 1)), list(range(1, len(words.leaves) + 1))
    chance.shuffle(ranks)
    chance.shuffle(others)
    supply = {leaf: 1 / rank for leaf, rank in zip(words.leaves, ranks, strict=True)}
    demand = {leaf: (supply[leaf] / rank) ** 0.5 for leaf, rank in zip(words.leaves, others, strict=True)}
    return supply, demand


def _member(
    number: int,
    hubs: Mapping[str, tuple[str, str]],
    words: Words,
    supply: Mapping[str, float],
    demand: Mapping[str, float],
    chance: random.Random,
) -> Member:
    home = f"f{chance.randrange(len(words.leaves) // (MIDDLES * LEAVES))}-"
    some = list(hubs)
    member = Member(
        person=UUID(int=chance.getrandbits(128), version=4),
        hubs=tuple(chance.sample(some, 2 if len(some) > 1 and chance.random() < 0.1 else 1)),
        languages=_languages(chance),
        federation=chance.random() < 0.5,
    )
    for _ in range(chance.randint(2, 6)):
        member.abilities[_draw(words, supply, home, chance.random() < 0.7, chance)] = chance.choice(
            (1, 2, 2, 3)
        )
    for _ in range(chance.randint(1, 4)):
        leaf = _draw(words, demand, home, chance.random() < 0.25, chance)
        if leaf not in member.abilities:
            member.problems[leaf] = chance.choice((0.5, 1.0, 1.0, 1.5))
    _write(member, words, chance)
    return member


def _languages(chance: random.Random) -> tuple[str, ...]:
    first = chance.choices(LANGUAGES, (0.55, 0.25, 0.20))[0]
    also = [one for one in LANGUAGES if one != first and chance.random() < (0.7 if one == "en" else 0.15)]
    return (first, *also)


def _draw(words: Words, weights: Mapping[str, float], home: str, within: bool, chance: random.Random) -> str:
    leaves = [leaf for leaf in words.leaves if leaf.startswith(home) is within]
    return chance.choices(leaves, [weights[leaf] for leaf in leaves])[0]


def _write(member: Member, words: Words, chance: random.Random) -> None:
    for leaf, level in member.abilities.items():
        written = _written(leaf, words, chance)
        if written:
            member.offers[written] = _near(level, chance)
            member.offer_tags.add(_typed(written, member, words, chance))
    for leaf in member.problems:
        written = _written(leaf, words, chance)
        if written:
            member.needs[written] = chance.choice((1, 1, 2, 2, 3))
            member.need_tags.add(_typed(written, member, words, chance))


def _written(leaf: str, words: Words, chance: random.Random) -> str | None:
    how = chance.choices([name for name, _ in WRITTEN], [share for _, share in WRITTEN])[0]
    if how == "neighbour":
        near = [
            one if other == leaf else other for one, other in sorted(words.related) if leaf in {one, other}
        ]
        return chance.choice(near) if near else leaf
    return {
        "exact": leaf,
        "broader": words.broader[leaf],
        "nothing": None,
        "wrong": chance.choice(words.leaves),
    }[how]


def _near(level: int, chance: random.Random) -> int:
    return min(max(level + chance.choice((0, 0, 0, 0, 0, 0, 1, -1)), 1), 3)


def _typed(concept: str, member: Member, words: Words, chance: random.Random) -> str:
    if concept in words.loans:
        return concept
    language = chance.choice(member.languages)
    return f"{concept}@{language}/{0 if chance.random() < 0.7 else chance.choice((1, 2))}"


# --- the truth ---


def _helped(members: tuple[Member, ...], words: Words) -> Floats:
    """What each can bring to each other's problems."""
    column = {leaf: n for n, leaf in enumerate(words.leaves)}
    transfer = np.eye(len(column))
    for (one, other), share in words.transfer.items():
        transfer[column[one], column[other]] = transfer[column[other], column[one]] = share
    able, lacking = (np.zeros((len(members), len(column))) for _ in range(2))
    for row, member in enumerate(members):
        for leaf, level in member.abilities.items():
            able[row, column[leaf]] = (0.5, 0.8, 1.0)[level - 1]
        for leaf, urgency in member.problems.items():
            lacking[row, column[leaf]] = urgency
    brings = np.zeros_like(able)
    for number in range(len(column)):
        np.maximum(brings, able[:, number : number + 1] * transfer[number], out=brings)
    return np.asarray(lacking @ brings.T, dtype=np.float64)


def _circumstances(members: tuple[Member, ...], hubs: Mapping[str, tuple[str, str]]) -> Floats:
    """Whether they can talk and get together; 0 for those one may not see."""

    def sharing(of: Mapping[int, set[str]]) -> NDArray[np.bool_]:
        every = {one: n for n, one in enumerate(sorted(set().union(*of.values())))}
        has = np.zeros((len(members), len(every)))
        for row, some in of.items():
            has[row, [every[one] for one in some]] = 1
        return np.asarray(has @ has.T > 0)

    def places(part: int) -> NDArray[np.bool_]:
        return sharing({n: {hubs[hub][part] for hub in one.hubs} for n, one in enumerate(members)})

    hub = sharing({n: set(one.hubs) for n, one in enumerate(members)})
    near = np.full(hub.shape, TOGETHER["federation"])
    near[places(1)] = TOGETHER["region"]
    near[places(0)] = TOGETHER["municipality"]
    near[hub] = TOGETHER["hub"]
    talk = np.where(
        sharing({n: set(one.languages) for n, one in enumerate(members)}), 1.0, NO_COMMON_LANGUAGE
    )
    opened = np.array([one.federation for one in members])
    seen = hub | opened[np.newaxis, :]
    np.fill_diagonal(seen, val=False)
    return np.asarray(near * talk * seen, dtype=np.float64)
