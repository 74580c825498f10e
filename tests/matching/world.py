"""Matching on a real database with a clock and ids of the test's own: stories are told in facts, requests and answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar, cast
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.matching import rpc
from services.matching.duties import duties
from services.matching.index.following import Memory
from services.matching.main import forgetting, hears
from services.matching.queries import seeing
from services.matching.rpc.matches import Matches
from services.matching.rules.folding import fold
from shared.contracts.base import Request
from shared.contracts.directory.facts import MemberJoinedV1, MemberLeftV1, RoleChangedV1
from shared.contracts.directory.words import Role
from shared.contracts.matching.profiles import (
    ChangeMyProfile,
    GetMyProfile,
    GiveConsent,
    ProfileView,
    State,
    WithdrawConsent,
)
from shared.contracts.matching.words import Level, Side, Visibility
from shared.kit.bus import Consumer
from shared.kit.database import Database, make_engine
from shared.kit.idempotency import Answer
from shared.kit.rpc import Call, Handler
from shared.kit.timers import Timers
from tests.world import HUB, MONDAY, HearingWorld, Refused

__all__ = ["HUB", "MONDAY", "Refused", "World", "make_world"]

R = TypeVar("R", bound=BaseModel)

CONCEPTS: Mapping[str, Mapping[str, str]] = {
    "bookkeeping": {"en": "bookkeeping", "sv": "bokföring", "da": "bogføring"},
    "photography": {"en": "photography", "sv": "fotografering", "da": "fotografering"},
    "public-relations": {"en": "public relations", "sv": "PR"},
    "carpentry": {"en": "carpentry", "sv": "snickeri", "da": "tømrerarbejde"},
}
"""The vocabulary of stories that need no other."""

_CONCEPT = text("INSERT INTO concept (id, origin, kind) VALUES (:id, 'foci', 'skill') ON CONFLICT DO NOTHING")
_LABEL = text("""
    INSERT INTO label (concept, language, kind, label, folded)
    VALUES (:concept, :language, 'preferred', :label, :folded) ON CONFLICT DO NOTHING
