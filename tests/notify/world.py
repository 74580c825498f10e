"""Notify on a real database with a clock and ids of the test's own: stories are told in facts, requests and answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar, cast
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notify import rpc
from services.notify.channels.http import Outside
from services.notify.main import hears
from services.notify.queries.states import Key, states
from services.notify.rules.differences import difference
from services.notify.rules.states import State, state_from
from services.notify.settings import Settings
from shared.contracts.base import Fact, Request
from shared.contracts.booking import facts as booking
from shared.contracts.booking.words import SpaceKind
from shared.contracts.catalogue import fact_class
from shared.contracts.directory import facts as directory
from shared.contracts.directory.words import Role
from shared.contracts.events import facts as events
from shared.contracts.examples import example
from shared.contracts.notify.words import About, Channel, News, NoticeKind
from shared.kit.bus import BatchConsumer, Consumer
from shared.kit.database import Database, make_engine
from shared.kit.rpc import Handler
from tests.world import HUB, MONDAY, ZONE, HearingWorld, Refused

__all__ = ["HUB", "MONDAY", "ZONE", "Refused", "World", "make_world"]

R = TypeVar("R", bound=BaseModel)
F = TypeVar("F", bound=Fact)

TUESDAY = datetime(2027, 3, 9, 9, 0, tzinfo=UTC)
"""When things are unless a story says otherwise: Tuesday of next week, 10:00 in Stockholm."""
GATHER = timedelta(seconds=20)
SECRET = "a-key-for-tests"

SETTINGS = Settings(
    database_url="postgresql://nowhere",
    assertion_public_key="",
    secret_key=SECRET,
    link_private_key="",
    gather_s=GATHER.total_seconds(),
    _env_file=None,
)


class Told(NamedTuple):
    """What somebody would be told."""

    person: UUID
    channel: Channel
    news: News
    kind: NoticeKind


@dataclass
class World(HearingWorld):
    """One notify service without its process: handlers and consumers on a real database."""

    stream = "NOTIFY"
    settings: Settings = SETTINGS
    outside: Outside = field(default_factory=Outside)

    def later(self, **by: float) -> datetime:
        """Move the clock on."""
        self.now += timedelta(**by)
        return self.now

    def handlers(self) -> Mapping[type[Request[Any]], Handler]:
        """What the service answers."""
        return rpc.handlers(self.settings, self.outside, self.ids)

    # Hearing

    def consumers(self) -> tuple[Consumer, ...]:
        """The service's consumers."""
        return hears(self.database, self.settings, clock=self.clock, ids=self.ids)

    async def hear(self, *facts: Fact) -> list[str]:
        """Take facts in as the service's consumers would, those of a projection in one batch."""
        outcomes = []
        for consumer in self.consumers():
            heard = [fact for fact in facts if type(fact) in consumer._effects]
            if not isinstance(consumer, BatchConsumer):
                outcomes += [await consumer.take_in(fact) for fact in heard]
            elif heard:
                await consumer.take_in_batch(heard)
        return outcomes

    def fact(self, kind: type[F], subject: object, /, *, version: int | None = None, **said: Any) -> F:
        """A fact about a thing, the next of it unless `version` says otherwise."""
        name = str(subject)
        number = version or self.versions.get(name, 0) + 1
        self.versions[name] = max(number, self.versions.get(name, 0))
        base = example(kind).model_dump()
        common = {
            "id": self.ids(),
            "hub": HUB,
            "occurred_at": self.now,
            "subject": name,
            "subject_version": number,
        }
        return kind.model_validate(base | common | said)

    async def hub(self, hub: str = HUB, zone: str = ZONE) -> None:
        """A hub that notify has heard of."""
        await self.hear(self.fact(directory.HubRegisteredV1, hub, hub=hub, name=hub.title(), time_zone=zone))

    async def space(self, slug: str = "studio", name: str = "Studion", hub: str = HUB) -> None:
        """A space that notify has heard of."""
        fact = self.fact(
            booking.SpaceOpenedV1, f"{hub}/{slug}", hub=hub, space=slug, name=name, kind=SpaceKind.ROOM
        )
        await self.hear(fact)

    async def member(self, name: str, role: Role = Role.MEMBER, hub: str = HUB) -> UUID:
        """Somebody who belongs to a hub."""
        person = self.person(name)
        await self.hear(
            self.fact(directory.MemberJoinedV1, f"{hub}/{person}", hub=hub, person=person, role=role)
        )
        return person

    def booked(
        self,
        kind: type[Fact] = booking.BookingConfirmedV1,
        thing: UUID | str | None = None,
        *,
        by: str | None = None,
        who: str = "ann",
        start: datetime = TUESDAY,
        minutes: int = 60,
        **said: Any,
    ) -> Any:
        """A fact about a booking of the studio."""
        values: dict[str, Any] = {
            "space": "studio",
            "units": (1,),
            "seats": 1,
            "start": start,
            "end": start + timedelta(minutes=minutes),
            "person": self.person(who),
            "by": self.person(by or who),
        }
        return self.fact(kind, thing or self.ids(), **(values | said))

    def event(
        self,
        kind: type[Fact] = events.EventPublishedV1,
        thing: UUID | str | None = None,
        *,
        by: str | None = "olle",
        organisers: Sequence[str] = ("olle",),
        start: datetime = TUESDAY,
        minutes: int = 120,
        **said: Any,
    ) -> Any:
        """A fact about an event that Olle runs in the studio."""
        values: dict[str, Any] = {
            "start": start,
            "end": start + timedelta(minutes=minutes),
            "space": "studio",
            "online": False,
            "series": None,
            "organisers": tuple(self.person(name) for name in organisers),
            "by": None if by is None else self.person(by),
            "titles": {"sv": "Frukost", "en": "Breakfast"},
            "venue_lost": False,
        }
        known = {name: value for name, value in (values | said).items() if name in kind.model_fields}
        return self.fact(kind, thing or self.ids(), **known)

    def sign_up(
        self,
        kind: type[Fact] = events.PlaceTakenV1,
        thing: UUID | str | None = None,
        *,
        event: UUID | str,
        by: str | None = "",
        who: str = "ann",
        **said: Any,
    ) -> Any:
        """A fact about somebody's place; by themselves unless `by` names somebody, or None for time."""
        values: dict[str, Any] = {
            "event": event,
            "person": self.person(who),
            "guest": False,
            "by": None if by is None else self.person(by or who),
            "until": self.now + timedelta(hours=24),
        }
        known = {name: value for name, value in (values | said).items() if name in kind.model_fields}
        return self.fact(kind, thing or self.ids(), **known)

    # Looking

    async def notices(self, channel: Channel = Channel.EMAIL) -> Sequence[Any]:
        """What may have to be told, the first due first."""
        return await self.rows(
            "SELECT * FROM notice WHERE channel = :channel ORDER BY due_at, person, about, thing",
            channel=channel,
        )

    async def stated(self) -> list[Fact]:
        """What the service has stated, in the order of writing."""
        rows = await self.rows("SELECT subject, body FROM outbox ORDER BY id")
        return [known.model_validate_json(row.body) for row in rows if (known := fact_class(row.subject))]

    async def tell(self, *channels: Channel) -> list[Told]:
        """What would be told now, to people who have chosen nothing and are awake; afterwards they know."""
        told: list[Told] = []
        async with self.database.transaction() as session:
            due = await session.execute(text("SELECT * FROM notice WHERE due_at <= :now"), {"now": self.now})
            for notice in due.all():
                about = About(notice.about)
                key = Key(notice.person, about, notice.thing)
                seen = (await states(session, [key])).get(key)
                if seen is None or seen.now is None:
                    continue
                named = {"person": key.person, "about": about, "thing": key.thing, "channel": notice.channel}
                row = (await session.execute(text(_TOLD), named)).first()
                before: State | None = None if row is None else state_from(about, row.state)
                said = difference(before, seen.now, about=about, at=self.now, hub_zone=seen.hub_zone)
                if said is not None:
                    told.append(Told(notice.person, Channel(notice.channel), *said))
                state = seen.now.model_dump_json()
                await session.execute(text(_KEEP), named | {"state": state, "now": self.now})
                await session.execute(text("DELETE FROM notice WHERE id = :id"), {"id": notice.id})
        return [one for one in told if not channels or one.channel in channels]

    async def mailed(self) -> list[tuple[str, News, NoticeKind]]:
        """The same by mail: who, and what."""
        names: Mapping[UUID, str] = {person: name for name, person in self.people.items()}
        return sorted((names[one.person], one.news, one.kind) for one in await self.tell(Channel.EMAIL))


_WHERE = "person = :person AND about = :about AND thing = :thing AND channel = :channel"
_TOLD = f"SELECT state FROM told WHERE {_WHERE}"
_KEEP = """
    INSERT INTO told (person, about, thing, channel, state, told_at)
    VALUES (:person, :about, :thing, :channel, CAST(:state AS jsonb), :now)
    ON CONFLICT (person, about, thing, channel) DO UPDATE SET state = excluded.state, told_at = excluded.told_at
"""


@asynccontextmanager
async def make_world(
    url: str, *, now: datetime = MONDAY, pool: int = 8, engine: AsyncEngine | None = None
) -> AsyncIterator[World]:
    """A notify service on what is in the database; over `engine`, which outlives it, or one of its own."""
    own = make_engine(url, pool_size=pool) if engine is None else None
    world = World(Database(engine or cast("AsyncEngine", own), lambda: None), now=now)
    try:
        yield world
    finally:
        await world.outside.aclose()
        if own is not None:
            await own.dispose()
