"""When a delivery that failed is tried again: ten times or so within a day."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

GIVE_UP_AFTER = timedelta(hours=24)
PAUSES = tuple(
    timedelta(minutes=minutes) for minutes in (1 / 12, 1, 5, 20, 60, 2 * 60, 4 * 60, 6 * 60, 11 * 60)
)
"""Between the tries; the last one falls where the day ends."""
JITTER = 0.2
"""Each pause is longer or shorter by up to this part of it, so that what failed together does not come back together."""
LONGEST_WISH = timedelta(hours=6)
"""What a target may ask for with Retry-After; more is taken for a mistake."""


def next_try(
    attempts: int,
    *,
    since: datetime,
    now: datetime,
    chance: random.Random,
    retry_after: timedelta | None = None,
) -> datetime | None:
    """When to try again after `attempts` failures, or None when it is to be given up.

    The target's own wish prolongs a pause and never shortens it. A pause that would go past the day since `since` ends
    with it: the last try is a day after the first.
    """
    end = since + GIVE_UP_AFTER
    if now >= end:
        return None
    pause = PAUSES[min(attempts, len(PAUSES)) - 1] * (1 + JITTER * (2 * chance.random() - 1))
    if retry_after is not None:
        pause = max(pause, min(retry_after, LONGEST_WISH))
    return min(now + pause, end)


def wished_pause(retry_after: str | None, now: datetime) -> timedelta | None:
    """What a Retry-After header (RFC 9110, 10.2.3) asks for, seconds or a date; None when it says nothing usable."""
    if retry_after is None:
        return None
    given = retry_after.strip()
    if given.isascii() and given.isdigit():
        # Longer numbers than this are no time anybody means, and overflow.
        return timedelta(seconds=int(given[:9]))
    try:
        moment = parsedate_to_datetime(given)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(aware - now, timedelta(0))
