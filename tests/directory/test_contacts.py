"""Contacts for notify: how somebody is reached now, whether they left the hub, and nothing about strangers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from pydantic import ValidationError
from sqlalchemy import event

from shared.contracts.directory.requests import (
    AddMember,
    Contact,
    EnsurePerson,
    GetContacts,
    LeaveHub,
    RegisterGuest,
    Whom,
)
from shared.contracts.directory.words import Role
from shared.kit.principal import Principal
from tests.directory.world import HUB, World


async def _contacts(world: World, *people: Whom) -> tuple[Contact, ...]:
    return (await world.ask(GetContacts(people=people))).items


async def _ann(world: World) -> Whom:
    person = await world.ask(
        EnsurePerson(hub=HUB, name="Ann Berg", role=Role.MEMBER, email="ann@example.org", language="da")
    )
    return Whom(hub=HUB, person=person.id)


async def test_a_member_is_reached_by_the_address_language_and_zone_of_today(world: World) -> None:
    ann = await _ann(world)
    (known,) = await _contacts(world, ann)
    assert known == Contact(
        hub=HUB,
        person=ann.person,
        name="Ann Berg",
        email="ann@example.org",
        language="da",
        time_zone="Europe/Stockholm",
        guest=False,
    )


async def test_a_guest_is_reached_who_never_belonged_to_the_hub(world: World) -> None:
    guest = await world.ask(RegisterGuest(hub=HUB, name="Gustav Ek", email="gustav@example.org"))
    (known,) = await _contacts(world, Whom(hub=HUB, person=guest.id))
    assert (known.email, known.guest, known.left_at) == ("gustav@example.org", True, None)


async def test_who_left_says_when_and_who_comes_back_has_not_left(world: World) -> None:
    ann = await _ann(world)
    herself = Principal(ann.person, HUB, Role.MEMBER)
    world.now += timedelta(hours=3)
    await world.ask(LeaveHub(hub=HUB, person=ann.person), herself)
    (gone,) = await _contacts(world, ann)
    assert gone.left_at == world.now
    await world.ask(AddMember(hub=HUB, person=ann.person, role=Role.MEMBER), herself)
    (back,) = await _contacts(world, ann)
    assert back.left_at is None


async def test_leaving_one_hub_is_not_leaving_another(world: World) -> None:
    await world.hub("soderviken")
    ann = await _ann(world)
    herself = Principal(ann.person, "soderviken")
    await world.ask(AddMember(hub="soderviken", person=ann.person, role=Role.MEMBER), herself)
    await world.ask(LeaveHub(hub=HUB, person=ann.person), Principal(ann.person, HUB, Role.MEMBER))
    there = Whom(hub="soderviken", person=ann.person)
    left = {one.hub: one.left_at for one in await _contacts(world, ann, there)}
    assert left == {HUB: world.now, "soderviken": None}


async def test_nobody_is_said_of_people_directory_does_not_know(world: World) -> None:
    ann = await _ann(world)
    stranger = Whom(hub=HUB, person=world.ids())
    assert [one.person for one in await _contacts(world, stranger, ann, ann)] == [ann.person]
    assert await _contacts(world) == ()


async def test_five_hundred_people_are_one_statement_and_more_are_refused(world: World) -> None:
    ann = await _ann(world)
    people = (ann, *(Whom(hub=HUB, person=world.ids()) for _ in range(499)))
    statements: list[str] = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    event.listen(world.database.engine.sync_engine, "before_cursor_execute", note)
    assert len(await _contacts(world, *people)) == 1
    assert len(statements) == 1
    with pytest.raises(ValidationError):
        GetContacts(people=(*people, ann))
