"""What outcomes teach: which skills help those who need what they are said to be near, and which do not.

An editor says what is near what; what came of meetings says how often that was so. For each two concepts, or one and
itself, `people` said what came of meeting somebody whose offer of the one served their need of the other, and `helped` of
them that it brought something: help, a collaboration, a company.

    factor  = (helped + DOUBT x usual) / (people + DOUBT) / usual
    nearness, as ranking takes it = the vocabulary's x factor, no less than LEAST and no more than MOST per cent of it

*usual* is the share helped over all pairs that the vocabulary holds equally near, so that exact ones are not praised for being
exact. This is the mean of a Beta distribution that begins with DOUBT people of the usual luck: few outcomes say little, and
fewer than FEWEST people nothing. Each person counts once for a pair, whatever they say how often; so nobody moves much, and
nobody is judged: what is learned is about skills, never about a person.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from services.matching.rules.ranking import Near, around

DOUBT = 10
FEWEST = 5
LEAST, MOST = 60, 140
"""Per cent of the vocabulary's nearness."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """How many people said what came of this pair of concepts, and how many that it helped; `one` <= `other`."""

    one: str
    other: str
    people: int
    helped: int


def learned(near: Near, lessons: Iterable[Lesson]) -> dict[str, dict[str, int]]:
    """Nearness by the vocabulary and by what came of it, in whole per cent; what is not near does not become so."""
    found = {concept: dict(some) for concept, some in near.items()}
    kinds: defaultdict[int, list[Lesson]] = defaultdict(list)
    for lesson in lessons:
        percent = around(lesson.one, near).get(lesson.other, 0)
        if percent and lesson.people >= FEWEST:
            kinds[percent].append(lesson)
    for percent, some in kinds.items():
        for lesson in some:
            points = percent * _factor(lesson, some) // 100
            for one, other in ((lesson.one, lesson.other), (lesson.other, lesson.one)):
                found.setdefault(one, dict(around(one, near)))[other] = points
    return found


def _factor(lesson: Lesson, alike: Sequence[Lesson]) -> int:
    """Per cent; 100 while nothing ever helped anybody."""
    people, helped = sum(one.people for one in alike), sum(one.helped for one in alike)
    if not helped:
        return 100
    factor: int = 100 * (lesson.helped * people + DOUBT * helped) // ((lesson.people + DOUBT) * helped)
    return min(max(factor, LEAST), MOST)
