"""Guests: found again by name and address, never somebody with an account, members of nothing; names for lists."""

from __future__ import annotations

import asyncio

from shared.contracts.directory.facts import MemberJoinedV1
from shared.contracts.directory.requests import (
    AddMember,
    EnsurePerson,
    GetAccess,
    Guest,
    NamePeople,
    RegisterGuest,
)
from shared.contracts.directory.words import Role
from shared.kit.principal import Principal
from tests.directory.world import HUB, Refused, World

GUSTAV = RegisterGuest(hub=HUB, name="Gustav Ek", email="gustav@example.org", language="sv")


async def test_a_guest_who_comes_again_is_the_same_person_however_they_write_it(world: World) -> None:
    first = await world.ask(GUSTAV)
    assert (first.name, first.email, first.language, first.guest) == (
        "Gustav Ek",
        "gustav@example.org",
        "sv",
        True,
    )
    again = await world.ask(RegisterGuest(hub=HUB, name="GUSTAV EK", email="Gustav@example.org"))
    assert again == first


async def test_a_guest_is_a_member_of_nothing_and_nobody_is_told(world: World) -> None:
    guest = await world.ask(GUSTAV)
    assert guest.memberships == ()
    assert (await world.ask(GetAccess(hub=HUB, person=guest.id))).role is None
    assert MemberJoinedV1 not in [type(fact) for fact in await world.facts()]


async def test_two_who_share_an_address_are_two(world: World) -> None:
    gustav = await world.ask(GUSTAV)
    greta = await world.ask(RegisterGuest(hub=HUB, name="Greta Ek", email="gustav@example.org"))
    assert gustav.id != greta.id


async def test_who_says_the_address_of_an_account_does_not_become_its_person(world: World) -> None:
    account = await world.ask(
        EnsurePerson(hub=HUB, name="Gustav Ek", role=Role.ADMIN, email="gustav@example.org")
    )
    guest = await world.ask(GUSTAV)
    assert guest.id != account.id
    assert guest.guest
    (known,) = (await world.ask(NamePeople(hub=HUB, people=(account.id,), contact=True))).items
    assert (known.name, known.email, known.guest) == ("Gustav Ek", None, False)


async def test_a_guest_the_staff_have_let_in_is_found(world: World) -> None:
    host = Principal((await world.person("Hanna")).person, HUB, Role.HOST)
    let_in = await world.ask(
        AddMember(hub=HUB, person=Guest(name="Gustav Ek", email="gustav@example.org"), role=Role.VISITOR),
        host,
    )
    assert (await world.ask(GUSTAV)).id == let_in.person


async def test_the_same_guest_at_once_is_made_once(world: World) -> None:
    answers = await asyncio.gather(*(world.answer(GUSTAV) for _ in range(6)))
    assert not any(isinstance(one, Refused) for one in answers)
    assert len({one.body for one in answers if not isinstance(one, Refused)}) == 1


async def test_a_guest_needs_a_hub_that_exists(world: World) -> None:
    refused = await world.refusal(RegisterGuest(hub="nowhere", name="Gustav Ek", email="gustav@example.org"))
    assert (refused.status, refused.code) == (404, "not-found")


async def test_names_come_with_addresses_of_guests_only_when_asked_for_and_without_strangers(
    world: World,
) -> None:
    guest = await world.ask(GUSTAV)
    member = await world.person("Ann")
    stranger = world.ids()
    people = (guest.id, member.person, stranger)
    plain = {one.person: one for one in (await world.ask(NamePeople(hub=HUB, people=people))).items}
    assert plain.keys() == {guest.id, member.person}
    assert {one.email for one in plain.values()} == {None}
    known = {
        one.person: one for one in (await world.ask(NamePeople(hub=HUB, people=people, contact=True))).items
    }
    assert (known[guest.id].name, known[guest.id].email) == ("Gustav Ek", "gustav@example.org")
    assert (known[member.person].name, known[member.person].email) == ("Ann", None)
