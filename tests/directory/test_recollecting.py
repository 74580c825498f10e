"""Directory's database has gone back in time: hubs and memberships are stated again as they are."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from services.directory.commands.recollecting import recollect
from shared.contracts.base import EVERYWHERE, Fact
from shared.contracts.directory.facts import (
    HubSnapshotV1,
    MemberJoinedV1,
    MemberLeftV1,
    PersonErasedV1,
    RoleChangedV1,
)
from shared.contracts.directory.requests import AddMember, ChangeRole, GetHub, LeaveHub
from shared.contracts.directory.words import Role
from tests.directory.test_sessions import begun, is_over, refreshed
from tests.directory.world import HUB, World


async def recollected(world: World, *told: Fact) -> Sequence[Fact]:
    """What is stated when these are found in the stream and not in the database."""
    before = len(await world.facts())
    async with world.database.transaction() as session:
        await recollect(session, told, clock=world.clock, ids=world.ids)
    return await world.facts(after=before)


async def test_a_hub_counts_on_from_what_was_told(world: World) -> None:
    told = await world.goes_back()
    told_later = told[0].model_copy(update={"subject_version": 7})
    (snapshot,) = await recollected(world, told_later)
    assert isinstance(snapshot, HubSnapshotV1)
    assert snapshot.subject_version == 8


async def test_a_hub_nobody_remembers_is_the_one_that_was_told_of(world: World) -> None:
    before = await world.ask(GetHub(hub=HUB))
    told = await world.goes_back("DELETE FROM hub")
    (snapshot,) = await recollected(world, told[0])
    assert (snapshot.subject, snapshot.subject_version) == (HUB, 2)
    again = await world.ask(GetHub(hub=HUB))
    assert (again.name, again.kind, again.time_zone) == (before.name, before.kind, before.time_zone)


async def test_who_joined_and_is_forgotten_has_left_and_may_join_again(world: World) -> None:
    ann = await world.person("Ann")
    told = await world.goes_back("DELETE FROM membership")
    (left,) = await recollected(world, told[-1])
    assert isinstance(left, MemberLeftV1)
    assert (left.person, left.subject_version) == (ann.person, 2)
    await world.ask(AddMember(hub=HUB), ann)
    joined = (await world.facts(MemberJoinedV1))[-1]
    assert joined.subject_version == 3


async def test_of_a_person_nobody_remembers_it_is_said_all_the_same(world: World) -> None:
    await world.person("Ann")
    told = await world.goes_back("DELETE FROM membership", "DELETE FROM person")
    (left,) = await recollected(world, told[-1])
    assert isinstance(left, MemberLeftV1)
    assert await world.rows("SELECT 1 FROM membership") == []


async def test_a_host_who_was_put_out_does_not_come_back_with_a_backup(world: World) -> None:
    ann, olga = await world.person("Ann", Role.HOST), await world.person("Olga", Role.OPERATOR)
    await world.ask(LeaveHub(hub=HUB, person=ann.person), olga)
    told = (await world.goes_back("UPDATE membership SET left_at = NULL, version = 1"))[-1]
    (left,) = await recollected(world, told)
    assert isinstance(left, MemberLeftV1)
    assert (left.person, left.subject_version) == (ann.person, 3)
    assert await recollected(world, told) == [], "once is enough"
    # Coming again is their own affair, as what anybody may be.
    await world.ask(AddMember(hub=HUB), ann)
    assert (await world.facts(MemberJoinedV1))[-1].subject_version == 4


async def test_who_left_and_has_joined_since_the_database_went_back_has_joined(world: World) -> None:
    ann = await world.person("Ann")
    await world.ask(LeaveHub(hub=HUB, person=ann.person), ann)
    told = await world.goes_back(
        "UPDATE membership SET left_at = NULL, version = 1, since = since + interval '1 hour'"
    )
    (joined,) = await recollected(world, told[-1])
    assert isinstance(joined, MemberJoinedV1)
    assert (joined.role, joined.subject_version) == (Role.MEMBER, 3)


async def test_a_role_that_was_taken_down_stays_down(world: World) -> None:
    ann, olga = await world.person("Ann", Role.HOST), await world.person("Olga", Role.OPERATOR)
    await world.ask(ChangeRole(hub=HUB, person=ann.person, role=Role.MEMBER), olga)
    told = (await world.goes_back("UPDATE membership SET role = 'host', version = 1 WHERE role = 'member'"))[
        -1
    ]
    (changed,) = await recollected(world, told)
    assert isinstance(changed, RoleChangedV1)
    assert (changed.role, changed.previous, changed.subject_version) == (Role.MEMBER, Role.HOST, 3)
    assert [row.role for row in await world.rows("SELECT role FROM membership ORDER BY role")] == [
        Role.MEMBER,
        Role.OPERATOR,
    ]


async def test_an_operators_rights_that_were_taken_stay_taken_whatever_was_given_for_them(
    world: World,
) -> None:
    olga, ada = await world.person("Olga", Role.OPERATOR), await world.person("Ada", Role.ADMIN)
    await world.ask(ChangeRole(hub=HUB, person=olga.person, role=Role.COORDINATOR), ada)
    before = "UPDATE membership SET role = 'operator', version = 1 WHERE role = 'coordinator'"
    (changed,) = await recollected(world, (await world.goes_back(before))[-1])
    assert isinstance(changed, RoleChangedV1)
    assert (changed.role, changed.person) == (Role.COORDINATOR, olga.person)


async def test_a_role_that_was_given_is_taken_back_and_what_is_as_told_needs_no_word(world: World) -> None:
    ann = await world.person("Ann")
    told = (await world.goes_back())[-1]
    assert isinstance(told, MemberJoinedV1)
    assert await recollected(world, told.model_copy(update={"subject_version": 4})) == []
    higher = RoleChangedV1(
        **told.model_dump(exclude={"role", "subject_version"}),
        role=Role.HOST,
        previous=Role.MEMBER,
        subject_version=5,
    )
    (changed,) = await recollected(world, higher)
    assert isinstance(changed, RoleChangedV1)
    assert (changed.role, changed.previous, changed.subject_version) == (Role.MEMBER, Role.HOST, 6)
    await world.ask(LeaveHub(hub=HUB, person=UUID(str(ann.person))), ann)
    assert (await world.facts(MemberLeftV1))[-1].subject_version == 7


async def test_who_was_erased_does_not_come_back_with_a_backup(world: World) -> None:
    ann = await world.person("Ann")
    told = PersonErasedV1(
        id=world.ids(),
        hub=EVERYWHERE,
        occurred_at=world.now,
        subject=str(ann.person),
        subject_version=2,
        person=ann.person,
    )
    *_, erased = await recollected(world, told)
    assert isinstance(erased, PersonErasedV1)
    assert erased.person == ann.person
    assert await world.rows("SELECT 1 FROM person") == []
    assert [row.stated for row in await world.rows("SELECT stated FROM erasure")] == [2]
    assert await recollected(world, told) == [], "once is enough"


async def test_sessions_from_before_have_ended_and_those_begun_since_have_not(world: World) -> None:
    """Whoever signed out after the backup, or was found to be two, is not signed in by it again."""
    await world.with_a_key()
    ann = await world.person("Ann")
    old = await begun(world, ann)
    world.now += timedelta(hours=1)
    told = (await world.goes_back())[-1].model_copy(update={"occurred_at": world.now, "subject_version": 4})
    world.now += timedelta(minutes=1)
    since = await begun(world, ann)
    await recollected(world, told)
    await world.let_time_pass(seconds=1)
    assert await is_over(world, old.refresh_token)
    assert (await refreshed(world, since.refresh_token)).session == since.session
    (row,) = await world.rows("SELECT ended_because FROM session WHERE ended_at IS NOT NULL")
    assert row.ended_because == "went-back"
