"""The line: who attends, who waits, who is offered a place; everything locks the places first."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.tables import SignUp
from shared.contracts.events.views import SignUpView
from shared.contracts.events.words import SignUpStatus, Way
from shared.kit.errors import FociError
from shared.kit.ids import Ids


@dataclass(frozen=True)
class Entrant:
    """Somebody who wants to take part."""

    person: UUID
    guest: bool


async def enter(
    session: AsyncSession,
    hub: str,
    event: UUID,
    way: Way,
    entrants: Sequence[Entrant],
    *,
    now: datetime,
    ids: Ids,
    chance: random.Random,
) -> list[SignUpView | FociError]:
    """Take these in, in this order: each attends, waits, or hears why not."""
    raise NotImplementedError


async def fill(session: AsyncSession, event: UUID, way: Way, *, now: datetime, ids: Ids) -> int:
    """Offer free places to the first in line; how many."""
    raise NotImplementedError


async def leave(
    session: AsyncSession, sign_up: SignUp, to: SignUpStatus, *, by: UUID | None, now: datetime, ids: Ids
) -> None:
    """Cancelled, declined or lapsed; the freed place is offered in the same transaction."""
    raise NotImplementedError
