"""Facts in about members: who leaves a hub gives back places at what is for its people."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from services.events.commands.leaving import give_back_all
from shared.contracts.base import Fact
from shared.contracts.directory.facts import MemberJoinedV1, MemberLeftV1, RoleChangedV1
from shared.kit.bus import Effect
from shared.kit.ids import Clock, Ids


def frees_leavers_places(clock: Clock, ids: Ids) -> Mapping[type[Fact], Effect]:
    """Give back what somebody who left a hub had in events for its people.

    Joining and changing roles are heard only to know the order: somebody who left and joined again keeps what they sign up
    for after that.
    """

    async def on_left(session: AsyncSession, fact: MemberLeftV1) -> None:
        await give_back_all(session, fact.hub, fact.person, since=fact.occurred_at, now=clock(), ids=ids)

    async def on_other(_: AsyncSession, __: MemberJoinedV1 | RoleChangedV1) -> None:
        return None

    return {MemberLeftV1: on_left, MemberJoinedV1: on_other, RoleChangedV1: on_other}
