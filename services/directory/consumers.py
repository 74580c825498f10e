"""Facts in: what the services answer when somebody is erased."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.commands.erasing import take_answer
from shared.contracts.base import Fact
from shared.contracts.forgetting import PersonForgotten
from shared.contracts.streams import FORGETS
from shared.kit.bus import Effect
from shared.kit.ids import Clock


def hears_forgotten(service: str, clock: Clock) -> Mapping[type[Fact], Effect]:
    """Gather the receipt; answers add up, so their order does not matter."""

    async def on_forgotten(session: AsyncSession, fact: PersonForgotten) -> None:
        await take_answer(session, fact, now=clock())

    return {FORGETS[service]: on_forgotten}
