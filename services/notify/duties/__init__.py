"""Duties at a time: what notify does when its timers fall due. Notices, digests and deliveries are timers of their own."""

from __future__ import annotations

from collections.abc import Mapping

from services.notify.duties.housekeeping import FORGET, forget_what_is_over
from shared.kit.timers import Duty


def duties() -> Mapping[str, Duty]:
    """Each kind of timer with its duty."""
    return {FORGET: forget_what_is_over}
