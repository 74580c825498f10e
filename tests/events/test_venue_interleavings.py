"""Whatever people do on both sides, in whatever order and however often the facts arrive: in the end both say the same."""

from __future__ import annotations

import itertools
import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.contracts.base import Fact
from shared.contracts.events.views import EventView
from tests.booking.world import Refused as BookingRefused
from tests.events.agreeing import Both
from tests.events.world import Refused

SPACES = ("studio", "lab", "flex", "floor")
FIRST = datetime(2027, 3, 8, 10, 0)  # noqa: DTZ001  # wall time, as people say it

_space = st.sampled_from(SPACES)
_hour = st.integers(0, 3)
STEPS = st.one_of(
    st.tuples(st.just("publish")),
    st.tuples(st.just("change_time"), _hour),
    st.tuples(st.just("change_room"), _space),
    st.tuples(st.just("no_room")),
    st.tuples(st.just("cancel")),
    st.tuples(st.just("host_cancels")),
    st.tuples(st.just("host_moves"), _hour, _space),
    st.tuples(st.just("rival"), _space),
    st.tuples(st.just("lose_next")),
    st.tuples(st.just("time"), st.sampled_from((1, 3, 11))),
    st.tuples(
        st.just("carry"), st.sampled_from(("events", "booking", "both")), st.booleans(), st.integers(0, 99)
    ),
)


class Play:
    """One event on a day of its own, and two services that may be at any point of hearing about it."""

    def __init__(self, both: Both, day: datetime) -> None:
        self.both = both
        self.day = day
        self.event: EventView | None = None
        self.losing = 0
        self.late: dict[str, list[Fact]] = {"events": [], "booking": []}

    def hour(self, number: int) -> dict[str, str]:
        """Two hours from one of four starts, which overlap."""
        start = self.day + timedelta(hours=number)
        return {"start": start.isoformat(), "end": (start + timedelta(hours=2)).isoformat()}

    async def take(self, step: tuple[Any, ...]) -> None:
        """One step; what is refused is no step."""
        try:
            await getattr(self, step[0])(*step[1:])
        except (Refused, BookingRefused, AssertionError) as error:
            if isinstance(error, AssertionError) and error.args:
                raise

    async def publish(self) -> None:
        assert self.event is not None
        await self.both.events.publish(self.event)

    async def change_time(self, number: int) -> None:
        assert self.event is not None
        await self.both.change(self.event, **self.hour(number))

    async def change_room(self, space: str) -> None:
        assert self.event is not None
        await self.both.change(self.event, place={"space": space})

    async def no_room(self) -> None:
        assert self.event is not None
        await self.both.change(self.event, place={"address": "Harbour 1"})

    async def cancel(self) -> None:
        assert self.event is not None
        await self.both.cancel(self.event)

    async def host_cancels(self) -> None:
        if self.event is not None and await self.both.room_of(self.event) is not None:
            await self.both.host_cancels(self.event)

    async def host_moves(self, number: int, space: str) -> None:
        if self.event is not None and await self.both.room_of(self.event) is not None:
            await self.both.host_moves(self.event, **self.hour(number), space=space)

    async def rival(self, space: str) -> None:
        await self.both.booking.book(space, self.day.isoformat(), by="ben")

    async def lose_next(self) -> None:
        self.losing += 1

    async def time(self, minutes: int) -> None:
        moment = self.both.events.now + timedelta(minutes=minutes)
        await self.both.events.until(moment)
        await self.both.booking.until(moment)

    async def carry(self, whose: str, twice: bool, seed: int) -> None:
        """Some of the news arrives, in any order; the rest comes later, or never where a fact is lost."""
        chance = random.Random(seed)
        for service in ("events", "booking") if whose == "both" else (whose,):
            news = self.late[service] + await self.both._new(service)
            lost = [fact for fact in news if "Venue" in type(fact).__name__][: self.losing]
            self.losing -= len(lost)
            news = [fact for fact in news if fact not in lost] * (2 if twice else 1)
            chance.shuffle(news)
            cut = chance.randint(0, len(news)) if seed % 3 == 0 else len(news)
            self.late[service] = news[cut:]
            hearer = self.both.booking if service == "events" else self.both.events
            await hearer.hear(*news[:cut])

    async def end(self) -> None:
        """What was late arrives; time passes and both compare."""
        self.losing = 0
        await self.carry("both", twice=False, seed=1)
        await self.both.settle()
        for _ in range(4):
            await self.both.compare()
        await self.both.agree()


_days = itertools.count()


@pytest.mark.parametrize("hidden_trouble", [False, True], ids=["facts arrive", "facts are lost"])
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=14), space=_space)
async def test_in_the_end_both_say_the_same(
    both: Both, hidden_trouble: bool, steps: list[tuple[Any, ...]], space: str
) -> None:
    play = Play(both, FIRST + timedelta(days=next(_days)))
    play.event = await both.publish(space, play.day.isoformat())
    for step in steps:
        if hidden_trouble or step[0] != "lose_next":
            await play.take(step)
    await play.end()
