"""A day of a few hubs in simulated time; `python -m tests.notify.day` lives through one of 620."""

from __future__ import annotations

from tests.notify.day.run import SMALL, live
from tests.notify.world import World


async def test_a_day_in_which_the_clocks_change_ends_with_everybody_told_once(empty: World) -> None:
    outcome = await live(empty, SMALL, seed=4)
    assert outcome.faults == []
    assert set(outcome.by_news) >= {
        "booked",
        "moved",
        "cancelled",
        "soon",
        "place-taken",
        "place-offered",
        "new-event",
    }
    assert outcome.over_smtp
    assert outcome.twice
