"""Facts in about members: keep who belongs where, and close what those who leave had opened."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.leaving import end_stay
from services.matching.commands.mirrors import keep_member
from shared.contracts.base import Fact
from shared.contracts.directory.facts import MemberJoinedV1, MemberLeftV1, RoleChangedV1
from shared.kit.bus import Effect
from shared.kit.ids import Clock, Ids


def follows_members(clock: Clock, ids: Ids) -> Mapping[type[Fact], Effect]:
    """Leaving ends what was consented to before; so does joining, for whom it follows a leaving not heard of yet."""

    async def on_stay(session: AsyncSession, fact: MemberJoinedV1 | MemberLeftV1) -> None:
        await keep_member(session, fact)
        await end_stay(session, fact, now=clock(), ids=ids)

    async def on_role(session: AsyncSession, fact: RoleChangedV1) -> None:
        await keep_member(session, fact)

    return {MemberJoinedV1: on_stay, MemberLeftV1: on_stay, RoleChangedV1: on_role}
