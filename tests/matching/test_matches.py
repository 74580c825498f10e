"""Who is suggested to whom: those who may be shown, best first, with reasons, and never too often."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from uuid import UUID, uuid4

import pytest_asyncio

from services.matching.index.following import Memory
from services.matching.queries.handles import handles_for
from services.matching.rpc.matches import Matches
from services.matching.rules import ranking
from shared.contracts.directory.words import Role
from shared.contracts.matching.facts import ConsentWithdrawnV1
from shared.contracts.matching.matches import Input, ListMyMatches, MatchPage, Nearness, StopMatch, Way
from shared.contracts.matching.words import Visibility
from shared.kit.rpc import Call
from tests.matching.kept import told_once
from tests.matching.world import HUB, World, begun

RELATED = "INSERT INTO relation (concept, kind, other) VALUES ('carpentry', 'related', 'photography')"


async def _town(world: World) -> None:
    """Ann needs bookkeeping and offers photography; Bo has what she needs and needs what she has, Cia has it only."""
    await begun(world)
    await world.somebody("ann", needs=["bookkeeping"], offers=["photography"])
    await world.somebody("bo", offers=["bookkeeping"], needs=["photography"])
    await world.somebody("cia", offers=["bookkeeping"])
    await world.somebody("dag", needs=["photography"])
    await world.somebody("eva", offers=["carpentry"])


@pytest_asyncio.fixture
async def town(empty: World) -> World:
    """As it is told above."""
    return await told_once(empty, _town)


async def matches(world: World, name: str, **asked: object) -> MatchPage:
    return await world.ask(ListMyMatches.model_validate(asked), name)


async def named(world: World, name: str, page: MatchPage) -> list[str]:
    """Who the ids on a page stand for."""
    async with world.database.reading() as session:
        handles = await handles_for(session, world.person(name))
    names = {person: one for one, person in world.people.items()}
    return [names[handles.person(one.id)] for one in page.items]


def in_turn(world: World, reader: str, *equals: str) -> list[str]:
    """Those who suit the reader equally well, in the order of the reader's day."""
    turn = ranking.turn(world.person(reader), world.now.date())
    return sorted(equals, key=lambda name: ranking.lot(world.person(name), turn))


async def suggested(world: World, name: str, **asked: object) -> list[str]:
    return await named(world, name, await matches(world, name, **asked))


async def test_the_best_match_helps_both_and_the_reasons_say_so(town: World) -> None:
    page = await matches(town, "ann", language="en")
    assert await named(town, "ann", page) == ["bo", "cia", "dag"]
    assert [one.way for one in page.items] == [Way.BOTH, Way.TO_ME, Way.TO_THEM]
    assert page.items[0].reasons == (
        "offers bookkeeping, which you need", "looks for photography, which you offer",
    )  # fmt: skip
    assert {one.near for one in page.items} == {Nearness.HUB}
    assert set(page.why) == set(Input)
    assert not any(one.named for one in page.items)


async def test_reasons_are_in_the_readers_language(town: World) -> None:
    for language, said in (("sv", "erbjuder bokföring, som du behöver"),
                           ("da", "tilbyder bogføring, som du har brug for")):  # fmt: skip
        assert (await matches(town, "ann", language=language)).items[0].reasons[0] == said


async def test_a_page_names_nobody_and_its_ids_are_the_readers_own(town: World) -> None:
    page = (await matches(town, "ann")).model_dump_json()
    assert not any(str(person) in page for person in town.people.values())
    await town.needs("eva", "bookkeeping")
    one, other = await matches(town, "ann"), await matches(town, "eva")
    assert await named(town, "eva", other) == in_turn(town, "eva", "bo", "cia")
    assert not {match.id for match in one.items} & {match.id for match in other.items}


async def test_what_is_near_counts_less_and_is_said_to_be_near(town: World) -> None:
    await town.write(RELATED)
    await town.needs("dag", "carpentry")
    page = await matches(town, "ann", language="en")
    dag = (await named(town, "ann", page)).index("dag")
    assert "looks for carpentry, close to what you offer: photography" in page.items[dag].reasons
    assert await suggested(town, "eva") == ["dag", "bo"]


async def test_people_of_other_hubs_are_suggested_only_when_they_are_open_to_all(town: World) -> None:
    await town.hub("skutskar")
    await town.somebody("far", "skutskar", offers=["bookkeeping"], needs=["photography"])
    assert "far" not in await suggested(town, "ann")
    await town.change("far", visibility=Visibility.FEDERATION)
    assert await suggested(town, "ann") == ["bo", "far", "cia", "dag"]
    assert await suggested(town, "ann", hub="skutskar") == ["far"]
    assert await suggested(town, "ann", hub="no-such-hub") == []


async def test_nobody_is_suggested_who_has_not_consented_or_has_paused_or_left(town: World) -> None:
    await town.close_to("bo")
    await town.change("cia", paused=True)
    await town.hear(town.left("dag"))
    assert await suggested(town, "ann") == []


async def test_who_has_paused_is_suggested_nobody(town: World) -> None:
    await town.change("ann", paused=True)
    page = await matches(town, "ann")
    assert (page.items, page.paused) == ((), True)
    assert await suggested(town, "cia") == []


async def test_a_visitor_and_somebody_who_has_said_nothing_have_no_matches(town: World) -> None:
    await town.member("ina", role=Role.VISITOR)
    await town.needs("ina", "bookkeeping")
    await town.member("jon")
    assert await suggested(town, "ina") == await suggested(town, "jon") == []


