"""Requests in about matches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.commands.showing import note_shown, stop_match
from services.matching.index.following import Memory
from services.matching.queries.matches import list_matches
from shared.contracts.base import Request
from shared.contracts.matching.matches import ListMyMatches, StopMatch, StoppedView
from shared.kit.database import Database
from shared.kit.idempotency import Answer
from shared.kit.ids import Ids
from shared.kit.principal import required
from shared.kit.rpc import Call, Direct, Handler, answer_of


@dataclass(frozen=True)
class Matches:
    """Answers who suits whom from this replica's index: read in one session, noted as shown in a transaction after it."""

    database: Database
    memory: Memory

    async def list_mine(self, request: ListMyMatches, call: Call) -> Answer:
        """The person's matches now; they are suggested from here on."""
        me = required(call.principal).person
        async with self.database.reading() as session:
            page, people = await list_matches(session, self.memory.index, request, me, now=call.now)
        if people and not request.ahead:
            async with self.database.transaction() as session:
                await note_shown(session, me, people, now=call.now)
        return answer_of(request, page)

    def direct(self) -> dict[type[Request[Any]], Direct]:
        """What is answered without a session given."""
        return {ListMyMatches: self.list_mine}


def handlers(ids: Ids) -> dict[type[Request[Any]], Handler]:
    """Everything else about matches."""

    async def stop(session: AsyncSession, request: StopMatch, call: Call) -> StoppedView:
        await stop_match(session, request, required(call.principal).person, now=call.now, ids=ids)
        return StoppedView(id=request.match)

    return {StopMatch: stop}
