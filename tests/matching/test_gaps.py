"""Skills missing in town: demand against supply by area and month, an operator's list, and no figure of fewer than five."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest

from services.matching.commands.counting import COUNTS
from shared.contracts.directory.facts import HubRegisteredV1
from shared.contracts.directory.words import Role
from shared.contracts.matching.gaps import (
    FEW,
    Area,
    DropTarget,
    GetSkillsMissing,
    GetTarget,
    ListTargets,
    SetTarget,
    SkillsMissing,
)
from shared.contracts.matching.profiles import EraseMyProfile, MakeOrganisation, State
from shared.contracts.matching.words import Side, Visibility
from tests.matching.world import HUB, World
from tests.world import MONDAY

_CROWD = "FROM unnest(CAST(:people AS uuid[])) who"
_PROFILE = f"""
    INSERT INTO profile (person, hub, visibility, changed_at) SELECT who, :hub, :visibility, :now {_CROWD}
"""
_OTHERS = (
    f"""
    INSERT INTO membership (person, hub, role, joined_at, version) SELECT who, :hub, 'member', :now, 1 {_CROWD}
    """,
    f"INSERT INTO consent (person, hub, given_at, membership) SELECT who, :hub, :now, 1 {_CROWD}",
    f"""
    INSERT INTO statement (id, person, side, concept, level, created_at)
    SELECT gen_random_uuid(), who, :side, concept, 'practised', :now
    {_CROWD}, unnest(CAST(:concepts AS text[])) concept
    """,
)


async def crowd(
    world: World,
    names: Collection[str],
    hub: str = HUB,
    *,
    side: Side = Side.NEED,
    concepts: Collection[str] = ("photography",),
    visibility: Visibility = Visibility.HUB,
) -> None:
    """Many who need something; written as their requests would be, which a hundred times over takes long."""
    people = {"people": [world.person(name) for name in names], "hub": hub, "now": world.now}
    for statement in (_PROFILE, *_OTHERS):
        more: dict[str, Any] = {"visibility": visibility} if statement is _PROFILE else {}
        if ":side" in statement:
            more = {"side": side, "concepts": list(concepts)}
        known = {name: value for name, value in (people | more).items() if f":{name}" in statement}
        await world.write(statement, **known)


def names(prefix: str, number: int) -> list[str]:
    """So many people."""
    return [f"{prefix} {one}" for one in range(number)]


async def hubs(world: World, *more: tuple[str, str]) -> None:
    """Hubs with their municipalities, all in one region; the story's own is one of them."""
    for hub, municipality in ((HUB, "Nordviken"), *more):
        fact = world.hub_fact(hub)
        place = {"municipality": municipality, "region": "Norra"}
        await world.hear(HubRegisteredV1(**fact.model_dump(exclude={"municipality", "region"}), **place))


async def counted(world: World) -> None:
    """The figures are counted now, as they are once a day."""
    await world.write(
        "INSERT INTO timer (kind, key, due_at) VALUES (:kind, '', :now) ON CONFLICT (kind, key) DO UPDATE SET due_at = :now",
        kind=COUNTS,
        now=world.now,
    )
    await world.let_time_pass()


async def missing(world: World, area: Area = Area.HUB, hub: str = HUB, **more: object) -> SkillsMissing:
    """What anybody is told."""
    request = GetSkillsMissing.model_validate({"hub": hub, "area": area, "language": "sv"} | more)
    return await world.ask(request, None, None)


async def test_demand_stands_against_supply_and_what_the_operators_want(world: World) -> None:
    await crowd(world, names("needs", 12))
    await crowd(world, names("offers", 6), side=Side.OFFER)
    await world.ask(SetTarget(hub=HUB, concept="public-relations", wanted=3), "olga", Role.OPERATOR)
    await world.ask(SetTarget(hub=HUB, concept="photography", wanted=2), "olga", Role.OPERATOR)
    await counted(world)
    told = await missing(world)
    assert (told.month, told.place) == ("2027-03", "Nordviken")
    [photography, relations] = told.items
    assert (photography.label, photography.demand, photography.supply) == ("fotografering", 10, 5)
    assert (photography.wanted, photography.missing) == (2, 7)
    assert (relations.demand, relations.supply, relations.wanted, relations.missing) == (FEW, FEW, 3, 3)


