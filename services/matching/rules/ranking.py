"""Who suits whom, and how well: the formula, in whole numbers.

Of two people, the *reader* and the *other*, the formula sees what a `Card` holds and nothing else.

    term(need)  = weight(need's concept) x the best of the other side's offers: nearness x fit
    get         = sum of term over the reader's needs and the other's offers, x focus(the other's offers)
    give        = sum of term over the other's needs and the reader's offers, x focus(the other's needs)
    score       = (GET get + GIVE give + min of the two) x place x language x past
    last, among the best POOL: score x rest, by how often the other was suggested of late

- *weight* grows by one with each halving of the share of people who name the concept: a rare skill tells more than one
  everybody has, and one change of one profile hardly ever changes an order.
- *nearness*: the same concept counts whole; the vocabulary's related, broader and narrower ones count less. Of several
  offers for one need the best counts, so that naming one thing in three ways brings nothing.
- *fit*: knowing less than is needed counts less, knowing more is no fault.
- *both ways*: the lesser direction counts twice, so a mutual meeting goes before two halves; one direction alone stays
  worth its whole, for helping is a reason to meet.
- *focus*: who names more than a dozen things is found for each of them the less: offering everything brings nothing.
- *place* and *language*: the same hub, town, region, anywhere; a language in common, none. Who said no languages is
  taken for one that can make themselves understood half-way.
- *past*: what was suggested on earlier days comes back by and by (a half-life of two weeks); who met, declined or said
  "not this one" meets again late or never.
- *rest*: whoever is suggested more often than the others who would suit is suggested less. But in a large hub many suit
  and never come among the best; so equals stand in an order that is another one for each reader and day, and one place in
  ten goes to somebody drawn from all who suit at all, if they were suggested less than half as often as the best: nobody
  with anything to give or to get is left out for good.

Nearness is the vocabulary's, corrected by what came of meetings (`lessons`).

Whole numbers, because an index, a brute-force search and a join in SQL must agree to the last unit, and replicas too: a
sum of floats depends on the order of its terms. Equal scores stand in the order of their lots, and those in that of ids.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from hashlib import blake2b
from uuid import UUID

from services.matching.rules.introductions import NOT_AGAIN_FOR
from shared.contracts.matching.words import IntroductionStatus

EXACT, RELATED, BROADER = 100, 50, 35
"""Nearness in per cent; BROADER for narrower, too."""

FIT = (100, 75, 45)
"""Per cent, by how many levels the offer falls short."""

GET, GIVE = 4, 3
FOCUS = 12
NOT_FOUND, HUB, MUNICIPALITY, REGION, FEDERATION = 0, 100, 85, 70, 55
COMMON, UNSAID, NONE = 100, 60, 20

POOL = 60
"""So many of the best are read again from the database and put in their last order."""
DRAWN = 20
"""So many of all who suit are read again beside them."""
A_PLACE_IN = 10
"""One place in so many is for who was suggested seldom."""
SELDOM = 2
"""Suggested seldom is who was suggested less than the best were, divided by this."""

HALF_LIFE = timedelta(days=14)
SUGGESTED_YESTERDAY = 15
MET, MET_FOR, ONCE_MET = 10, timedelta(days=365), 60
ONCE_ASKED = 50
"""Per cent, for whom an introduction did not come about with, once it may be tried again."""

EXPOSURE_POWER = 1.0
EXPOSURE_HALF_LIFE = timedelta(days=28)

Near = Mapping[str, Mapping[str, int]]
"""By concept, what is near it in per cent, itself included; as near one way as the other."""

Weigh = Callable[[str], int]


@dataclass(frozen=True, slots=True)
class Card:
    """All that ranking knows of somebody. Levels are 1 to 3."""

    person: UUID
    belongs: tuple[str, ...]
    """Hubs they belong to, where they may look for people."""
    found_at: tuple[str, ...]
    """Of those, the ones whose people may find them."""
    opened: bool
    """Whether the people of all hubs may."""
    languages: tuple[str, ...]
    offers: tuple[tuple[str, int], ...]
    needs: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hub is."""

    municipality: str | None
    region: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """What is known beside people: nearness of concepts, what a concept weighs, places by hub."""

    near: Near
    weigh: Weigh
    places: Mapping[str, Place]


