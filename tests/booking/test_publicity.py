"""What the public is told never lets anybody work out a number that is hidden."""

# ruff: noqa: DTZ001  # wall times have no zone until they are given one
from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.booking.rules.publicity import HIDDEN_BELOW, public_band, public_moment, public_total


@pytest.mark.parametrize(
    ("present", "band"),
    [
        (0, None),
        (4, None),
        (5, "5-9"),
        (9, "5-9"),
        (10, "10-19"),
        (20, "20-49"),
        (99, "50-99"),
        (100, "100+"),
        (999, "100+"),
    ],
)
def test_bands(present: int, band: str | None) -> None:
    assert public_band(present) == band


def bounds(band: str) -> tuple[int, int]:
    low, _, high = band.rstrip("+").partition("-")
    return int(low), int(high) if high else 100_000


def possible(total: str | None, bands: list[str | None]) -> list[set[int]]:
    """For each hidden space every number that fits the document: what somebody who reckons can know."""
    if total is None:
        return [set(range(HIDDEN_BELOW)) for band in bands if band is None]
    low, high = bounds(total)
    shown = [bounds(band) for band in bands if band is not None]
    least, most = sum(one[0] for one in shown), sum(one[1] for one in shown)
    others = (HIDDEN_BELOW - 1) * (sum(band is None for band in bands) - 1)
    fits = {
        number for number in range(HIDDEN_BELOW) if least + number <= high and most + others + number >= low
    }
    return [fits for band in bands if band is None]


counts = st.one_of(st.integers(0, 12), st.sampled_from([4, 5, 9, 10, 19, 20, 49, 50, 99, 100, 300]))


@settings(max_examples=300, deadline=None)
@given(parts=st.lists(counts, min_size=1, max_size=12))
@example(parts=[9, 9, 9, 19, 4])  # the total begins the next band: the hidden one can only be 4
@example(parts=[9, 9, 9, 9, 9, 9, 19, 19, 4, 4])  # the same with two hidden
def test_no_document_tells_a_hidden_number(parts: list[int]) -> None:
    bands = [public_band(part) for part in parts]
    total = public_total(sum(parts), parts)
    for numbers in possible(total, bands):
        assert numbers == set(range(HIDDEN_BELOW))
    if bands.count(None) == 1:
        assert total is None


@given(st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
def test_public_moments_are_full_five_minutes(now: datetime) -> None:
    moment = public_moment(now)
    assert timedelta(0) <= now - moment < timedelta(minutes=5)
    assert (moment.minute % 5, moment.second, moment.microsecond) == (0, 0, 0)
