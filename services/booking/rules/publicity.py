"""What the public may know of how many people are there: bands, never a small number, never by subtraction."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

HIDDEN_BELOW = 5
BANDS = ((5, 9), (10, 19), (20, 49), (50, 99))
UNBOUNDED = 100
PUBLIC_EVERY = timedelta(minutes=5)


def public_band(present: int) -> str | None:
    """Nothing below 5, then a band."""
    if present < HIDDEN_BELOW:
        return None
    low, high = _bounds(present)
    return f"{low}+" if high is None else f"{low}-{high}"


def _bounds(present: int) -> tuple[int, int | None]:
    return next(((low, high) for low, high in BANDS if present <= high), (UNBOUNDED, None))


def public_total(total: int, parts: Sequence[int]) -> str | None:
    """The hub's band, or None when it would tell something about a space that is hidden.

    `parts` are the spaces that share no unit and together are the whole. With exactly one hidden space the total
    minus the others is that space (complementary suppression, the usual rule of statistical disclosure control).
    With more, the total may still be so large that somebody must be in them although every band shown is at its
    highest; then it is hidden too. The highest total of a band never tells anything: it leaves each hidden space
    the room for all it may hide.
    """
    hidden = sum(1 for part in parts if part < HIDDEN_BELOW)
    if hidden == 1 or total < HIDDEN_BELOW:
        return None
    if hidden and _bounds(total)[0] > _most(parts) + (HIDDEN_BELOW - 1) * (hidden - 1):
        return None
    return public_band(total)


def _most(parts: Sequence[int]) -> float:
    shown = [_bounds(part)[1] for part in parts if part >= HIDDEN_BELOW]
    return float("inf") if None in shown else sum(high for high in shown if high is not None)


def public_moment(now: datetime) -> datetime:
    """The last full five minutes: public figures change only then."""
    return now - (now - datetime.min.replace(tzinfo=UTC)) % PUBLIC_EVERY
