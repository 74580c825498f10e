"""Which figures about what people say may be published: none that tells of fewer than five, alone or by subtraction.

Hiding each count below five is not enough: the municipality's figure less that of its other hubs would tell the hidden one, so
would that of a broader skill less its narrower ones, and so would this month's less the last one's. So nothing is counted twice
in two ways. Every statement goes into at most one *group*, and a figure is the sum of the groups that lie wholly inside its
area and its skill:

- What five or more people of one hub say of one skill is a group.
- What is left is put together over more and more: the same skill in the municipality, then in the region; then, from the
  narrowest skills upwards, with what is left of its sisters, again in the hub, the municipality, the region.
- A group put together of `k` hidden parts, each of at most four people, counts from five people on and for at most `4 (k - 1)`:
  then all of it may stand in the other parts, so whatever is shown, each hidden part may still be any number from 0 to 4.
  The parts are all those in which nobody has been shown, not only those in which there is somebody.
- Groups have no people in common but those who said two things, and are added, never united: a union would tell the overlap.
- A figure is shown in steps of five, downwards. One person more or less seldom changes it, and when it does, between one and
  nine people may have come or gone since the month before.

What is not in a group is nowhere: one person more or less there changes nothing that is shown. A sum can thus leave out some.
Who is themself four of five learns of the fifth; no threshold helps against that.

The threshold is that of the events' figures and of official statistics (GSS/GSR disclosure guidance for tables: 3 to 10); the
rest is complementary suppression over nested areas (Willenborg and de Waal, Elements of Statistical Disclosure Control, 2001).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

SMALLEST = 5
"""Fewer people than this are nobody's business."""
STEP = 5
"""Figures are shown as multiples of it."""
MOST_HIDDEN = SMALLEST - 1

Path = tuple[str, str | None, str | None]
"""A hub, its municipality and its region; None for what it has none of."""
LEVELS = 3
Node = tuple[str, str, bool]
"""An area, a concept, and whether only those are meant who named the concept itself, not a narrower one."""


@dataclass(frozen=True)
class Said:
    """How many people of a hub say one thing, and who they are while they are few."""

    people: int
    few: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Group:
    """People counted together, in the smallest area and under the narrowest concept that hold all of them."""

    area: str
    concept: str
    people: int


class Vocabulary:
    """Concepts with what is broader; each is pooled below one of them, so that nothing is pooled twice."""

    def __init__(self, broader: Mapping[str, Collection[str]]) -> None:
        self._broader = broader
        self._children: dict[str, list[str]] = defaultdict(list)
        for concept in sorted(broader):
            above = self.chain(concept)[1:2]
            for one in above:
                self._children[one].append(concept)

    def chain(self, concept: str) -> tuple[str, ...]:
        """The concept and what it is pooled below, outwards; a circle ends where it closes."""
        chain = [concept]
        while above := sorted(set(self._broader.get(chain[-1], ())) - set(chain)):
            chain.append(above[0])
        return tuple(chain)

    def children(self, concept: str) -> list[str]:
        """What is pooled below the concept."""
        return self._children.get(concept, [])

    def above(self, concept: str) -> frozenset[str]:
        """The concept and everything broader, on all ways."""
        found, ahead = {concept}, [concept]
        while ahead:
            new = set(self._broader.get(ahead.pop(), ())) - found
            found |= new
            ahead += new
        return frozenset(found)


