"""Duties at a time: what events does when its timers fall due; put together here."""

from __future__ import annotations

import random
from collections.abc import Mapping

from services.events.duties import events, line, venues
from shared.kit.ids import Ids
from shared.kit.timers import Duty


def duties(ids: Ids, chance: random.Random) -> Mapping[str, Duty]:
    """Each kind of timer with its duty."""
    return {kind: duty for part in (events, line, venues) for kind, duty in part.duties(ids, chance).items()}
