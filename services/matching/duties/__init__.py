"""Duties at a time: what matching does when its timers fall due."""

from __future__ import annotations

from collections.abc import Mapping

from services.matching.commands.leaving import ERASE
from services.matching.duties.erasing import erase_the_gone
from shared.kit.ids import Ids
from shared.kit.timers import Duty


def duties(ids: Ids) -> Mapping[str, Duty]:
    """Each kind of timer with its duty."""
    return {
        ERASE: erase_the_gone(ids),
    }
