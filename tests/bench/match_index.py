"""How fast the index of matches is among a million people, beside a join in PostgreSQL and a look at everybody."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from uuid import UUID

import numpy as np
import psutil

from services.matching.index.index import Index
from services.matching.rules import ranking
from services.matching.rules.ranking import Card, Context, Known, Near, Place
from tests.bench.match_join import Join
from tests.bench.report import Say

CONCEPTS = 5000
OFFERS, NEEDS = 4, 3
PEOPLE_OF_A_HUB = 100
TOP = 20
SEED = 20270301
CHUNK = 10_000

Best = list[tuple[UUID, int]]


@dataclass(frozen=True)
class Size:
    """How many people, questions and changes; `compared` questions are also answered by the join and by brute force."""

    people: int
    questions: int
    compared: int
    changes: int


FULL = Size(people=1_000_000, questions=300, compared=5, changes=20_000)
SMALLER = Size(people=100_000, questions=300, compared=0, changes=20_000)
QUICK = Size(people=5_000, questions=20, compared=2, changes=500)


@dataclass(frozen=True)
class Found:
    """What one size has shown; times in seconds, memory in MB."""

    people: int
    build_s: float
    resident_mb: float
    empty_mb: float
    top_s: Sequence[float]
    change_s: Sequence[float]
    join_s: Sequence[float]
    brute_s: Sequence[float]
    agreed: int
    """Questions that all three answered alike, to the last unit of every score."""
    compared: int


@dataclass(frozen=True)
class Town:
    """A vocabulary and hubs, both made up: 5000 concepts, each related to two and with one broader."""

    people: int

    @property
    def relations(self) -> list[tuple[str, str, str]]:
        """As the vocabulary's rows."""
        chance = random.Random(SEED)
        found = []
        for number in range(CONCEPTS):
            for kind in ("related", "related", "broader"):
                other = chance.randrange(CONCEPTS)
                if other != number:
                    found.append((f"c{number}", kind, f"c{other}"))
        return found

    @property
    def near(self) -> Near:
        """Nearness in it."""
        return ranking.near(self.relations)

    @property
    def places(self) -> dict[str, Place]:
        """Five hubs a municipality, fifty a region."""
        hubs = max(self.people // PEOPLE_OF_A_HUB, 1)
        return {f"h{n}": Place(f"m{n // 5}", f"r{n // 50}") for n in range(hubs)}

    def cards(self) -> Iterator[Card]:
        """Everybody: Zipf skills (exponent 1), half of them open to all, one to three languages."""
        chance, hubs = np.random.default_rng(SEED), max(self.people // PEOPLE_OF_A_HUB, 1)
        shares = 1 / np.arange(1, CONCEPTS + 1)
        shares /= shares.sum()
        for first in range(0, self.people, CHUNK):
            size = min(CHUNK, self.people - first)
            said = chance.choice(CONCEPTS, size=(size, OFFERS + NEEDS), p=shares).tolist()
            levels = chance.integers(1, 4, size=(size, OFFERS + NEEDS)).tolist()
            ids = chance.integers(0, 1 << 63, size=(size, 2), dtype=np.uint64).tolist()
            tongues = chance.choice(4, size=size, p=(0.5, 0.2, 0.2, 0.1)).tolist()
            for row in range(size):
                hub = (f"h{(first + row) % hubs}",)
                stated = dict(
                    zip(said[row], zip(levels[row], range(OFFERS + NEEDS), strict=True), strict=True)
                )
                yield Card(
                    person=UUID(int=ids[row][0] << 64 | ids[row][1]),
                    belongs=hub,
                    found_at=hub,
                    opened=bool(ids[row][0] & 1),
                    languages=(("sv", "en"), ("da",), ("en",), ())[tongues[row]],
                    offers=tuple((f"c{one}", level) for one, (level, at) in stated.items() if at < OFFERS),
                    needs=tuple((f"c{one}", level) for one, (level, at) in stated.items() if at >= OFFERS),
                )


def measure(size: Size, database_url: str | None, say: Say) -> Found:
    """The index in a process of its own, so that its memory is its own; then the others here."""
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=_index, args=(size, theirs))
    process.start()
    try:
        empty_mb, build_s = ours.recv()
        resident_mb = psutil.Process(process.pid).memory_info().rss / 1e6
        say(f"{size.people} people: built in {build_s:.1f} s, {resident_mb:.0f} MB")
        ours.send("go on")
        top_s, answers = ours.recv()
        join_s, brute_s, agreed = _others(size, database_url, answers, say)
        ours.send("go on")
        change_s = ours.recv()
    finally:
        process.join(60)
        process.kill()
    return Found(
        size.people, build_s, resident_mb, empty_mb, top_s, change_s, join_s, brute_s, agreed, len(answers)
    )


def _index(size: Size, parent: Connection) -> None:
    """The other process: build, answer, change; tells of each."""
    town = Town(size.people)
    empty_mb = psutil.Process().memory_info().rss / 1e6
    readers = _readers(town, size.questions)
    index = Index(town.near, town.places)
    spent = _Spent()
    index.build(spent.before_each(town.cards()))
    parent.send((empty_mb, spent.seconds()))
    parent.recv()
    took, answers = [], []
    for number, reader in enumerate(readers):
        began = time.perf_counter()
        best = index.top(reader, TOP, Context())
        took.append(time.perf_counter() - began)
        if number < size.compared:
            answers.append((reader, best))
    parent.send((took, answers))
    parent.recv()
    parent.send(_change(index, readers, size.changes))


class _Spent:
    """The time since it was made, without that of making up people."""

    def __init__(self) -> None:
        self._began, self._elsewhere = time.perf_counter(), 0.0

    def before_each(self, cards: Iterator[Card]) -> Iterator[Card]:
        while True:
            began = time.perf_counter()
            card = next(cards, None)
            self._elsewhere += time.perf_counter() - began
            if card is None:
                return
            yield card

    def seconds(self) -> float:
        return time.perf_counter() - self._began - self._elsewhere


def _readers(town: Town, wanted: int) -> list[Card]:
    step = max(town.people // wanted, 1)
    return [card for number, card in enumerate(town.cards()) if number % step == 0][:wanted]


def _change(index: Index, readers: Sequence[Card], changes: int) -> list[float]:
    """Somebody's card becomes another's, over and over: sweeps are part of it."""
    took = []
    for number in range(changes):
        one, other = readers[number % len(readers)], readers[(number * 7 + 1) % len(readers)]
        card = Card(
            one.person, one.belongs, one.found_at, one.opened, one.languages, other.offers, other.needs
        )
        began = time.perf_counter()
        index.replace(card)
        took.append(time.perf_counter() - began)
    return took


def _others(
    size: Size, database_url: str | None, answers: Sequence[tuple[Card, Best]], say: Say
) -> tuple[list[float], list[float], int]:
    """Times of the join and of brute force, and how many answers agree."""
    if database_url is None or not answers:
        return [], [], 0
    town = Town(size.people)
    join = Join(database_url)
    say("filling PostgreSQL for the join")
    join.fill(town.cards(), town.near, town.places)
    joined = [join.top(reader, TOP) for reader, _ in answers]
    say("looking at everybody")
    brute_s, looked = _brute_force(town, [reader for reader, _ in answers], join.weights())
    join.close()
    agreed = sum(
        index == of_join == of_brute
        for (_, index), (_, of_join), of_brute in zip(answers, joined, looked, strict=True)
    )
    return [took for took, _ in joined], brute_s, agreed


def _brute_force(
    town: Town, readers: Sequence[Card], weights: Mapping[str, int]
) -> tuple[list[float], list[Best]]:
    """Everybody compared with each reader, by the rules alone."""
    known = Known(
        town.near, lambda concept: weights.get(concept, ranking.weight(town.people, 0)), town.places
    )
    took, found = [0.0] * len(readers), [[] for _ in readers]  # type: list[float], list[Best]
    for card in town.cards():
        for number, reader in enumerate(readers):
            began = time.perf_counter()
            score = ranking.compare(reader, card, known, Context()).score
            took[number] += time.perf_counter() - began
            if score:
                found[number].append((card.person, score))
    return took, [sorted(some, key=lambda one: (-one[1], ranking.lot(one[0], 0)))[:TOP] for some in found]
