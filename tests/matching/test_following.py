"""The index of a replica follows the tables: what it was built from, what changed since, what only time has changed."""

from __future__ import annotations

import asyncio
import itertools
from datetime import date, timedelta
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.matching.index import rows
from services.matching.index.following import Memory
from services.matching.rules.ranking import Card, Context
from shared.contracts.matching.profiles import EraseMyProfile, MakeOrganisation, State
from shared.contracts.matching.words import Level, Side, Visibility
from tests.matching.world import HUB, World

READER = Card(
    person=UUID(int=1),
    belongs=(HUB, "other"),
    found_at=(),
    opened=False,
    languages=(),
    offers=(),
    needs=(("bookkeeping", 1), ("photography", 1)),
)


def found(world: World, memory: Memory) -> list[str]:
    """Whom the index has for somebody who needs what they offer."""
    best = memory.index.top(READER, 10, Context())
    return sorted(name for name, person in world.people.items() if person in {one for one, _ in best})


async def kept(world: World, memory: Memory, before: int) -> int:
    """Let the replica hear what was stated since; how many facts there are."""
    facts = await world.facts(after=before)
    await memory.hear(facts)
    return before + len(facts)


async def card(world: World, name: str, session: AsyncSession | None = None) -> Card:
    """What ranking knows of somebody."""
    async with world.database.reading() as reading:
        known = await rows.cards(session or reading, [world.person(name)], today=world.now.date())
    return known[world.person(name)]


async def test_a_card_holds_what_still_holds_where_one_belongs_and_where_one_is_found(world: World) -> None:
    await world.hub("other")
    await world.member("ann", HUB, "other")
    await world.open_to("ann", HUB)
    await world.change("ann", languages=("sv", "en"))
    await world.ask(State(side=Side.OFFER, concept="bookkeeping", level=Level.EXPERT), "ann")
    await world.ask(State(side=Side.NEED, concept="carpentry", level=Level.BEGINNER), "ann")
    await world.needs("ann", "photography", until=world.now.date())
    assert await card(world, "ann") == Card(
        person=world.person("ann"),
        belongs=(HUB, "other"),
        found_at=(HUB,),
        opened=False,
        languages=("sv", "en"),
        offers=(("bookkeeping", 3),),
        needs=(("carpentry", 1), ("photography", 2)),
    )
    world.now += timedelta(days=1)
    assert (await card(world, "ann")).needs == (("carpentry", 1),)
    await world.change("ann", paused=True)
    assert (await card(world, "ann")).found_at == ()
    await world.change("ann", paused=False, visibility=Visibility.NOBODY)
    assert (await card(world, "ann")).found_at == ()


async def test_pages_hold_everybody_once_whom_somebody_may_find(world: World) -> None:
    people = ("ann", "bo", "cia", "dan", "eva")
    for name in sorted(people, key=world.person, reverse=True):  # so that they do not lie in their order
        await world.somebody(name, offers=["bookkeeping"])
    await world.change("bo", visibility=Visibility.NOBODY)
    await world.change("cia", paused=True)
    for size, by_index in itertools.product((1, 2, 100), ("on", "off")):
        seen: list[UUID] = []
        after: UUID | None = rows.NOBODY
        while after is not None:
            async with world.database.reading() as session:
                # As PostgreSQL chooses by itself for a small table whose rows it has counted.
                for way in ("indexscan", "bitmapscan", "indexonlyscan"):
                    await session.execute(text(f"SET LOCAL enable_{way} = {by_index}"))
                cards, after = await rows.page(session, after, today=world.now.date(), size=size)
            seen += cards
        assert seen == sorted(world.person(name) for name in ("ann", "dan", "eva"))


async def test_the_index_is_kept_by_re_reading_whom_facts_are_about(world: World) -> None:
    await world.somebody("ann", offers=["bookkeeping"])
    memory = Memory(world.database, world.clock)
    await memory.build()
    heard = len(await world.facts())
    assert found(world, memory) == ["ann"]
    await world.somebody("bo", offers=["photography"])
    heard = await kept(world, memory, heard)
    assert found(world, memory) == ["ann", "bo"]
    await world.close_to("ann")
    heard = await kept(world, memory, heard)
    assert found(world, memory) == ["bo"]
    await world.hear(world.left("bo"))
    heard = await kept(world, memory, heard)
    assert found(world, memory) == []
    await world.somebody("cia", offers=["photography"])
    await world.ask(EraseMyProfile(), "cia")
    await kept(world, memory, heard)
    assert found(world, memory) == []


async def test_the_same_facts_twice_late_and_reversed_leave_the_index_like_the_tables(world: World) -> None:
    await world.somebody("ann", offers=["bookkeeping"])
    memory = Memory(world.database, world.clock)
    await memory.build()
    await world.somebody("bo", offers=["photography"])
    await world.close_to("ann")
    await world.open_to("ann")
    await world.close_to("bo")
    facts = await world.facts()
    for order in (facts, facts[::-1], facts + facts):
        await memory.hear(order)
        assert found(world, memory) == ["ann"]


async def test_an_organisation_is_found_where_who_keeps_it_belongs(world: World) -> None:
    await world.member("ann")
    made = await world.ask(MakeOrganisation(hub=HUB, name="Nordviken Redovisning"), "ann")
    world.people["company"] = made.id
    await world.ask(State(side=Side.OFFER, concept="bookkeeping", organisation=made.id), "ann")
    await world.open_to("ann", organisation=made.id)
    memory = Memory(world.database, world.clock)
    await memory.build()
    assert found(world, memory) == ["company"]
    heard = len(await world.facts())
    await world.hear(world.left("ann"))
    await kept(world, memory, heard)
    assert found(world, memory) == []


async def test_what_ended_yesterday_and_where_hubs_are_is_looked_at_by_and_by(world: World) -> None:
    await world.somebody("ann")
    await world.offers("ann", "bookkeeping", until=date(2027, 3, 2))
    memory = Memory(world.database, world.clock)
    await memory.build()
    world.now += timedelta(days=1)
    await memory.look()
    assert found(world, memory) == ["ann"], "the last day counts"
    world.now += timedelta(days=1)
    await memory.look()
    assert found(world, memory) == []


async def test_replicas_built_at_different_times_give_the_same_answers(world: World) -> None:
    names = [f"p{number}" for number in range(12)]
    early = Memory(world.database, world.clock)
    await early.build()
    for place, name in enumerate(names):
        await world.somebody(name, offers=["bookkeeping", "photography"][place % 2 :], needs=["carpentry"])
    for name in names[::3]:
        await world.close_to(name)
    await early.hear(await world.facts())
    late = Memory(world.database, world.clock)
    await late.build()
    answers = await asyncio.gather(
        *(asyncio.to_thread(one.index.top, READER, 20, Context()) for one in (early, late))
    )
    assert answers[0] == answers[1]
    assert len(answers[0]) == 8
