"""Facts in from booking about the rooms of events."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.base import Fact
from shared.kit.bus import Effect
from shared.kit.ids import Clock, Ids


def follows_venues(clock: Clock, ids: Ids) -> Mapping[type[Fact], Effect]:  # noqa: ARG001
    """Act on what booking answers, in order."""
    return {}


def compares_venues(clock: Clock, ids: Ids) -> Mapping[type[Fact], Effect]:  # noqa: ARG001
    """Mend what is apart, from snapshots that the order has no use for."""
    return {}