async def test_not_this_one_puts_both_aside_for_good(town: World) -> None:
    first = (await matches(town, "ann")).items[0]
    for _ in range(2):
        assert (await town.ask(StopMatch(match=first.id), "ann")).id == first.id
    assert await suggested(town, "ann") == ["cia", "dag"]
    assert "ann" not in await suggested(town, "bo")


async def test_only_somebody_one_may_be_shown_can_be_put_aside(town: World) -> None:
    first = (await matches(town, "ann")).items[0]
    assert (await town.refusal(StopMatch(match=uuid4()), "ann")).problem["status"] == 404
    # Another reader's id, and the person's own, stand for nobody.
    assert (await town.refusal(StopMatch(match=first.id), "cia")).problem["status"] == 404
    assert (await town.refusal(StopMatch(match=town.person("bo")), "ann")).problem["status"] == 404
    await town.close_to("bo")
    assert (await town.refusal(StopMatch(match=first.id), "ann")).problem["status"] == 404


async def test_a_list_stays_the_same_for_a_day_and_others_come_forward_on_the_next(world: World) -> None:
    await world.somebody("ann", needs=["bookkeeping"])
    for name in ("bo", "cia", "dag", "eva"):
        await world.somebody(name, offers=["bookkeeping"])
    today = [await suggested(world, "ann", limit=2) for _ in range(3)]
    assert today[0] == today[1] == today[2]
    world.now += timedelta(days=1)
    tomorrow = await suggested(world, "ann", limit=2)
    assert not set(tomorrow) & set(today[0])


async def test_who_was_suggested_to_many_is_suggested_less(world: World) -> None:
    for name in ("bo", "cia"):
        await world.somebody(name, offers=["bookkeeping"])
    readers = [f"reader-{n}" for n in range(6)]
    for name in readers:
        await world.somebody(name, needs=["bookkeeping"])
    firsts = [(await suggested(world, name, limit=1))[0] for name in readers]
    assert sorted(firsts) == ["bo", "bo", "bo", "cia", "cia", "cia"]


async def test_showing_is_noted_once_a_day_and_fades(town: World) -> None:
    for _ in range(3):
        await matches(town, "ann", limit=1)
    bo = town.person("bo")
    [row] = await town.rows("SELECT times, earlier_at FROM shown WHERE person = :ann AND other = :bo",
                            ann=town.person("ann"), bo=bo)  # fmt: skip
    assert (row.times, row.earlier_at) == (1, None)
    town.now += timedelta(days=28)
    await matches(town, "ann", limit=1)
    [row] = await town.rows("SELECT times_decayed FROM exposure WHERE person = :bo", bo=bo)
    assert row.times_decayed == 1.5


async def test_what_is_fetched_ahead_is_the_same_list_and_counts_for_nothing(town: World) -> None:
    ahead = await matches(town, "ann", ahead=True)
    assert await town.rows("SELECT 1 FROM shown UNION ALL SELECT 1 FROM exposure") == []
    assert (await matches(town, "ann")).items == ahead.items
    assert len(await town.rows("SELECT 1 FROM shown")) == len(ahead.items)


async def _of(replica: Memory, world: World, name: str) -> list[str]:
    answers = Matches(world.database, replica)
    answer = await answers.list_mine(ListMyMatches(), Call(world.principal(name), world.now))
    return await named(world, name, MatchPage.model_validate_json(answer.body))


async def test_replicas_with_different_histories_give_the_same_answers(town: World) -> None:
    old = Memory(town.database, town.clock)
    await old.build()
    heard = len(await town.facts())
    await town.offers("eva", "bookkeeping")
    await town.needs("eva", "photography")
    await town.somebody("far", offers=["bookkeeping"])
    await town.close_to("cia")
    await old.hear(await town.facts(after=heard))
    new = Memory(town.database, town.clock)
    await new.build()
    for name in ("ann", "bo", "dag", "eva"):
        assert await _of(old, town, name) == await _of(new, town, name)
    assert await _of(old, town, "ann") == [*in_turn(town, "ann", "bo", "eva"), "far", "dag"]


async def test_a_consent_taken_back_acts_before_a_replica_has_heard_of_it(town: World) -> None:
    replica = Memory(town.database, town.clock)
    await replica.build()
    await town.close_to("bo")
    assert town.person("bo") in replica.index
    assert "bo" not in await _of(replica, town, "ann")
    await replica.hear(await town.facts(ConsentWithdrawnV1))
    assert town.person("bo") not in replica.index


async def test_an_erased_persons_traces_are_gone_and_stay_away(town: World) -> None:
    await matches(town, "ann")
    bo: Mapping[str, UUID] = {"bo": town.person("bo")}
    await town.write("DELETE FROM shown WHERE other = :bo", **bo)
    await town.write("DELETE FROM exposure WHERE person = :bo", **bo)
    await town.write("DELETE FROM profile WHERE person = :bo", **bo)
    assert "bo" not in await suggested(town, "ann")
    assert await town.rows("SELECT 1 FROM exposure WHERE person = :bo", **bo) == []


async def test_a_hub_alone_is_where_all_is_near(town: World) -> None:
    assert await suggested(town, "ann", hub=HUB) == ["bo", "cia", "dag"]