""")


@dataclass
class World(HearingWorld):
    """One matching service without its process: handlers and consumers on a real database."""

    stream = "MATCHING"
    _answers: Mapping[type[Request[Any]], Handler] | None = None

    def handlers(self) -> Mapping[type[Request[Any]], Handler]:
        """What the service answers."""
        # One vocabulary in memory, as a process has.
        if self._answers is None:
            self._answers = rpc.handlers(self.ids)
        return self._answers

    async def carried_out(self, request: Request[Any], call: Call) -> Answer:
        """What is answered from memory is answered by a replica that has just begun."""
        memory = Memory(self.database, self.clock)
        direct = Matches(self.database, memory).direct().get(type(request))
        if direct is None:
            return await super().carried_out(request, call)
        await memory.build()
        return await direct(request, call)

    def consumers(self) -> tuple[Consumer, ...]:
        """The service's consumers."""
        return hears(self.database, clock=self.clock, ids=self.ids)

    def timers(self) -> Timers:
        """The service's duties, to be done one at a time."""
        known = {**duties(self.ids), **forgetting(self.clock, self.ids).duties()}
        return Timers(self.database, known, self.clock)

    # --- what others state ---

    def joined(
        self, name: str, role: Role = Role.MEMBER, hub: str = HUB, *, version: int | None = None
    ) -> MemberJoinedV1:
        """Directory states that somebody joined a hub."""
        return MemberJoinedV1(**self._of_member(name, hub, version), role=role)

    def role_changed(
        self, name: str, role: Role, hub: str = HUB, *, version: int | None = None
    ) -> RoleChangedV1:
        """Directory states that somebody has another role."""
        return RoleChangedV1(**self._of_member(name, hub, version), role=role, previous=Role.VISITOR)

    def left(self, name: str, hub: str = HUB, *, version: int | None = None) -> MemberLeftV1:
        """Directory states that somebody left a hub."""
        return MemberLeftV1(**self._of_member(name, hub, version))

    def _of_member(self, name: str, hub: str, version: int | None) -> dict[str, Any]:
        subject = f"{hub}/{self.person(name)}"
        return {
            "id": self.ids(),
            "hub": hub,
            "occurred_at": self.now,
            "subject": subject,
            "subject_version": self.version_of(subject, version),
            "person": self.person(name),
        }

    async def member(self, name: str, *hubs: str, role: Role = Role.MEMBER) -> UUID:
        """Somebody who belongs to these hubs, or to the one of the story."""
        for hub in hubs or (HUB,):
            await self.hear(self.joined(name, role, hub))
        return self.person(name)

    # --- what is there ---

    async def vocabulary(self, concepts: Mapping[str, Mapping[str, str]] = CONCEPTS) -> None:
        """These concepts with their preferred labels."""
        async with self.database.transaction() as session:
            for concept, labels in concepts.items():
                await session.execute(_CONCEPT, {"id": concept})
                for language, label in labels.items():
                    named = {"concept": concept, "language": language, "label": label}
                    await session.execute(_LABEL, named | {"folded": fold(label)})

    async def write(self, statement: str, **values: Any) -> None:
        """Put something into the database that no request would."""
        async with self.database.transaction() as session:
            await session.execute(text(statement), values)

    # --- what people say ---

    async def offers(self, name: str, *concepts: str, until: date | None = None) -> None:
        """Somebody offers these."""
        for concept in concepts:
            await self.ask(State(side=Side.OFFER, concept=concept, until=until), name)

    async def needs(self, name: str, *concepts: str, until: date | None = None) -> None:
        """Somebody needs these."""
        for concept in concepts:
            await self.ask(State(side=Side.NEED, concept=concept, until=until), name)

    async def profile(self, name: str, *, organisation: UUID | None = None) -> ProfileView:
        """A profile as its owner sees it."""
        return await self.ask(GetMyProfile(organisation=organisation, language="en"), name)

    async def change(self, name: str, *, organisation: UUID | None = None, **said: Any) -> ProfileView:
        """Somebody says something else in general."""
        now = await self.profile(name, organisation=organisation)
        return await self.ask(ChangeMyProfile(version=now.version, organisation=organisation, **said), name)

    async def open_to(
        self, name: str, *hubs: str, visibility: Visibility = Visibility.HUB, organisation: UUID | None = None
    ) -> None:
        """Somebody lets themselves be seen, and consents for these hubs, or for the one of the story."""
        await self.change(name, organisation=organisation, visibility=visibility)
        for hub in hubs or (HUB,):
            await self.ask(GiveConsent(hub=hub, organisation=organisation), name)

    async def close_to(self, name: str, hub: str = HUB) -> None:
        """Somebody takes a consent back."""
        await self.ask(WithdrawConsent(hub=hub), name)

    async def somebody(
        self,
        name: str,
        *hubs: str,
        offers: Collection[str] = (),
        needs: Collection[str] = (),
        level: Level | None = None,
        visibility: Visibility = Visibility.HUB,
    ) -> UUID:
        """Somebody who belongs to these hubs, is open to them, offers and needs something."""
        person = await self.member(name, *hubs)
        for side, concepts in ((Side.OFFER, offers), (Side.NEED, needs)):
            for concept in concepts:
                said = {} if level is None else {"level": level}
                await self.ask(State(side=side, concept=concept, **said), name)
        await self.open_to(name, *hubs, visibility=visibility)
        return person

    # --- what is shown ---

    async def sees(self, viewer: str, *names: str) -> list[str]:
        """Those of the people, by name, whom the viewer may be shown now; of all there are when none is named."""
        wanted = {name: self.person(name) for name in names or [*self.people]}
        async with self.database.reading() as session:
            found = await seeing.seen(session, self.person(viewer), wanted.values())
        return sorted(name for name, person in wanted.items() if person in found)


async def begun(world: World) -> None:
    """The story every other begins with: the hub Nordviken and a few skills."""
    await world.hub()
    await world.vocabulary()


@asynccontextmanager
async def make_world(url: str, *, pool: int = 8, engine: AsyncEngine | None = None) -> AsyncIterator[World]:
    """A matching service on what is in the database; over `engine`, which outlives it, or one of its own."""
    own = make_engine(url, pool_size=pool) if engine is None else None
    try:
        yield World(Database(engine or cast("AsyncEngine", own), lambda: None))
    finally:
        if own is not None:
            await own.dispose()