async def test_few_are_not_told_and_nobody_is_told_from_none(world: World) -> None:
    await crowd(world, names("needs", 4))
    await counted(world)
    assert (await missing(world)).items == ()
    await world.ask(SetTarget(hub=HUB, concept="photography", wanted=1), "olga", Role.OPERATOR)
    with_four = await missing(world)
    await world.write("DELETE FROM statement")
    await counted(world)
    assert await missing(world) == with_four


async def test_small_hubs_are_counted_together_and_not_by_themselves(world: World) -> None:
    await hubs(world, *((f"hub-{number}", f"Town {number % 3}") for number in range(8)))
    for number in range(8):
        await crowd(world, names(f"in {number}", 3), f"hub-{number}")
    await crowd(world, names("here", 7))
    await counted(world)
    assert (await missing(world)).items[0].demand == 5
    assert (await missing(world, hub="hub-1")).items == ()
    region = await missing(world, Area.REGION)
    # Of 31: two towns of three hubs show eight each, and the third, of two hubs, would tell of both.
    assert (region.place, region.items[0].demand) == ("Norra", 20)
    assert (await missing(world, Area.REGION, "hub-3")).items == region.items


async def test_a_broader_skill_counts_its_narrower_ones(world: World) -> None:
    pictures = {"pictures": {"sv": "bild"}, "film": {"sv": "film"}, "drawing": {"sv": "teckning"}}
    await world.vocabulary(pictures)
    for narrower in ("photography", "film", "drawing"):
        await world.write(
            "INSERT INTO relation (concept, kind, other) VALUES (:one, 'broader', 'pictures')", one=narrower
        )
    for number, concept in enumerate(("photography", "film", "drawing")):
        await crowd(world, names(f"needs {number}", 3), concepts=[concept])
    await counted(world)
    [only] = (await missing(world)).items
    assert (only.concept, only.demand, only.broader) == ("pictures", 5, ())


async def test_whoever_is_not_open_is_in_no_figure(world: World) -> None:
    await crowd(world, names("needs", 5))
    await counted(world)
    assert (await missing(world)).items[0].demand == 5
    await world.close_to("needs 0")
    await counted(world)
    assert (await missing(world)).items == ()
    for way in ("paused", "nobody", "left", "erased", "over"):
        await world.write("UPDATE consent SET withdrawn_at = NULL")
        await crowd(world, [f"also {way}"])
        await counted(world)
        assert (await missing(world)).items[0].demand == 5, way
        await go(world, f"also {way}", way)
        await go(world, "needs 0", "withdrawn")
        await counted(world)
        assert (await missing(world)).items == (), way


async def go(world: World, name: str, way: str) -> None:
    """Somebody goes in one of the ways there are."""
    if way == "withdrawn":
        await world.close_to(name)
    elif way == "paused":
        await world.change(name, paused=True)
    elif way == "nobody":
        await world.change(name, visibility=Visibility.NOBODY)
    elif way == "left":
        await world.hear(world.left(name, version=9))
    elif way == "erased":
        await world.ask(EraseMyProfile(), name)
    else:
        yesterday = world.now.date() - timedelta(days=1)
        await world.write(
            "UPDATE statement SET until = :day WHERE person = :who", day=yesterday, who=world.person(name)
        )


