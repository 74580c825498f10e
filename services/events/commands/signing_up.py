"""Signing up: those who come at once are taken in together, in one transaction."""

from __future__ import annotations

import random
from dataclasses import dataclass

from shared.contracts.events.sign_ups import SignUp
from shared.kit.database import Database
from shared.kit.idempotency import Answer
from shared.kit.ids import Ids
from shared.kit.rpc import Call


@dataclass
class SignUps:
    """Answers sign-ups by itself: a lane per event and way, in which one transaction takes in all who wait."""

    database: Database
    ids: Ids
    chance: random.Random

    async def sign_up(self, request: SignUp, call: Call) -> Answer:
        """Attend, or stand in line."""
        raise NotImplementedError
