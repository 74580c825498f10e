"""Keeping a replica's index like the tables: built at the start, then each person read again whom a fact is about."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from uuid import UUID

from services.matching.index import rows
from services.matching.index.arrays import Columns
from services.matching.index.index import Index
from shared.contracts.base import Fact
from shared.contracts.matching.facts import (
    ConceptsChangedV1,
    ConsentGivenV1,
    ConsentWithdrawnV1,
    HubPlacedV1,
    LessonsDrawnV1,
    ProfileChangedV1,
)
from shared.kit.database import Database
from shared.kit.errors import Unavailable
from shared.kit.ids import Clock

AT_ONCE = 200
"""People read again in one statement."""

_ABOUT_PEOPLE = (ProfileChangedV1, ConsentGivenV1, ConsentWithdrawnV1)


class Memory:
    """The index of this replica. It ranks; who may be shown is asked of the tables each time (queries/seeing.py)."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._index: Index | None = None
        self._day = clock().date()

    @property
    def index(self) -> Index:
        """The index as it is now; Unavailable before the first build."""
        if self._index is None:
            raise Unavailable(
                "Matching is reading what people offer and need. Try again soon.", retry_after=5
            )
        return self._index

    async def build(self) -> None:
        """Make an index of everybody whom somebody may find, in place of the one there is.

        Page by page, each read by itself: a transaction that reads a million people would hold others up. Whoever changes
        meanwhile is heard of afterwards.
        """
        today = self._clock().date()
        async with self._database.reading() as session:
            made = Index(await rows.near(session), await rows.places(session))
        filling, after = Columns(), rows.NOBODY
        while True:
            async with self._database.reading() as session:
                cards, last = await rows.page(session, after, today=today)
            if last is None:
                break
            for card in cards.values():
                made.add(filling, card)
            after = last
        # Nobody else has it yet, and sorting a million lists would keep requests waiting.
        await asyncio.to_thread(made.done, filling)
        self._index, self._day = made, today

    async def hear(self, facts: Sequence[Fact]) -> None:
        """Read again whom, which lessons, which places the facts are about; another vocabulary takes another index."""
        if any(isinstance(fact, ConceptsChangedV1) for fact in facts):
            await self.build()
            return
        if any(isinstance(fact, LessonsDrawnV1) for fact in facts):
            async with self._database.reading() as session:
                near = await rows.near(session)
            self.index.learn(near)
        if any(isinstance(fact, HubPlacedV1) for fact in facts):
            await self._place()
        await self._replace(dict.fromkeys(fact.person for fact in facts if isinstance(fact, _ABOUT_PEOPLE)))

    async def look(self) -> None:
        """When a day is over, read again whose offers and needs ended with it."""
        today = self._clock().date()
        if today > self._day:
            async with self._database.reading() as session:
                ended = await rows.ended(session, since=self._day, today=today)
            await self._replace(dict.fromkeys(ended))
            self._day = today

    async def _place(self) -> None:
        async with self._database.reading() as session:
            places = await rows.places(session)
        for hub, place in places.items():
            self.index.place(hub, place)

    async def _replace(self, people: dict[UUID, None]) -> None:
        wanted = list(people)
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            async with self._database.reading() as session:
                cards = await rows.cards(session, some, today=self._clock().date())
            for person in some:
                card = cards.get(person)
                if card is None:
                    self.index.remove(person)
                else:
                    self.index.replace(card)
