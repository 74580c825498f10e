"""Who was shown my name: once an hour, for a year, and nobody else's business."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from shared.contracts.directory.erasure import ErasePerson, ListMyLooks, LookView
from shared.contracts.directory.requests import NamePeople
from shared.contracts.directory.words import Role
from shared.kit.principal import Principal
from tests.directory.world import HUB, MONDAY, World


def names(*people: Principal, what: str = "sign-ups", contact: bool = False) -> NamePeople:
    """A list with these people in it."""
    return NamePeople(hub=HUB, people=tuple(one.person for one in people), what=what, contact=contact)


async def looks(world: World, whose: Principal) -> tuple[LookView, ...]:
    """What somebody is shown of who has looked, however many pages that is."""
    found: list[LookView] = []
    cursor = None
    while True:
        page = await world.ask(ListMyLooks(limit=2, cursor=cursor), whose)
        found += page.items
        cursor = page.cursor
        if cursor is None:
            return tuple(found)


async def test_each_viewer_kind_and_hour_is_one_look_and_oneself_is_none(world: World) -> None:
    ann, bob = await world.person("Ann"), await world.person("Bob")
    hal = await world.person("Hal", Role.HOST)
    for _ in range(3):
        await world.ask(names(ann, bob), hal)
    await world.ask(names(ann, contact=True), hal)
    await world.ask(names(ann), ann)
    await world.ask(names(ann), Principal(bob.person))
    world.now += timedelta(hours=1)
    await world.ask(names(ann, what="introductions"), hal)
    seen = await looks(world, ann)
    assert [(one.what, one.role, one.viewer_name) for one in seen][:1] == [("introductions", "host", "Hal")]
    assert {(one.what, one.role, one.viewer_name) for one in seen[1:]} == {
        ("sign-ups", "host", "Hal"),
        ("contacts", "host", "Hal"),
        ("sign-ups", "none", "Bob"),
    }
    assert {one.hour for one in seen[1:]} == {MONDAY.replace(minute=0)}
    assert [one.what for one in await looks(world, bob)] == ["sign-ups"]


async def test_who_is_erased_leaves_no_looks_and_is_nobody_in_those_of_others(world: World) -> None:
    ann, hal = await world.person("Ann"), await world.person("Hal", Role.HOST)
    eve = await world.person("Eve", Role.HOST)
    for viewer in (hal, eve):
        await world.ask(names(ann), viewer)
        await world.ask(ErasePerson(person=viewer.person))
    seen = await looks(world, ann)
    assert [one.viewer_name for one in seen] == [None, None]
    assert not {one.viewer for one in seen} & {hal.person, eve.person}
    await world.ask(ErasePerson(person=ann.person))
    assert await world.rows("SELECT 1 FROM look") == []


async def test_a_look_is_forgotten_after_a_year_and_nobody_we_know_is_noted(world: World) -> None:
    ann, hal = await world.person("Ann"), await world.person("Hal", Role.HOST)
    await world.ask(names(ann, Principal(UUID(int=7))), hal)
    assert len(await world.rows("SELECT 1 FROM look")) == 1
    await world.stands()
    await world.sleep(days=364)
    assert len(await looks(world, ann)) == 1
    await world.let_time_pass(days=3)
    assert await looks(world, ann) == ()


async def test_a_cursor_of_another_list_is_refused(world: World) -> None:
    ann = await world.person("Ann")
    for cursor in (
        "x",
        "2027-03-01 x",
        "2027-03-01T00:00:00+00:00",
        "2027-03-01 1",
        "2027-03-01T00:00:00Z -1",
        "0001-01-01T00:00:00+14:00 1",
        "9999-12-31T23:59:59-14:00 1",
    ):
        assert (await world.refusal(ListMyLooks(cursor=cursor), ann)).code == "invalid"
