"""The exact index of who offers and needs what: the best for one person, without a look at everybody's card."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from services.matching.index.arrays import Columns, Entries, Ints, Names, Postings, Sets, Slots
from services.matching.rules import ranking
from services.matching.rules.ranking import Card, Context, Known, Near, Place

LEVELS = (1, 2, 3)
OFFER, NEED = 0, 1

SWEPT_AT_ONCE = 50_000
"""Postings looked through in the course of one change."""

LEAST_DEAD = 1024

_MOST = 100**4
"""What focus, place, language and past multiply a score by at most."""

DENSE = 16
"""A need that more than one person in so many might serve is added up slot by slot, not list by list."""

ENOUGH = 16
"""Times `k`: so many of the best by the upper bound are looked at first."""

Longs = NDArray[np.int64]


@dataclass(frozen=True)
class _Asked:
    """A question worked out as far as it is the same for all answers; good until the next one or the next change."""

    reader: Card
    context: Context
    got: Ints
    given: Ints
    limit: Ints
    near: Ints
    talk: Ints


class Index:
    """Lists of people by concept, side and level, in memory.

    Every person has a slot. A list holds slots; a person whose card is another one takes a new slot, and the old one,
    found nowhere from then on, is swept out of the lists in slices, one with every change: no change costs more because
    there are more people. It belongs to one thread, as all that lives on an event loop.
    """

    def __init__(self, near: Near, places: Mapping[str, Place]) -> None:
        """`near` and `places` are what stands in the database; both may change, the vocabulary takes a new index."""
        self._places = dict(places)
        self.known = Known(near, self.weigh, self._places)
        self._towns = array("i")
        self._regions = array("i")
        self._town_names, self._region_names = Names(), Names()
        self._concepts, self._hubs, self._languages = Names(), Names(), Names()
        self._localities, self._tongues = Sets(), Sets()
        self._postings, self._entries = Postings(), Entries()
        self._named = array("i")
        self._slot_of: dict[int, int] = {}
        self._slots = Slots()
        self._scratch = np.zeros((4, 0), dtype=np.int32)
        self._dead: list[int] = []
        self._free: list[int] = []
        self._sweeping: Iterator[None] | None = None

    def __len__(self) -> int:
        return len(self._slot_of)

    def __contains__(self, person: UUID) -> bool:
        return person.int in self._slot_of

    def weigh(self, concept: str) -> int:
        """What a concept weighs now (rules/ranking.py)."""
        number = self._concepts.known(concept)
        return ranking.weight(len(self), 0 if number is None else self._named[number])

    def place(self, hub: str, place: Place) -> None:
        """A hub is somewhere, or somewhere else."""
        self._places[hub] = place
        number = self._hubs.known(hub)
        if number is not None:
            self._towns[number] = self._numbered(self._town_names, place.municipality)
            self._regions[number] = self._numbered(self._region_names, place.region)

    def learn(self, near: Near) -> None:
        """Other concepts are near, or nearer or less so."""
        self.known = Known(near, self.weigh, self._places)

    # --- what changes ---

    def build(self, cards: Iterable[Card]) -> None:
        """Take in everybody, nobody twice, whom anybody may find; only while the index is empty."""
        filling = Columns()
        for card in cards:
            self.add(filling, card)
        self.done(filling)

    def add(self, filling: Columns, card: Card) -> None:
        """One of `build`, for those who come in pages; `done` follows, and nothing is asked before."""
        if len(self._entries):
            raise RuntimeError("an index is filled once; a new one has to be made")
        if card.found_at:
            self._slot_of[card.person.int] = len(filling.counts)
            keys = self._keys(card)
            filling.keys.extend(keys)
            filling.counts.append(len(keys))
            filling.people.extend(divmod(card.person.int, 1 << 64))
            filling.localities.append(self._locality(card))
            filling.tongues.append(self._tongue(card))
            filling.focus.extend((ranking.focus(len(card.offers)), ranking.focus(len(card.needs))))

    def done(self, filling: Columns) -> None:
        """Put what was added in order."""
        self._slots = filling.slots()
        counts, keys = (np.frombuffer(some, dtype=np.int32) for some in (filling.counts, filling.keys))
        self._entries.fill(counts, keys)
        self._postings.fill(keys, np.repeat(np.arange(len(counts), dtype=np.int32), counts))

    def replace(self, card: Card) -> None:
        """Somebody is new, or their card another one; a card that nobody may find takes them out."""
        self.remove(card.person)
        if not card.found_at:
            return
        slot = self._free.pop() if self._free else self._slots.size
        keys = self._keys(card)
        self._slots.reach(slot + 1)
        self._settle(slot, card)
        self._entries.put(slot, keys)
        for key in keys:
            self._postings.append(key, slot)

    def remove(self, person: UUID) -> None:
        """Somebody is found no more; nothing when they were not."""
        slot = self._slot_of.pop(person.int, None)
        if slot is not None:
            for key in self._entries.of(slot):
                self._named[key // 6] -= 1
            self._slots.locality[slot] = 0
            self._dead.append(slot)
        self._sweep()

    def _settle(self, slot: int, card: Card) -> None:
        slots = self._slots
        slots.people[slot] = divmod(card.person.int, 1 << 64)
        slots.locality[slot] = self._locality(card)
        slots.tongue[slot] = self._tongue(card)
        slots.focus[slot] = ranking.focus(len(card.offers)), ranking.focus(len(card.needs))
        self._slot_of[card.person.int] = slot

    def _keys(self, card: Card) -> list[int]:
        """Where somebody stands; counts the naming."""
        keys = []
        for side, some in ((OFFER, card.offers), (NEED, card.needs)):
            for concept, level in some:
                number = self._concepts.number(concept)
                if number == len(self._named):
                    self._named.append(0)
                    self._postings.reach(6 * len(self._named))
                self._named[number] += 1
                keys.append(_key(number, side, level))
        return keys

    def _locality(self, card: Card) -> int:
        """The number of where somebody is found; a hub stands for two numbers, by whether others than its people may."""
        hubs = (2 * self._hub(hub) + card.opened for hub in card.found_at)
        return self._localities.number((card.found_at, card.opened), hubs)

    def _hub(self, hub: str) -> int:
        number = self._hubs.number(hub)
        if number == len(self._towns):
            place = self._places.get(hub, Place(None, None))
            self._towns.append(self._numbered(self._town_names, place.municipality))
            self._regions.append(self._numbered(self._region_names, place.region))
        return number

    @staticmethod
    def _numbered(names: Names, name: str | None) -> int:
        return -1 if name is None else names.number(name)

    def _tongue(self, card: Card) -> int:
        return self._tongues.number(card.languages, map(self._languages.number, card.languages))

    def _sweep(self) -> None:
        if self._sweeping is None and len(self._dead) > max(LEAST_DEAD, self._slots.size // 8):
            self._sweeping = self._slices()
        if self._sweeping is not None and next(self._sweeping, self) is self:
            self._sweeping = None

    def _slices(self) -> Iterator[None]:
        """Take those dead now out of every list, some lists at a time; after that their slots are free."""
        swept, self._dead = self._dead, []
        condemned = np.zeros(self._slots.size + 1, dtype=np.bool_)
        condemned[swept] = True
        seen = 0
        for key in range(len(self._postings)):
            seen += 64 + self._postings.sweep(key, condemned)
            if seen > SWEPT_AT_ONCE:
                seen = 0
                yield
        self._free += swept

    # --- what is asked ---

    def top(self, reader: Card, k: int, context: Context) -> list[tuple[UUID, int]]:
        """The `k` best for the reader with their scores, best first, equal ones by id; fewer when fewer have any.

        The same as `ranking.compare` over everybody, exactly: the reader's card is as given, whatever the index has.
        """
        return self._best(self._asked(reader, context), k)

    def pool(self, reader: Card, context: Context) -> tuple[list[tuple[UUID, int]], list[tuple[UUID, int]]]:
        """The best POOL, and DRAWN of all who have any score, by lot."""
        asked = self._asked(reader, context)
        return self._best(asked, ranking.POOL), self._drawn(asked, ranking.DRAWN)

    def _asked(self, reader: Card, context: Context) -> _Asked:
        got, given, limit = self._sums(reader)
        near, talk = self._nearness(reader, context), self._talk(reader)
        return _Asked(reader, context, got, given, limit, near, talk)

    def _best(self, asked: _Asked, k: int) -> list[tuple[UUID, int]]:
        bar = int(asked.limit.max(initial=0))
        while True:
            bar = _lower(bar, asked.limit, ENOUGH * k)
            slots = np.flatnonzero(asked.limit > bar)
            scores = self._scores(slots, asked)
            least = int(np.partition(scores, -k)[-k]) if len(scores) > k else 0
            # Whoever is not above the bar has at most what it stands for.
            if bar == 0 or least > bar * _MOST:
                best = scores >= max(least, 1)
                return self._in_order(slots[best], scores[best], -scores[best], asked, k)

    def _drawn(self, asked: _Asked, k: int) -> list[tuple[UUID, int]]:
        found = asked.near[self._slots.locality[: self._slots.size]] > 0
        slots = np.flatnonzero(found & (asked.limit > 0))
        # Those left out by what was between the two are known: draw so many more.
        wanted = k + len(asked.context.past) + 1
        if len(slots) > wanted:
            lots = _lots(self._slots.people[slots, 1], asked.context.turn)
            slots = np.sort(slots[np.argpartition(lots, wanted)[:wanted]])
        scores = self._scores(slots, asked)
        there = scores > 0
        return self._in_order(slots[there], scores[there], np.zeros(there.sum(), np.int64), asked, k)

    def _scores(self, slots: Longs, asked: _Asked) -> Longs:
        """Of these slots, which are in order."""
        scores = self._focused(slots, asked.got, asked.given) * asked.near[self._slots.locality[slots]]
        scores *= asked.talk[self._slots.tongue[slots]] * self._past(slots, asked.reader, asked.context)
        return scores

    def _sums(self, reader: Card) -> tuple[Ints, Ints, Ints]:
        """By slot, before focus: what people's offers are worth to the reader's needs, the other way, and both combined."""
        if self._scratch.shape[1] < self._slots.size:
            self._scratch = np.zeros((4, len(self._slots.locality)), dtype=np.int32)
        got, given, limit, best = self._scratch[:, : self._slots.size]
        got.fill(0)
        given.fill(0)
        for concept, wanted in reader.needs:
            self._serve(concept, wanted, got, best)
        for (concept, level), points in self._wished(reader).items():
            given[self._list(concept, NEED, level)] += ranking.GIVE * points * self.weigh(concept)
        np.minimum(got, given, out=limit)
        limit += got
        limit += given
        return got, given, limit

    def _serve(self, concept: str, wanted: int, got: Ints, best: Ints) -> None:
        """Add what the best of everybody's offers is worth to a need; `best` is nothing before and after."""
        weight = ranking.GET * self.weigh(concept)
        worth = [
            (percent * ranking.fit(wanted, level) * weight, self._list(near, OFFER, level))
            for near, percent in ranking.around(concept, self.known.near).items()
            for level in LEVELS
        ]
        # The best comes last and stays.
        for points, slots in sorted(worth, key=lambda one: one[0]):
            best[slots] = points
        if sum(len(slots) for _, slots in worth) * DENSE > len(got):
            got += best
            best.fill(0)
            return
        for _, slots in worth:
            got[slots] += best[slots]
            best[slots] = 0

    def _wished(self, reader: Card) -> dict[tuple[str, int], int]:
        """What the best of the reader's offers is worth to a need, by concept and level."""
        worth: dict[tuple[str, int], int] = {}
        for concept, known in reader.offers:
            for near, percent in ranking.around(concept, self.known.near).items():
                for level in LEVELS:
                    points = percent * ranking.fit(level, known)
                    worth[near, level] = max(points, worth.get((near, level), 0))
        return worth

    def _list(self, concept: str, side: int, level: int) -> Ints:
        number = self._concepts.known(concept)
        return self._postings.of(-1 if number is None else _key(number, side, level))

    def _focused(self, slots: Longs, got: Ints, given: Ints) -> Longs:
        """Both directions combined, with focus."""
        focus = self._slots.focus[slots].astype(np.int64)
        get, give = got[slots] * focus[:, 0], given[slots] * focus[:, 1]
        return np.asarray(get + give + np.minimum(get, give), dtype=np.int64)

    def _nearness(self, reader: Card, context: Context) -> Ints:
        """Per cent by locality."""
        values = np.zeros((len(self._hubs), 2), dtype=np.int32)
        values[:, 1] = ranking.FEDERATION
        here = [number for number in map(self._hubs.known, reader.belongs) if number is not None]
        for numbers, names, wanted, percent in (
            (self._regions, self._region_names, "region", ranking.REGION),
            (self._towns, self._town_names, "municipality", ranking.MUNICIPALITY),
        ):
            of_hubs = np.frombuffer(numbers, dtype=np.int32)
            for hub in reader.belongs:
                name = getattr(self._places.get(hub), wanted, None)
                number = None if name is None else names.known(name)
                values[of_hubs == (-2 if number is None else number), 1] = percent
        values[here] = ranking.HUB
        found = self._localities.greatest(values.reshape(-1))
        if context.hub is not None:
            only = np.zeros_like(values)
            number = self._hubs.known(context.hub)
            if number is not None:
                only[number] = 1
            found *= self._localities.greatest(only.reshape(-1))
        return found

    def _talk(self, reader: Card) -> Ints:
        """Per cent by tongue."""
        values = np.full(len(self._languages), ranking.NONE, dtype=np.int32)
        known = [number for number in map(self._languages.known, reader.languages) if number is not None]
        values[known] = ranking.COMMON
        found = self._tongues.greatest(values)
        found[slice(None) if not reader.languages else 0] = ranking.UNSAID
        return found

    def _past(self, slots: Longs, reader: Card, context: Context) -> Longs:
        """Per cent by what was between the reader and those at `slots`, which are in order."""
        found = np.full(len(slots), 100, dtype=np.int64)
        for person, percent in (*context.past.items(), (reader.person, 0)):
            slot = self._slot_of.get(person.int)
            if slot is not None:
                at = int(np.searchsorted(slots, slot))
                if at < len(slots) and slots[at] == slot:
                    found[at] = percent
        return found

    def _in_order(
        self, slots: Longs, scores: Longs, first: Longs, asked: _Asked, k: int
    ) -> list[tuple[UUID, int]]:
        """The first `k` by `first`, then by lot, then by id."""
        people = self._slots.people[slots]
        lots = _lots(people[:, 1], asked.context.turn)
        order = np.lexsort((people[:, 1], people[:, 0], lots, first))[:k].tolist()
        return [
            (UUID(int=int(people[one, 0]) << 64 | int(people[one, 1])), int(scores[one])) for one in order
        ]


def _lots(lower_halves: NDArray[np.uint64], turn: int) -> NDArray[np.uint64]:
    """`ranking.lot` of many people at once: products of whole columns are modulo 2^64 as they are."""
    return (lower_halves ^ np.uint64(turn)) * np.uint64(ranking.ODD)


def _key(concept: int, side: int, level: int) -> int:
    return (concept * 2 + side) * 3 + level - 1


def _lower(bar: int, limit: Ints, wanted: int) -> int:
    """A lower bar, that at least `wanted` are above; or 0."""
    bar //= 2
    while bar and np.count_nonzero(limit > bar) < wanted:
        bar //= 2
    return bar
