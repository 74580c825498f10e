"""Duties at a time: what matching does when its timers fall due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from services.matching.commands.counting import COUNTS
from services.matching.commands.introductions import LAPSES
from services.matching.commands.leaving import ERASE
from services.matching.duties.erasing import erase_the_gone
from services.matching.duties.figures import count_figures
from services.matching.duties.lapsing import lapse_introductions
from shared.kit.ids import Ids
from shared.kit.timers import Duty

STANDING = (COUNTS,)
"""Kinds of timers that are always there."""


def duties(ids: Ids, *, counts_every: timedelta = timedelta(days=1)) -> Mapping[str, Duty]:
    """Each kind of timer with its duty."""
    return {
        ERASE: erase_the_gone(ids),
        LAPSES: lapse_introductions(ids),
        **count_figures(counts_every, ids),
    }
