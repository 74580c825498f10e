"""Events with places for stories of the line: rows as publishing leaves them, and what else changes a line from outside."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import select

from services.events.commands import places
from services.events.tables import Event, Organiser
from shared.contracts.base import Fact
from shared.contracts.events.sign_ups import AcceptOffer, DeclineOffer, GiveBackPlace, SignUp
from shared.contracts.events.views import SignUpView
from shared.contracts.events.words import OrganiserKind, Visibility, Way
from tests.events.world import HUB, World

F = TypeVar("F", bound=Fact)


async def opened(
    world: World,
    capacity: int | None = 2,
    *,
    online: int | None = 0,
    waits: bool = True,
    visibility: Visibility = Visibility.PUBLIC,
    starts_in: timedelta = timedelta(days=8),
    by: str = "olga",
    status: str = "published",
) -> UUID:
    """An event people can sign up for, in a week; `online` 0 is none."""
    id_ = world.ids()
    starts_at = world.now + starts_in
    async with world.database.transaction() as session:
        event = Event(
            id=id_,
            hub=HUB,
            kind="talk",
            visibility=visibility,
            status=status,
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=2),
            time_zone="Europe/Stockholm",
            address="Kajen 1",
            texts={"sv": {"title": "Hamnens historia", "text": ""}},
            language="sv",
            created_by=world.person(by),
            created_at=world.now,
            started_by="member",
            usable_at=None if status == "draft" else world.now,
            changed_at=world.now,
        )
        session.add(event)
        await session.flush()
        session.add(Organiser(event=id_, hub=HUB, kind=OrganiserKind.PERSON, id=world.person(by)))
        capacities = {Way.ROOM: capacity} | ({} if online == 0 else {Way.ONLINE: online})
        await places.make(session, event, capacities, waits=waits)
    return id_


async def changed(world: World, event: UUID, **columns: Any) -> None:
    """Something of the event is changed, as every command does it that changes an event."""
    async with world.database.transaction() as session:
        row = (await session.scalars(select(Event).where(Event.id == event).with_for_update())).one()
        for name, value in columns.items():
            setattr(row, name, value)
        row.version, row.changed_at = row.version + 1, world.now
        await session.flush()
        await places.sync(session, row)


async def cancelled(world: World, event: UUID) -> None:
    """The event is cancelled."""
    await changed(world, event, status="cancelled", cancelled_at=world.now)


async def hidden(world: World, event: UUID, *, again: bool = False) -> None:
    """The hub hides the event, or shows it again."""
    reason = None if again else "a mistake"
    await changed(world, event, hidden_at=None if again else world.now, hidden_reason=reason)


async def resized(
    world: World, event: UUID, capacity: int | None, *, way: Way = Way.ROOM, losing: Collection[UUID] = ()
) -> None:
    """There are more or fewer places; CapacityBelow as the command raises it."""
    async with world.database.transaction() as session:
        row = (await session.scalars(select(Event).where(Event.id == event).with_for_update())).one()
        await places.set_capacity(
            session,
            row,
            way,
            capacity,
            losing=frozenset(losing),
            by=world.person("olga"),
            now=world.now,
            ids=world.ids,
        )


async def sign_up(world: World, event: UUID, *names: str, way: Way | None = None) -> list[SignUpView]:
    """These people sign up, one after the other."""
    return [await world.ask(SignUp(hub=HUB, event=event, way=way), name) for name in names]


def accept(of: SignUpView, version: int | None = None) -> AcceptOffer:
    """The request to take an offered place."""
    return AcceptOffer(hub=HUB, event=of.event, sign_up=of.id, version=version)


def decline(of: SignUpView, version: int | None = None) -> DeclineOffer:
    """The request to leave an offered place."""
    return DeclineOffer(hub=HUB, event=of.event, sign_up=of.id, version=version)


def give_back(of: SignUpView) -> GiveBackPlace:
    """The request not to come after all."""
    return GiveBackPlace(hub=HUB, event=of.event, sign_up=of.id)


async def states(world: World, event: UUID) -> dict[str, str]:
    """Everybody's state by name."""
    names = {id_: name for name, id_ in world.people.items()}
    rows = await world.rows("SELECT person, status FROM sign_up WHERE event = :event", event=event)
    return {names[row.person]: row.status for row in rows}


async def stated(world: World, kind: type[F]) -> list[F]:
    """The facts of one kind, in the order of writing."""
    return [fact for fact in await world.facts() if isinstance(fact, kind)]


# What is wrong with the lines, as SQL finds it: no row is good news.
_WRONG = """
    SELECT p.event, p.way, p.capacity, p.taken, p.waiting, p.came, p.last_number, c.*
    FROM places p LEFT JOIN LATERAL (
        SELECT coalesce(sum(seats) FILTER (WHERE status IN ('attending', 'offered')), 0) AS held,
               coalesce(sum(seats) FILTER (WHERE status = 'waiting'), 0) AS in_line,
               count(*) FILTER (WHERE came_at IS NOT NULL) AS there, coalesce(max(number), 0) AS highest
        FROM sign_up s WHERE s.event = p.event AND s.way = p.way
    ) c ON true
    WHERE p.taken <> c.held OR p.waiting <> c.in_line OR p.came <> c.there OR c.highest > p.last_number
       OR p.taken > p.capacity
       OR (p.open AND p.closes_at > :now AND p.waiting > 0 AND (p.capacity IS NULL OR p.taken < p.capacity))
"""


async def nothing_wrong(world: World) -> None:
    """The promises of every line: counted right, never overfull, nobody waits beside a free place."""
    assert await world.rows(_WRONG, now=world.now) == []
