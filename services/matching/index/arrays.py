"""What the index is made of: growing arrays, lists of slots by key, sets by number, and what each slot stands in."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Bools = NDArray[np.bool_]

Item = TypeVar("Item", bound=np.generic)

_SPARE = 8
_PAGE = 1024


def grown(old: NDArray[Item], wanted: int) -> NDArray[Item]:
    """A copy with room for `wanted` and an eighth more, zeros behind: so that growing costs the same per item at any size."""
    made = np.zeros((wanted + wanted // 8 + _SPARE, *old.shape[1:]), dtype=old.dtype)
    made[: len(old)] = old
    return made


@dataclass
class Slots:
    """What is known of each slot: whose it is (two halves of the id), where they are found, languages, and the focus of
    their offers and needs. Whoever is found nowhere, locality 0, is nobody."""

    people: NDArray[np.uint64] = field(default_factory=lambda: np.zeros((0, 2), dtype=np.uint64))
    locality: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    tongue: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int32))
    focus: NDArray[np.uint8] = field(default_factory=lambda: np.zeros((0, 2), dtype=np.uint8))
    size: int = 0

    def reach(self, size: int) -> None:
        """Make room for so many slots."""
        self.size = max(size, self.size)
        if size > len(self.locality):
            self.people, self.focus = grown(self.people, size), grown(self.focus, size)
            self.locality, self.tongue = grown(self.locality, size), grown(self.tongue, size)


class Columns:
    """Everybody on their way into an empty index: as slots, and all their keys."""

    def __init__(self) -> None:
        self.keys, self.counts = array("i"), array("i")
        self.people, self.localities, self.tongues, self.focus = (
            array("Q"),
            array("i"),
            array("i"),
            array("B"),
        )

    def slots(self) -> Slots:
        """What is known of each slot."""
        return Slots(
            people=np.array(self.people, dtype=np.uint64).reshape(-1, 2),
            locality=np.array(self.localities, dtype=np.int32),
            tongue=np.array(self.tongues, dtype=np.int32),
            focus=np.array(self.focus, dtype=np.uint8).reshape(-1, 2),
            size=len(self.counts),
        )


class Postings:
    """Lists of slots by key (a small number). A slot is appended, and taken out only by a sweep."""

    def __init__(self) -> None:
        self._slots: list[Ints] = []
        self._used: list[int] = []

    def __len__(self) -> int:
        return len(self._slots)

    def reach(self, keys: int) -> None:
        """Make room for keys up to `keys`, that one left out."""
        while len(self._slots) < keys:
            self._slots.append(np.empty(0, dtype=np.int32))
            self._used.append(0)

    def fill(self, keys: Ints, slots: Ints) -> None:
        """Take in everything at once; the lists come out in the order of slots."""
        order = np.argsort(keys, kind="stable")
        ends = np.cumsum(np.bincount(keys, minlength=len(self)))
        ordered = slots[order]
        del order
        start = 0
        for key, end in enumerate(ends.tolist()):
            self._slots[key], self._used[key] = ordered[start:end].copy(), end - start
            start = end

    def of(self, key: int) -> Ints:
        """The slots of a key, none under an unknown one: a view, to be used before the next change."""
        return self._slots[key][: self._used[key]] if 0 <= key < len(self._slots) else _NOTHING

    def append(self, key: int, slot: int) -> None:
        """One more."""
        used = self._used[key]
        if used == len(self._slots[key]):
            self._slots[key] = grown(self._slots[key], used + 1)
        self._slots[key][used] = slot
        self._used[key] = used + 1

    def sweep(self, key: int, condemned: Bools) -> int:
        """Take the condemned slots out of one list; how long it was. The last of `condemned` is for all slots behind it."""
        slots = self.of(key)
        kept = slots[~condemned.take(slots, mode="clip")]
        if len(kept) < len(slots):
            self._slots[key], self._used[key] = kept, len(kept)
        return len(slots)


_NOTHING: Ints = np.empty(0, dtype=np.int32)


class Sets:
    """Sets of small numbers, each kept once under a number of its own; 0 is the empty one."""

    def __init__(self) -> None:
        self._numbers: dict[Hashable, int] = {}
        self._items = array("i")
        self._starts = array("i")

    def number(self, name: Hashable, items: Iterable[int]) -> int:
        """The number of a set by its name; `items` are what is in it when it is new."""
        found = self._numbers.get(name)
        if found is not None:
            return found
        some = array("i", items)
        if not some:
            return 0
        self._starts.append(len(self._items))
        self._items.extend(some)
        self._numbers[name] = len(self._starts)
        return len(self._starts)

    def greatest(self, values: Ints) -> Ints:
        """By number of a set: the greatest of its items' values; 0 for the empty one."""
        found = np.zeros(len(self._starts) + 1, dtype=np.int32)
        if self._starts:
            items, starts = (np.frombuffer(some, dtype=np.int32) for some in (self._items, self._starts))
            found[1:] = np.maximum.reduceat(values[items], starts)
        return found


class Names:
    """Names under small numbers, in the order in which they were heard."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, name: str) -> int:
        """Its number, a new one when it is new."""
        return self._numbers.setdefault(name, len(self._numbers))

    def known(self, name: str) -> int | None:
        """Its number, when it has one."""
        return self._numbers.get(name)


class Entries:
    """The keys a slot stands under, in pages: a change copies a page, whatever the size of the whole."""

    def __init__(self) -> None:
        self._ends: list[Ints] = []
        self._keys: list[Ints] = []

    def __len__(self) -> int:
        return len(self._ends) * _PAGE

    def fill(self, counts: Ints, keys: Ints) -> None:
        """Take in everything at once: how many keys each slot has, and all keys in the order of slots."""
        ends = np.concatenate([[0], np.cumsum(counts, dtype=np.int64)])
        for first in range(0, len(counts), _PAGE):
            some = ends[first : first + _PAGE + 1]
            page = np.full(_PAGE, some[-1] - some[0], dtype=np.int32)
            page[: len(some) - 1] = some[1:] - some[0]
            self._ends.append(page)
            self._keys.append(keys[some[0] : some[-1]].copy())

    def of(self, slot: int) -> list[int]:
        """The keys of one slot."""
        page, at = divmod(slot, _PAGE)
        start = int(self._ends[page][at - 1]) if at else 0
        return list(map(int, self._keys[page][start : int(self._ends[page][at])]))

    def put(self, slot: int, keys: Sequence[int]) -> None:
        """Say them anew."""
        page, at = divmod(slot, _PAGE)
        if page == len(self._ends):
            self._ends.append(np.zeros(_PAGE, dtype=np.int32))
            self._keys.append(_NOTHING)
        ends, old = self._ends[page], self._keys[page]
        start, end = int(ends[at - 1]) if at else 0, int(ends[at])
        self._keys[page] = np.concatenate([old[:start], np.asarray(keys, dtype=np.int32), old[end:]])
        ends[at:] += len(keys) - (end - start)