@dataclass(frozen=True, slots=True)
class Context:
    """What counts for one reader at one time."""

    past: Mapping[UUID, int] = field(default_factory=dict)
    """What was between the two, in per cent; 100 for everybody not named, 0 for those not to be suggested."""
    hub: str | None = None
    """Only people found at this hub; null: wherever the reader may find them."""
    turn: int = 0
    """In which order equals stand."""


@dataclass(frozen=True, slots=True)
class Meeting:
    """A need that an offer serves, and what that is worth: the reader's concept and the other's."""

    mine: str
    theirs: str
    points: int


@dataclass(frozen=True, slots=True)
class Found:
    """What two people have for each other: a meeting per need."""

    score: int
    got: tuple[Meeting, ...]
    given: tuple[Meeting, ...]


def near(relations: Iterable[tuple[str, str, str]]) -> dict[str, dict[str, int]]:
    """Nearness from the vocabulary's rows (concept, `broader` or `related`, other); of two ways the nearer counts."""
    found: dict[str, dict[str, int]] = {}
    for concept, kind, other in relations:
        percent = RELATED if kind == "related" else BROADER
        for one, another in ((concept, other), (other, concept)):
            some = found.setdefault(one, {one: EXACT})
            some[another] = max(percent, some.get(another, 0))
    return found


def around(concept: str, near: Near) -> Mapping[str, int]:
    """What is near a concept; only itself where the vocabulary says nothing."""
    return near.get(concept) or {concept: EXACT}


