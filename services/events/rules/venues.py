"""How the agreement on a room goes on: what an answer means for a wish, and how long one waits for it."""

from __future__ import annotations

from datetime import timedelta

from shared.contracts.events.words import VenueState

ANSWER_WITHIN = timedelta(minutes=2)
"""Booking answers in milliseconds; after that time it is asked whether it has heard."""
ASK_EVERY = timedelta(minutes=10)
QUIET = timedelta(minutes=1)
"""A row that changed so recently may be on its way to agreement; only what rests is mended."""
COMPARE_EVERY = timedelta(minutes=15)
STILL_OF_INTEREST = timedelta(days=2)
"""How long a venue that wants nothing any more is still compared."""

PENDING = frozenset({VenueState.WANTED, VenueState.HELD})
"""Booking has not said its last word."""
