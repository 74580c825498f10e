"""What came of meetings teaches which skills help: a little, by nobody alone, and the same on all replicas."""

from __future__ import annotations

from datetime import timedelta

import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from services.matching.commands.learning import draw_lessons
from services.matching.index import rows
from services.matching.index.following import Memory
from services.matching.rules.lessons import DOUBT, FEWEST, LEAST, MOST, Lesson, learned
from services.matching.rules.ranking import BROADER, EXACT, RELATED, near
from shared.contracts.directory.facts import HubProfileChangedV1
from shared.contracts.matching.facts import HubPlacedV1, LessonsDrawnV1
from shared.contracts.matching.gaps import FEW, Area
from shared.contracts.matching.introductions import ReplyToIntroduction, SayOutcome
from shared.contracts.matching.outcomes import GetOutcomes, OutcomeFigures
from shared.contracts.matching.profiles import EraseMyProfile, TakeBack
from shared.contracts.matching.words import Outcome, Reply, Side
from tests.matching.kept import told_once
from tests.matching.test_gaps import counted, hubs
from tests.matching.test_introductions import asks
from tests.matching.world import HUB, World, begun

NEAR = near([("pr", "related", "letters"), ("pr", "broader", "trade"), ("law", "related", "letters")])
RELATED_PAIR = "INSERT INTO relation (concept, kind, other) VALUES ('carpentry', 'related', 'photography')"


def test_what_helps_more_often_than_what_is_equally_near_comes_nearer() -> None:
    found = learned(NEAR, [Lesson("letters", "pr", 20, 15), Lesson("law", "letters", 20, 5)])
    assert RELATED * MOST // 100 >= found["pr"]["letters"] == found["letters"]["pr"] > RELATED
    assert RELATED * LEAST // 100 <= found["law"]["letters"] == found["letters"]["law"] < RELATED
    assert (found["pr"]["pr"], found["pr"]["trade"]) == (EXACT, BROADER)


def test_exact_pairs_are_held_against_exact_ones() -> None:
    found = learned({}, [Lesson("baking", "baking", 30, 30), Lesson("web", "web", 30, 15)])
    assert found["baking"] == {"baking": 100 * (30 * 60 + DOUBT * 45) // (40 * 45)}
    assert found["web"]["web"] < EXACT


def test_few_say_nothing_and_what_is_not_near_does_not_become_so() -> None:
    assert learned(NEAR, [Lesson("letters", "pr", FEWEST - 1, 0), Lesson("law", "law", 50, 25)]) == {
        **NEAR,
        "law": {**NEAR["law"], "law": EXACT},
    }
    assert "trade" not in learned(NEAR, [Lesson("law", "trade", 50, 50)])["law"]


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=1, max_size=6))
def test_no_outcomes_move_anything_beyond_the_bounds(said: list[tuple[int, int]]) -> None:
    some = [Lesson(f"c{n}", f"c{n}", max(pair), min(pair)) for n, pair in enumerate(said)]
    for concept, percents in learned({}, some).items():
        assert EXACT * LEAST // 100 <= percents[concept] <= EXACT * MOST // 100


NAMES = tuple(f"p{number}" for number in range(6))
"""So many that they may be told of."""


async def meet(world: World, by: str, whom: str, outcome: Outcome) -> None:
    """Somebody asks to meet another, who wants to, too; it brings them that."""
    made = await asks(world, by, whom)
    await world.ask(ReplyToIntroduction(introduction=made.id, answer=Reply.YES), whom)
    await world.ask(SayOutcome(introduction=made.id, outcome=outcome), by)


async def _town(world: World) -> None:
    """Photography for photography helps nobody, carpentry helped everybody who thought it would."""
    await begun(world)
    await hubs(world)
    await world.write(RELATED_PAIR)
    await world.somebody("bo", offers=["photography"])
    await world.somebody("cia", offers=["carpentry"])
    for name in NAMES:
        await world.somebody(name, needs=["photography"])
        await meet(world, name, "bo", Outcome.NOTHING)
        await meet(world, name, "cia", Outcome.HELP)


@pytest_asyncio.fixture
async def town(empty: World) -> World:
    """As it is told above."""
    return await told_once(empty, _town)