@dataclass
class Pooling:
    """Putting together: the groups so far, the nodes they were formed at, and what is left."""

    places: Mapping[str, Path]
    vocabulary: Vocabulary
    left: dict[tuple[str, str], Said]
    groups: list[Group] = field(default_factory=list)
    formed: set[Node] = field(default_factory=set)

    def form(self, node: Node, cells: Iterable[tuple[str, str]], people: int) -> None:
        """These cells are a group now."""
        self.groups.append(Group(node[0], node[1], people))
        self.formed.add(node)
        for cell in cells:
            del self.left[cell]

    def alone(self) -> None:
        """What enough people of a hub say."""
        for (hub, concept), said in sorted(self.left.items()):
            if said.people >= SMALLEST:
                self.form((hub, concept, True), [(hub, concept)], said.people)

    def pool(self, level: int, below: Callable[[str], str | None], *, direct: bool) -> None:
        """Put together what is left at one level of areas, each cell under the concept `below` says."""
        pools: dict[Node, list[tuple[str, str]]] = defaultdict(list)
        for hub, concept in sorted(self.left):
            area, under = self.places[hub][level], below(concept)
            if area is not None and under is not None:
                pools[area, under, direct].append((hub, concept))
        for node, cells in pools.items():
            people: set[str] = set().union(*(self.left[cell].few for cell in cells))
            # Counting the parts is what costs; most pools are too small whatever they are.
            if len(people) < SMALLEST:
                continue
            counted = min(len(people), MOST_HIDDEN * (self._parts(node, level) - 1))
            if counted >= SMALLEST:
                self.form(node, cells, counted)

    def _parts(self, node: Node, level: int) -> int:
        """In how many parts of the node somebody might be hidden, whether or not anybody is."""
        area, concept, direct = node
        if level > 0:
            hubs = [hub for hub, path in self.places.items() if path[level] == area]
            return len({self._part(hub, level) for hub in hubs if self._hides(hub, concept, direct)})
        return 1 if direct else sum(self._hides(area, *part) for part in self._below(concept))

    def _part(self, hub: str, level: int) -> str:
        return next(area for area in reversed(self.places[hub][:level]) if area is not None)

    def _below(self, concept: str) -> Iterator[tuple[str, bool]]:
        yield concept, True
        for child in self.vocabulary.children(concept):
            yield child, False

    def _hides(self, hub: str, concept: str, direct: bool) -> bool:  # the third part of a node
        """Whether somebody of the hub might have said this without being in a group."""
        if any((area, concept, direct) in self.formed for area in self.places[hub] if area is not None):
            return False
        return direct or any(self._hides(hub, *part) for part in self._below(concept))


def pooled(
    said: Mapping[tuple[str, str], Said], places: Mapping[str, Path], vocabulary: Vocabulary
) -> Pooling:
    """The groups of what is said, by hub and concept, and what is left; `places` names every hub that might have said it."""
    pooling = Pooling(places, vocabulary, dict(said))
    pooling.alone()
    for level in range(1, LEVELS):
        pooling.pool(level, lambda concept: concept, direct=True)
    chains = {concept: vocabulary.chain(concept)[::-1] for _, concept in said}
    for depth in reversed(range(max(map(len, chains.values()), default=0))):

        def at_depth(concept: str, depth: int = depth) -> str | None:
            return chains[concept][depth] if depth < len(chains[concept]) else None

        for level in range(LEVELS):
            pooling.pool(level, at_depth, direct=False)
    return pooling


def shown(people: int) -> int | None:
    """A sum of groups as it is published, in steps downwards; None when it is not."""
    return people // STEP * STEP or None


def published(
    said: Mapping[tuple[str, str], Said], places: Mapping[str, Path], vocabulary: Vocabulary
) -> dict[tuple[str, str], int]:
    """Every figure that may be shown, by area and concept; what is not in it is "fewer than five"."""
    wider = dict(_wider(places))
    sums: dict[tuple[str, str], int] = defaultdict(int)
    for group in pooled(said, places, vocabulary).groups:
        for area in wider[group.area]:
            for concept in vocabulary.above(group.concept):
                sums[area, concept] += group.people
    return {key: figure for key, people in sums.items() if (figure := shown(people)) is not None}


def _wider(places: Mapping[str, Path]) -> Iterator[tuple[str, list[str]]]:
    """Each area with those it lies in, itself first."""
    for path in places.values():
        areas = [area for area in path if area is not None]
        for number, area in enumerate(areas):
            yield area, areas[number:]
