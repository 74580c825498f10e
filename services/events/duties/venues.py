"""Duties at a time about the rooms of events."""

from __future__ import annotations

import random
from collections.abc import Mapping

from shared.kit.ids import Ids
from shared.kit.timers import Duty


def duties(ids: Ids, chance: random.Random) -> Mapping[str, Duty]:  # noqa: ARG001
    """Each kind of timer with its duty."""
    return {}