def weight(people: int, named: int) -> int:
    """Of a concept that stands in `named` statements of `people` people."""
    return 1 + (people // max(named, 1)).bit_length()


def fit(need: int, offer: int) -> int:
    """Per cent, by the levels."""
    return FIT[max(need - offer, 0)]


def focus(named: int) -> int:
    """Per cent, by how many things somebody names on a side."""
    return 100 * FOCUS // max(FOCUS, named)


def combined(get: int, give: int) -> int:
    """Both directions in one figure."""
    got, given = GET * get, GIVE * give
    return got + given + min(got, given)


def place(reader: Card, other: Card, places: Mapping[str, Place]) -> int:
    """Per cent, by where the two are; 0 when the reader may not find the other."""
    if set(reader.belongs) & set(other.found_at):
        return HUB
    if not (other.opened and other.found_at):
        return NOT_FOUND
    nowhere = Place(None, None)
    here = [places.get(hub, nowhere) for hub in reader.belongs]
    there = [places.get(hub, nowhere) for hub in other.found_at]
    if {one.municipality for one in here} & {one.municipality for one in there} - {None}:
        return MUNICIPALITY
    if {one.region for one in here} & {one.region for one in there} - {None}:
        return REGION
    return FEDERATION


def language(some: tuple[str, ...], others: tuple[str, ...]) -> int:
    """Per cent, by whether the two can talk."""
    if not some or not others:
        return UNSAID
    return COMMON if set(some) & set(others) else NONE


def compare(reader: Card, other: Card, known: Known, context: Context) -> Found:
    """What the two have for each other, and the score; 0 means: not to be suggested."""
    got = tuple(
        Meeting(need, offer, points) for need, offer, points in _served(reader.needs, other.offers, known)
    )
    given = tuple(
        Meeting(offer, need, points) for need, offer, points in _served(other.needs, reader.offers, known)
    )
    get = sum(one.points for one in got) * focus(len(other.offers))
    give = sum(one.points for one in given) * focus(len(other.needs))
    around_them = place(reader, other, known.places)
    if other.person == reader.person or (context.hub is not None and context.hub not in other.found_at):
        around_them = NOT_FOUND
    circumstances = language(reader.languages, other.languages) * context.past.get(other.person, 100)
    return Found(combined(get, give) * around_them * circumstances, got, given)


def _served(
    needs: Iterable[tuple[str, int]], offers: tuple[tuple[str, int], ...], known: Known
) -> Iterator[tuple[str, str, int]]:
    """The needs that are served, by which offer, and what that is worth."""
    for concept, level in needs:
        percents = around(concept, known.near)
        worth = ((percents.get(one, 0) * fit(level, offered), one) for one, offered in offers)
        best, offer = max(worth, default=(0, concept))
        if best:
            yield concept, offer, best * known.weigh(concept)


# --- whose turn it is ---

LOTS = 2**64
ODD = 0x9E3779B97F4A7C15
"""Times this, an odd number near LOTS over the golden ratio, numbers that differ little come to lie far apart (Knuth, 6.4)."""


def turn(reader: UUID, day: date) -> int:
    """A number below LOTS that is another one for each reader and day, and the same on all replicas."""
    said = reader.bytes + day.isoformat().encode()
    return int.from_bytes(blake2b(said, digest_size=8).digest())


def lot(person: UUID, turn: int) -> int:
    """What somebody draws in a turn: the lowest stands first among equals."""
    return ((person.int % LOTS) ^ turn) * ODD % LOTS


# --- what was before ---


def suggested_before(at: datetime, now: datetime) -> int:
    """Per cent, for somebody suggested last on an earlier day."""
    return 100 - round((100 - SUGGESTED_YESTERDAY) * float(0.5 ** ((now - at) / HALF_LIFE)))


def introduced_before(status: IntroductionStatus, at: datetime, now: datetime) -> int:
    """Per cent, for somebody one has been introduced to, or might have been, `at` some time.

    How an introduction that did not come about ended makes no difference, or the list would tell who said no.
    """
    if status in {IntroductionStatus.SUGGESTED, IntroductionStatus.AGREED}:
        return 0
    if status in {IntroductionStatus.MET, IntroductionStatus.CLOSED}:
        return MET if now - at < MET_FOR else ONCE_MET
    return 0 if now - at < NOT_AGAIN_FOR else ONCE_ASKED


# --- how often somebody is suggested ---


def faded(times: float, at: datetime, now: datetime) -> float:
    """What is left of an exposure at `at` by `now`."""
    return times * float(0.5 ** (max(now - at, timedelta()) / EXPOSURE_HALF_LIFE))


def rest(times: float, usual: float) -> int:
    """Per mille, for somebody suggested `times` of late where those who would suit as well were suggested `usual` times."""
    share: float = (1 + usual) / (1 + usual + times)
    return int(1000 * share**EXPOSURE_POWER)


def rested(scores: Mapping[UUID, int], times: Mapping[UUID, float], turn: int = 0) -> list[UUID]:
    """The pool in its last order, best first: by score and by how often each was suggested of late."""
    usual = _usual(scores, times)
    final = {person: score * rest(times.get(person, 0.0), usual) for person, score in scores.items()}
    return sorted(final, key=lambda person: (-final[person], lot(person, turn), person))


def chosen(
    best: Mapping[UUID, int], drawn: Collection[UUID], times: Mapping[UUID, float], limit: int, turn: int = 0
) -> list[UUID]:
    """The first `limit` of the best in their last order, one place in ten left to whom of the drawn was suggested seldom.

    Where that is not a whole place, it is one on as many days.
    """
    places = limit // A_PLACE_IN + (turn % A_PLACE_IN < limit % A_PLACE_IN)
    order = rested(best, times, turn)
    bar = _usual(best, times) / SELDOM
    first = order[: limit - places]
    seldom = [one for one in drawn if one not in first and times.get(one, 0.0) < bar]
    seldom.sort(key=lambda person: (times.get(person, 0.0), lot(person, turn), person))
    last = seldom[:places]
    return first + _filled(order[len(first) :], last, limit - len(first))


def _filled(more: Sequence[UUID], last: list[UUID], room: int) -> list[UUID]:
    others = [one for one in more if one not in last]
    return others[: room - len(last)] + last


def _usual(scores: Mapping[UUID, int], times: Mapping[UUID, float]) -> float:
    return sum(times.get(person, 0.0) for person in scores) / max(len(scores), 1)
