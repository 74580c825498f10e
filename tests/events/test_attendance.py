"""Who has come: codes, the list, walk-ins, wrong codes, doors; and what leavers give back."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from shared.contracts.directory.facts import MemberJoinedV1, MemberLeftV1
from shared.contracts.directory.words import Role
from shared.contracts.events.facts import AttendeeCameV1, PlaceGivenBackV1
from shared.contracts.events.sign_ups import Arrival, GiveBackPlace, RegisterArrival
from shared.contracts.events.words import Visibility, Way
from tests.events.lines import cancelled, changed, give_back, nothing_wrong, opened, sign_up, stated, states
from tests.events.world import HUB, World


def arrival(event: UUID, **said: object) -> RegisterArrival:
    """Somebody is there."""
    return RegisterArrival.model_validate({"hub": HUB, "event": event} | said)


async def test_people_come_by_code_by_list_and_without_a_name(world: World) -> None:
    event = await opened(world, 3, online=1, starts_in=timedelta(hours=1))
    ann, ben = await sign_up(world, event, "ann", "ben")
    await sign_up(world, event, "cal", way=Way.ONLINE)
    assert ann.code is not None
    for typed in (ann.code, ann.code.lower().replace("-", " "), f"  {ann.code.replace('-', '')} "):
        seen = await world.ask(arrival(event, code=typed), "olga")  # twice changes nothing
        assert (seen.came, seen.walk_ins) == (1, 0)
        assert seen.sign_up is not None
        assert (seen.sign_up.person, seen.sign_up.code, seen.sign_up.came_at) == (ann.person, None, world.now)
    assert (await world.ask(arrival(event, sign_up=ben.id), "olga")).came == 2
    assert (await world.ask(arrival(event, walk_ins=5), "olga")).walk_ins == 5
    last = await world.ask(arrival(event, walk_ins=-2), "olga")
    assert (last.came, last.walk_ins, last.sign_up) == (2, 3, None)
    assert (await world.refusal(arrival(event, walk_ins=-4), "olga")).status == 422
    facts = await stated(world, AttendeeCameV1)
    assert [(fact.person, fact.by, fact.subject_version) for fact in facts] == [
        (ann.person, world.person("olga"), 2),
        (ben.person, world.person("olga"), 2),
    ]
    await nothing_wrong(world)


async def test_codes_that_are_not_for_this(world: World) -> None:
    here = await opened(world, 1, starts_in=timedelta(hours=1))
    there = await opened(world, 1, starts_in=timedelta(hours=1))
    ann, ben = [*await sign_up(world, here, "ann"), *await sign_up(world, there, "ben")]
    wrong = await world.refusal(arrival(here, code=ben.code), "olga")
    assert (wrong.status, wrong.code) == (409, "wrong-event")
    assert (await world.refusal(arrival(here, code="22222-22222"), "olga")).status == 404
    assert (await world.refusal(arrival(here, code="--"), "olga")).status == 404
    assert (await world.refusal(arrival(here, sign_up=ben.id), "olga")).status == 404
    [cal] = await sign_up(world, here, "cal")
    refused = await world.refusal(arrival(here, sign_up=cal.id), "olga")
    assert (refused.status, refused.code) == (409, "not-attending")
    await world.ask(give_back(ann), "ann")
    assert (await world.refusal(arrival(here, code=ann.code), "olga")).code == "not-attending"
    for nonsense in ({}, {"code": "x", "walk_ins": 1}):
        with pytest.raises(ValueError, match="say one of"):
            Arrival.model_validate(nonsense)


async def test_only_who_runs_the_event_lets_people_in(world: World) -> None:
    event = await opened(world, 3, starts_in=timedelta(hours=1))
    [ann] = await sign_up(world, event, "ann")
    assert (await world.refusal(arrival(event, sign_up=ann.id), "ann")).status == 403
    assert (await world.ask(arrival(event, sign_up=ann.id), "hal", Role.HOST)).came == 1
    came = await world.refusal(give_back(ann), "ann")
    assert (came.status, came.code) == (409, "wrong-state")


async def test_doors_are_open_from_two_hours_before_until_a_week_after(world: World) -> None:
    event = await opened(world, 3, starts_in=timedelta(days=1))
    await sign_up(world, event, "ann")
    assert (await world.refusal(arrival(event, walk_ins=1), "olga")).code == "wrong-state"
    world.now += timedelta(hours=22)
    await world.ask(arrival(event, walk_ins=1), "olga")
    await changed(world, event, status="held")
    world.now += timedelta(days=7, hours=4)
    await world.ask(arrival(event, walk_ins=1), "olga")
    world.now += timedelta(seconds=1)
    assert (await world.refusal(arrival(event, walk_ins=1), "olga")).code == "wrong-state"
    assert (await world.ask(arrival(event, walk_ins=1), "opal", Role.OPERATOR)).walk_ins == 3
    other = await opened(world, 3, starts_in=timedelta(hours=1))
    await cancelled(world, other)
    assert (await world.refusal(arrival(other, walk_ins=1), "olga")).code == "wrong-state"


async def test_nobody_gives_back_a_place_at_what_is_over(world: World) -> None:
    event = await opened(world, 3)
    [ann] = await sign_up(world, event, "ann")
    await changed(world, event, status="held")
    assert (await world.refusal(give_back(ann), "ann")).code == "wrong-state"
    assert (await world.refusal(give_back(ann), "eve")).status == 404
    elsewhere = GiveBackPlace(hub="lindeby", event=event, sign_up=ann.id)
    assert (await world.refusal(elsewhere, world.principal("ann", hub="lindeby"))).status == 404


async def test_who_leaves_the_hub_leaves_what_is_for_its_people(world: World) -> None:
    ours = [await opened(world, 1, visibility=Visibility.HUB) for _ in range(2)]
    public = await opened(world, 1)
    for event in (*ours, public):
        await sign_up(world, event, "ann", "ben")
    left = member_fact(world, MemberLeftV1, 2)
    world.now += timedelta(minutes=1)
    late = await opened(world, 1, visibility=Visibility.HUB)
    await sign_up(world, late, "ann")  # joined again before the fact of leaving came
    assert await world.hear(left) == ["park"]
    assert await world.hear(member_fact(world, MemberJoinedV1, 1)) == ["done"]
    assert await world.hear(left, left) == ["repeated", "repeated"]
    for event in ours:
        assert await states(world, event) == {"ann": "cancelled", "ben": "offered"}
    assert await states(world, public) == {"ann": "attending", "ben": "waiting"}
    assert await states(world, late) == {"ann": "attending"}
    assert len(await stated(world, PlaceGivenBackV1)) == 2
    await nothing_wrong(world)


def member_fact(
    world: World, fact: type[MemberJoinedV1] | type[MemberLeftV1], version: int
) -> MemberJoinedV1 | MemberLeftV1:
    """Directory states that ann has joined or left."""
    return fact(
        id=world.ids(),
        hub=HUB,
        occurred_at=world.now,
        subject=f"{HUB}/{world.person('ann')}",
        subject_version=version,
        person=world.person("ann"),
        role=Role.MEMBER,
    )
