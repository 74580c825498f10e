"""Joining, letting somebody in, roles, leaving and coming back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from shared.contracts.directory.facts import MemberJoinedV1, MemberLeftV1, RoleChangedV1
from shared.contracts.directory.requests import (
    AddMember,
    ChangeRole,
    EnsurePerson,
    GetAccess,
    GetMe,
    GetMembership,
    Guest,
    LeaveHub,
)
from shared.contracts.directory.words import OPERATORS, STAFF, Role
from shared.kit.principal import Principal
from tests.directory.world import HUB, Refused, World

OTHER = "sydviken"


async def stranger(world: World, name: str = "Ann") -> Principal:
    """Somebody with an account and no role at Nordviken."""
    await world.hub(OTHER)
    known = await world.person(name, hub=OTHER)
    return Principal(known.person)


async def role_of(world: World, person: UUID) -> Role | None:
    return (await world.ask(GetAccess(hub=HUB, person=person))).role


@pytest.mark.parametrize("role", list(Role))
async def test_anybody_joins_as_a_visitor_or_member_and_as_nothing_more(world: World, role: Role) -> None:
    ann = await stranger(world)
    request = AddMember(hub=HUB, role=role)
    if role in (Role.VISITOR, Role.MEMBER):
        joined = await world.ask(request, ann)
        assert (joined.person, joined.role, joined.version) == (ann.person, role, 1)
        assert await role_of(world, ann.person) == role
    else:
        assert (await world.refusal(request, ann)).status == 403
    assert (await world.refusal(AddMember(hub=HUB), None)).status == 401


async def test_joining_twice(world: World) -> None:
    ann = await stranger(world)
    await world.ask(AddMember(hub=HUB), ann)
    refused = await world.refusal(AddMember(hub=HUB), ann)
    assert (refused.status, refused.code) == (409, "already-a-member")
    ben = await world.person("Ben", hub=OTHER)
    answers = await asyncio.gather(
        *(world.answer(AddMember(hub=HUB), Principal(ben.person)) for _ in range(6))
    )
    assert sum(isinstance(one, Refused) and one.code == "already-a-member" for one in answers) == 5
    assert (await world.refusal(AddMember(hub="nowhere"), ann)).status == 404
    assert (await world.refusal(AddMember(hub=HUB), Principal(UUID(int=5)))).status == 404


@pytest.mark.parametrize("own", [None, *Role])
async def test_who_may_let_a_guest_in_as_what(world: World, own: Role | None) -> None:
    host = Principal((await world.person("Hanna")).person, HUB, own)
    for wanted in Role:
        await check_letting_in(world, host, own, wanted)


async def check_letting_in(world: World, host: Principal, own: Role | None, wanted: Role) -> None:
    request = AddMember(hub=HUB, person=Guest(name="Gustav"), role=wanted)
    allowed = (
        own == Role.ADMIN
        or (own in OPERATORS and wanted != Role.ADMIN)
        or (own in STAFF and wanted in (Role.VISITOR, Role.MEMBER))
    )
    if allowed:
        assert (await world.ask(request, host)).role == wanted
    else:
        assert (await world.refusal(request, host)).status == 403
    of_another_hub = Principal(host.person, OTHER, own)
    assert (await world.refusal(request, of_another_hub)).status == 403


async def test_a_guest_has_no_account_and_may_share_a_name_and_an_address(world: World) -> None:
    host = await world.person("Hanna", Role.HOST)
    guest = Guest(name="Gustav", email="g@example.com", language="sv")
    first = await world.ask(AddMember(hub=HUB, person=guest, role=Role.VISITOR), host)
    second = await world.ask(AddMember(hub=HUB, person=guest, role=Role.VISITOR), host)
    assert first.person != second.person
    seen = await world.ask(GetMe(), Principal(first.person))
    assert (seen.guest, seen.language, seen.time_zone) == (True, "sv", "Europe/Stockholm")
    assert [one.hub for one in seen.memberships] == [HUB]
    facts = await world.facts(MemberJoinedV1)
    assert all("Gustav" not in fact.model_dump_json() for fact in facts)


@pytest.mark.parametrize("own", [None, *Role])
@pytest.mark.parametrize(
    ("present", "wanted"),
    [
        (Role.MEMBER, Role.HOST),
        (Role.HOST, Role.MEMBER),
        (Role.MEMBER, Role.ADMIN),
        (Role.ADMIN, Role.MEMBER),
    ],
)
async def test_who_may_change_roles(world: World, own: Role | None, present: Role, wanted: Role) -> None:
    ann = await world.person("Ann", present)
    by = Principal((await world.person("Olga")).person, HUB, own)
    request = ChangeRole(hub=HUB, person=ann.person, role=wanted)
    if own == Role.ADMIN or (own == Role.OPERATOR and Role.ADMIN not in (present, wanted)):
        assert (await world.ask(request, by)).role == wanted
    else:
        assert (await world.refusal(request, by)).status == 403
        assert await role_of(world, ann.person) == present


async def test_a_role_is_changed_on_the_version_it_was_decided_on(world: World) -> None:
    ann, olga = await world.person("Ann"), await world.person("Olga", Role.OPERATOR)
    request = ChangeRole(hub=HUB, person=ann.person, role=Role.HOST, version=1)
    assert (await world.ask(request, olga)).version == 2
    assert (await world.refusal(request, olga)).status == 412
    same = request.model_copy(update={"version": 2})
    assert (await world.ask(same, olga)).version == 2  # what they have already changes nothing
    assert len(await world.facts(RoleChangedV1)) == 1
    stranger_ = request.model_copy(update={"person": UUID(int=9)})
    assert (await world.refusal(stranger_, olga)).status == 404


async def test_leaving_twice_is_once_and_coming_back_goes_on(world: World) -> None:
    ann = await world.person("Ann")
    for _ in range(2):
        left = await world.ask(LeaveHub(hub=HUB, person=ann.person), ann)
        assert left.version == 2
    assert await role_of(world, ann.person) is None
    assert (await world.ask(GetMe(), ann)).memberships == ()
    world.now += timedelta(days=1)
    back = await world.ask(AddMember(hub=HUB, role=Role.VISITOR), ann)
    assert (back.version, back.since, back.role) == (3, world.now, Role.VISITOR)
    facts = [fact for fact in await world.facts() if fact.subject == f"{HUB}/{ann.person}"]
    assert [type(fact) for fact in facts] == [MemberJoinedV1, MemberLeftV1, MemberJoinedV1]
    assert [fact.subject_version for fact in facts] == [1, 2, 3]


async def test_who_may_end_a_membership(world: World) -> None:
    ann, ben = await world.person("Ann"), await world.person("Ben")
    root, olga = await world.person("Root", Role.ADMIN), await world.person("Olga", Role.OPERATOR)
    assert (await world.refusal(LeaveHub(hub=HUB, person=ann.person), ben)).status == 403
    assert (await world.refusal(LeaveHub(hub=HUB, person=UUID(int=9)), ben)).status == 403
    assert (await world.refusal(LeaveHub(hub=HUB, person=UUID(int=9)), olga)).status == 404
    # Otherwise an operator could get rid of the admins one may not demote.
    assert (await world.refusal(LeaveHub(hub=HUB, person=root.person), olga)).status == 403
    await world.ask(LeaveHub(hub=HUB, person=ann.person), olga)
    await world.ask(LeaveHub(hub=HUB, person=root.person), root)


async def test_ensuring_a_person_again_changes_nothing(world: World) -> None:
    await world.hub(OTHER)
    request = EnsurePerson(hub=HUB, name="Åsa Öberg", role=Role.MEMBER)
    first = await world.ask(request)
    again = await world.ask(request.model_copy(update={"name": "ÅSA ÖBERG"}))
    assert again == first
    host = await world.ask(request.model_copy(update={"role": Role.HOST}))
    assert (host.id, host.memberships[0].role, host.memberships[0].version) == (first.id, Role.HOST, 2)
    both = await world.ask(request.model_copy(update={"hub": OTHER}))
    assert [(one.hub, one.role) for one in both.memberships] == [(HUB, Role.HOST), (OTHER, Role.MEMBER)]
    assert (await world.refusal(request.model_copy(update={"hub": "nowhere"}))).status == 404


@pytest.mark.parametrize("name", ["Ann", "İpek Straße"])
async def test_ensuring_a_person_many_times_at_once_makes_one(world: World, name: str) -> None:
    request = EnsurePerson(hub=HUB, name=name, role=Role.MEMBER, email="a@example.com")
    answers = await asyncio.gather(*(world.answer(request) for _ in range(8)))
    assert not [one for one in answers if isinstance(one, Refused)]
    assert len(await world.rows("SELECT id FROM person")) == 1
    assert len(await world.facts(MemberJoinedV1)) == 1


async def test_an_address_belongs_to_one_account(world: World) -> None:
    await world.ask(EnsurePerson(hub=HUB, name="Ann", role=Role.MEMBER, email="ann@example.com"))
    other = EnsurePerson(hub=HUB, name="Ben", role=Role.MEMBER, email="ANN@example.com")
    refused = await world.refusal(other)
    assert (refused.status, refused.code) == (409, "email-taken")
    names = [EnsurePerson(hub=HUB, name=f"N{n}", role=Role.MEMBER, email="n@example.com") for n in range(5)]
    answers = await asyncio.gather(*(world.answer(one) for one in names))
    assert sum(isinstance(one, Refused) for one in answers) == 4


async def test_a_guest_is_not_taken_for_the_account_of_that_name(world: World) -> None:
    host = await world.person("Hanna", Role.HOST)
    guest = await world.ask(AddMember(hub=HUB, person=Guest(name="Ann"), role=Role.VISITOR), host)
    assert (await world.person("Ann")).person != guest.person


async def test_facts_of_a_membership_have_no_gaps(world: World) -> None:
    ann, olga = await world.person("Ann"), await world.person("Olga", Role.OPERATOR)
    for role in (Role.HOST, Role.MEMBER, Role.MEMBER, Role.VISITOR):
        await world.ask(ChangeRole(hub=HUB, person=ann.person, role=role), olga)
    await world.ask(LeaveHub(hub=HUB, person=ann.person), olga)
    await world.ask(AddMember(hub=HUB, person=ann.person), olga)
    facts = [fact for fact in await world.facts() if fact.subject == f"{HUB}/{ann.person}"]
    assert [fact.subject_version for fact in facts] == [1, 2, 3, 4, 5, 6]


async def test_me_is_somebody(world: World) -> None:
    assert (await world.refusal(GetMe())).status == 401
    assert (await world.refusal(GetMe(), Principal(UUID(int=3)))).status == 404


async def test_a_membership_is_seen_by_oneself_and_by_staff(world: World) -> None:
    ann, ben = await world.person("Ann"), await world.person("Ben")
    hanna = await world.person("Hanna", Role.HOST)
    request = GetMembership(hub=HUB, person=ann.person)
    for by in (ann, hanna):
        assert (await world.ask(request, by)).role == Role.MEMBER
    for by in (ben, Principal(hanna.person, OTHER, Role.ADMIN)):
        assert (await world.refusal(request, by)).status == 404
    await world.ask(LeaveHub(hub=HUB, person=ann.person), ann)
    assert (await world.refusal(request, hanna)).status == 404