async def drawn(world: World) -> list[Lesson]:
    async with world.database.transaction() as session:
        await draw_lessons(session, now=world.now, ids=world.ids)
    async with world.database.reading() as session:
        return await rows.lessons(session)


async def test_replicas_learn_what_came_of_meetings_when_it_is_counted(town: World) -> None:
    world = town
    memory = Memory(world.database, world.clock)
    await memory.build()
    assert memory.index.known.near["photography"] == {"photography": EXACT, "carpentry": RELATED}
    await world.let_time_pass(days=1)
    await counted(world)
    facts = await world.facts(LessonsDrawnV1)
    assert [fact.subject_version for fact in facts] == [1]
    await memory.build()
    late = memory.index.known.near
    heard = Memory(world.database, world.clock)
    await heard.build()
    await heard.hear(facts)
    assert heard.index.known.near == late
    async with world.database.reading() as session:
        assert await rows.lessons(session) == [
            Lesson("carpentry", "photography", 6, 6),
            Lesson("photography", "photography", 6, 0),
        ]
    await counted(world)
    assert len(await world.facts(LessonsDrawnV1)) == 1, "nothing new is no news"


async def test_what_was_needed_when_both_said_yes_counts_though_the_need_is_gone(town: World) -> None:
    world = town
    before = await drawn(world)
    for name in NAMES:
        await world.ask(TakeBack(side=Side.NEED, concept="photography"), name)
    assert await drawn(world) == before
    await world.ask(EraseMyProfile(), "p0")
    assert [one.people for one in await drawn(world)] == [5, 5]
    kept = await world.rows("SELECT reasons FROM introduction")
    assert sum(row.reasons == [] for row in kept) == 2, "with whom they met, and over what, has gone"
    await world.ask(EraseMyProfile(), "bo")
    assert [one.one for one in await drawn(world)] == ["carpentry"]


async def test_who_says_it_often_is_one(town: World) -> None:
    for number in range(3):
        await town.somebody(f"q{number}", offers=["carpentry"])
        await meet(town, "p0", f"q{number}", Outcome.COMPANY)
    assert (await drawn(town))[0] == Lesson("carpentry", "photography", 6, 6)


async def figures(world: World, area: Area = Area.HUB) -> OutcomeFigures:
    return await world.ask(GetOutcomes(hub=HUB, area=area), None, None)


async def test_what_came_of_meetings_is_told_in_steps_of_five_and_of_nobody_who_is_not_open(
    town: World,
) -> None:
    world = town
    assert (await figures(world)).month is None
    await counted(world)
    told = await figures(world, Area.REGION)
    assert {one.outcome: one.people for one in told.items} == {
        Outcome.NOTHING: 5,
        Outcome.HELP: 5,
        Outcome.COLLABORATION: FEW,
        Outcome.COMPANY: FEW,
    }
    assert (await figures(world)).items == told.items
    for name in NAMES[:2]:
        await world.close_to(name)
    world.now += timedelta(days=31)
    await counted(world)
    later = (await figures(world)).items
    assert {one.people for one in later} == {FEW}
    assert [one.trend[0].people for one in later] == [5, 5, FEW, FEW]


async def test_a_hub_that_moves_is_elsewhere_on_every_replica_as_soon_as_they_hear_it(world: World) -> None:
    await hubs(world, ("skutskar", "Skutskar"))
    memory = Memory(world.database, world.clock)
    await memory.build()
    heard = len(await world.facts())
    fact = world.hub_fact("skutskar")
    moved = {**fact.model_dump(exclude={"municipality", "region"}), "municipality": "Nordviken"}
    await world.hear(HubProfileChangedV1(**moved, region="Norra"))
    facts = await world.facts(after=heard)
    assert [type(one) for one in facts] == [HubPlacedV1]
    assert memory.index.known.places["skutskar"].municipality == "Skutskar"
    await memory.hear(facts)
    assert memory.index.known.places["skutskar"].municipality == "Nordviken"
    again = world.hub_fact("skutskar").model_dump(exclude={"municipality", "region"})
    await world.hear(HubProfileChangedV1(**again, municipality="Nordviken", region="Norra"))
    assert await world.facts(after=heard + 1) == [], "what else is said of a hub moves nobody"
