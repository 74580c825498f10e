"""The line's rules by themselves: who gets a place, whom a freed one suits, how long it is kept, who would lose theirs."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.events.rules.line import (
    LETTERS,
    Holder,
    Line,
    compared_code,
    deal,
    doors_open,
    new_code,
    offer_until,
    proposed,
    shown_code,
    who_fits,
)
from shared.contracts.events.words import SignUpStatus, Way

NOW = datetime(2027, 3, 1, 8, tzinfo=UTC)


def line(capacity: int | None, taken: int = 0, waiting: int = 0, *, waits: bool = True) -> Line:
    """Places as they could stand."""
    start = NOW + timedelta(days=1)
    return Line(
        "nordviken", UUID(int=1), Way.ROOM, capacity, taken, waiting, 7, True, start, False, waits, start
    )


def test_places_are_dealt_in_order_until_they_are_gone() -> None:
    dealt = deal(line(5, taken=3), 4)
    assert [(one.number, one.waiting_place) for one in dealt if one] == [
        (8, None),
        (9, None),
        (10, 1),
        (11, 2),
    ]
    assert [one and one.number for one in deal(line(5, taken=4, waits=False), 3)] == [8, None, None]
    assert all(one and one.waiting_place is None for one in deal(line(None, taken=900), 50))


def test_nobody_overtakes_those_who_wait_even_beside_a_free_place() -> None:
    assert [one and one.waiting_place for one in deal(line(5, taken=3, waiting=2), 2)] == [3, 4]


@given(
    st.one_of(st.none(), st.integers(0, 9)),
    st.integers(0, 9),
    st.integers(0, 5),
    st.integers(0, 20),
    st.booleans(),
)
def test_no_deal_gives_away_more_than_there_is(
    capacity: int | None, taken: int, waiting: int, wanted: int, waits: bool
) -> None:
    dealt = deal(line(capacity, taken, waiting, waits=waits), wanted)
    attending = [one for one in dealt if one and one.status is SignUpStatus.ATTENDING]
    assert capacity is None or len(attending) <= max(capacity - taken, 0)
    assert len(dealt) == wanted
    assert [one.number for one in dealt if one] == list(range(8, 8 + sum(one is not None for one in dealt)))


def test_a_free_place_goes_to_the_first_whom_it_suits() -> None:
    waiting = [("ann", 3), ("ben", 1), ("cal", 2), ("dan", 1)]
    assert who_fits(waiting, 2) == ["ben", "dan"]
    assert who_fits(waiting, 4) == ["ann", "ben"]
    assert who_fits(waiting, None) == ["ann", "ben", "cal", "dan"]
    assert who_fits(waiting, 0) == []


def test_an_offer_stands_a_quarter_of_the_time_left() -> None:
    minutes = {8 * 1440: 1440, 1440: 360, 120: 30, 40: 15, 10: 10}
    for left, kept in minutes.items():
        assert offer_until(NOW, NOW + timedelta(minutes=left)) == NOW + timedelta(minutes=kept)


def test_who_came_last_would_lose_a_place_and_an_offer_before_a_place() -> None:
    holders = [
        Holder(UUID(int=number), UUID(int=number), status, number)
        for number, status in ((1, "attending"), (2, "offered"), (5, "attending"), (4, "attending"))
        for status in (SignUpStatus(status),)
    ]
    assert [one.number for one in proposed(holders, 3)] == [2, 5, 4]


def test_codes_are_read_as_people_write_them() -> None:
    code = new_code(random.Random(1))
    assert len(code) == 10
    assert set(code) <= set(LETTERS)
    shown = shown_code(code)
    for written in (shown, shown.lower(), f" {shown.replace('-', ' ')} ", shown.replace("-", "\u2013")):
        assert compared_code(written) == code


def test_doors_open_two_hours_before_and_shut_a_week_after() -> None:
    start, end = NOW, NOW + timedelta(hours=3)
    assert doors_open(start, end, start - timedelta(hours=2))
    assert not doors_open(start, end, start - timedelta(hours=2, seconds=1))
    assert doors_open(start, end, end + timedelta(days=7))
    assert not doors_open(start, end, end + timedelta(days=7, seconds=1))
