"""Whether everybody's turn comes in hubs of many people, where far more suit than are ever among the best."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta

from tests.bench.match_quality import LOOKS, Foci, spread_of
from tests.bench.report import Say
from tests.matching.planted import REPORTED, Plan, federation
from tests.world import MONDAY


@dataclass(frozen=True)
class Crowd:
    """People of one hub who together say so many different things, five times `fields` times four, and some weeks."""

    members: int
    fields: int
    weeks: int = 4

    @property
    def skills(self) -> int:
        """How many different leaves of the vocabulary they have."""
        return 20 * self.fields


CROWDS = (Crowd(1000, 12), Crowd(4000, 12), Crowd(4000, 2), Crowd(12_000, 2))
QUICK = (Crowd(300, 2, weeks=2),)


@dataclass(frozen=True)
class Spread:
    """How evenly the suggestions went."""

    crowd: Crowd
    never: float
    gini: float


def spread(crowd: Crowd) -> Spread:
    """Six in ten look each week; nobody says what came of it."""
    people = federation(Plan(REPORTED[0], members=crowd.members, hubs=1, fields=crowd.fields))
    foci, chance, times = Foci.of(people), random.Random(people.plan.seed), Counter[int]()
    for week in range(crowd.weeks):
        now = MONDAY + timedelta(weeks=week)
        for number in range(crowd.members):
            if chance.random() < LOOKS:
                others = foci.suggest(number, now)
                times.update(others)
                foci.note(number, others, (), now)
    never, gini = spread_of(times, crowd.members)
    return Spread(crowd, never, gini)


def measured(*, quick: bool, say: Say) -> list[Spread]:
    """One after the other."""
    found = []
    for crowd in QUICK if quick else CROWDS:
        found.append(spread(crowd))
        never, gini = found[-1].never, found[-1].gini
        say(
            f"{crowd.members} people in one hub, {crowd.skills} skills: {never:.2%} never suggested, Gini {gini:.2f}"
        )
    return found
