"""Facts in about hubs: keep what matching needs of them."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.mirrors import HubFact, keep_hub
from shared.contracts.base import Fact
from shared.contracts.streams import HUB_FACTS
from shared.kit.bus import Effect
from shared.kit.ids import Clock, Ids


def mirrors_hubs(clock: Clock, ids: Ids) -> Mapping[type[Fact], Effect]:
    """Keep names, places, zones and languages of hubs; every replica hears of a place."""

    async def on_hub(session: AsyncSession, fact: HubFact) -> None:
        await keep_hub(session, fact, now=clock(), ids=ids)

    return dict.fromkeys(HUB_FACTS, on_hub)
