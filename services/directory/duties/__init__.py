"""Duties at a time, by noun: what directory does when its timers fall due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from services.directory.commands.sessions import Mint
from services.directory.duties import erasures, sign_in
from services.directory.duties.erasures import RECEIPTS
from services.directory.duties.sign_in import FORGET, KEYS
from shared.kit.timers import Duty

STANDING = (RECEIPTS, KEYS, FORGET)
"""Those that set their own next time."""


def duties(mint: Mint, key_lifetime: timedelta) -> Mapping[str, Duty]:
    """Each kind of timer with its duty."""
    return {**erasures.duties(mint.ids), **sign_in.duties(mint, key_lifetime)}