async def test_one_person_with_many_organisations_is_one(world: World) -> None:
    await crowd(world, names("needs", 3))
    await world.member("ann")
    for number in range(4):
        made = await world.ask(MakeOrganisation(hub=HUB, name=f"Firm {number}"), "ann")
        need = State(side=Side.NEED, concept="photography", organisation=made.id)
        await world.ask(need, "ann")
        await world.open_to("ann", organisation=made.id)
    await counted(world)
    assert (await missing(world)).items == ()


async def test_the_trend_is_by_month(world: World) -> None:
    await crowd(world, names("january", 6))
    await counted(world)
    world.now = MONDAY + timedelta(days=31)
    await crowd(world, names("february", 6))
    await counted(world)
    world.now = MONDAY + timedelta(days=62)
    await counted(world)
    told = await missing(world)
    assert told.month == "2027-05"
    assert [(one.month, one.demand) for one in told.items[0].trend] == [("2027-03", 5), ("2027-04", 10)]
    world.now = MONDAY + timedelta(days=92)
    await world.write("DELETE FROM statement")
    await counted(world)
    assert (await missing(world)).month == "2027-06"
    assert (await missing(world)).items == ()


async def test_counting_again_changes_nothing_and_goes_on_every_day(world: World) -> None:
    await crowd(world, names("needs", 6))
    await counted(world)
    before = await missing(world)
    await world.let_time_pass(days=2)
    assert await missing(world) == before
    rows = await world.rows("SELECT counted_at FROM gap_month ORDER BY counted_at DESC LIMIT 1")
    assert world.now - rows[0].counted_at < timedelta(days=1)


@pytest.mark.parametrize("area", [Area.MUNICIPALITY, Area.REGION])
async def test_a_hub_that_has_not_said_where_it_is(world: World, area: Area) -> None:
    fact = world.hub_fact("online")
    await world.hear(HubRegisteredV1(**fact.model_dump(exclude={"municipality"})))
    asked = GetSkillsMissing(hub="online", area=area)
    assert (await world.refusal(asked, None, None)).problem["field"] == "area"


async def test_pages_of_figures(world: World) -> None:
    for concept in ("bookkeeping", "photography", "carpentry"):
        await world.ask(SetTarget(hub=HUB, concept=concept, wanted=2), "olga", Role.OPERATOR)
    first = await missing(world, limit=2)
    second = await missing(world, limit=2, cursor=first.cursor)
    assert [one.concept for one in (*first.items, *second.items)] == [
        "bookkeeping",
        "carpentry",
        "photography",
    ]
    assert second.cursor is None
    bad = GetSkillsMissing(hub=HUB, cursor="-1")
    assert (await world.refusal(bad, None, None)).status == 422


async def test_the_list_is_the_operators(world: World) -> None:
    wanted = SetTarget(hub=HUB, concept="photography", wanted=3)
    for role in (None, Role.VISITOR, Role.MEMBER, Role.HOST, Role.COORDINATOR):
        for order in (wanted, ListTargets(hub=HUB), DropTarget(hub=HUB, concept="photography")):
            assert (await world.refusal(order, "ann", role)).status == 403
    made = await world.ask(wanted, "olga", Role.OPERATOR)
    assert (made.label, made.wanted) == ("photography", 3)
    again = await world.ask(wanted.model_copy(update={"wanted": 4}), "olga", Role.OPERATOR)
    assert again.wanted == 4
    listed = await world.ask(ListTargets(hub=HUB), "olga", Role.OPERATOR)
    assert listed.items == (again,)
    one = GetTarget(hub=HUB, concept="photography")
    assert await world.ask(one, "olga", Role.OPERATOR) == again
    for _ in range(2):
        gone = await world.ask(DropTarget(hub=HUB, concept="photography"), "olga", Role.OPERATOR)
        assert gone.wanted == 0
    assert (await world.refusal(one, "olga", Role.OPERATOR)).status == 404
    nothing = SetTarget(hub=HUB, concept="levitation", wanted=3)
    assert (await world.refusal(nothing, "olga", Role.OPERATOR)).status == 404
