"""A hub's export is taken in: nothing of another hub's is reached by it, nobody comes back, and no change is missed."""

from __future__ import annotations

from typing import Any

import pytest

from services.events.commands.belongings import HUB_IS_KNOWN, KEPT
from services.events.tables import Event
from shared.contracts.operations import (
    ExportHub,
    HubImported,
    HubInventory,
    HubRows,
    ImportHub,
    TakeInventory,
)
from shared.kit.belongings import HubDiffers, handlers
from shared.kit.errors import Invalid
from shared.kit.rpc import Call
from tests.events.world import HUB, World

OTHER = "sydviken"
ANSWERS = handlers(KEPT, hub_is_known=HUB_IS_KNOWN)


async def exported(world: World, entity: str, hub: str = HUB) -> list[dict[str, Any]]:
    async with world.database.reading() as session:
        request = ExportHub(hub=hub, entity=entity)
        answer = await ANSWERS[ExportHub](session, request, Call(None, world.now, None))
        assert isinstance(answer, HubRows)
        return list(answer.rows)


async def taken_in(world: World, hub: str, entity: str, *rows: dict[str, Any]) -> HubImported:
    async with world.database.transaction() as session:
        request = ImportHub(hub=hub, entity=entity, rows=rows)
        done = await ANSWERS[ImportHub](session, request, Call(None, world.now, None))
        assert isinstance(done, HubImported)
        return done


async def mark(world: World, hub: str = HUB) -> int:
    async with world.database.reading() as session:
        answer = await ANSWERS[TakeInventory](session, TakeInventory(hub=hub), Call(None, world.now, None))
        assert isinstance(answer, HubInventory)
        return answer.mark


async def test_rows_that_say_they_are_the_hubs_do_not_reach_what_is_anothers(world: World) -> None:
    await world.hub(OTHER)
    event = await world.event()
    await world.sign_up(event)
    me = str(world.person("mallory"))
    entities = ("events", "places", "organisers", "sign-ups", "timers")
    own = {entity: (await exported(world, entity))[0] for entity in entities}
    id_ = str(world.ids())
    crafted = {
        "organisers": own["organisers"] | {"hub": OTHER, "kind": "person", "id": me},
        "places": own["places"] | {"hub": OTHER, "way": "online"},
        "sign-ups": own["sign-ups"] | {"hub": OTHER, "id": id_, "person": me, "code": "MINE", "number": 9},
        "timers": own["timers"] | {"kind": "made-up"},
    }
    for entity, row in crafted.items():
        with pytest.raises(Invalid, match="not this hub's"):
            await taken_in(world, OTHER, entity, row)
    with pytest.raises(Invalid, match="belongs to another hub"):
        await taken_in(world, OTHER, "organisers", {**own["organisers"], "id": me})
    with pytest.raises(Invalid, match="belongs to another hub"):
        await taken_in(world, OTHER, "organisers", {"event": str(event.id), "kind": "person", "id": me})
    assert [row["id"] for row in await exported(world, "organisers")] == [own["organisers"]["id"]]
    # A new one of its own is what the same request is for.
    done = await taken_in(world, HUB, "organisers", own["organisers"] | {"id": me})
    assert done.written == 1


async def test_nobody_who_was_erased_here_comes_back_by_an_old_export(world: World) -> None:
    event = await world.event()
    await world.sign_up(event, "ben")
    [old] = await exported(world, "sign-ups")
    await world.hear(world.erased("ben"))
    for entity, row in (
        ("sign-ups", old | {"id": str(world.ids())}),
        ("refusals", {"id": str(world.ids()), "hub": HUB, "event": str(event.id), "at": world.now.isoformat(),
                      "because": "approval", "by": old["person"]}),
    ):  # fmt: skip
        with pytest.raises(HubDiffers, match=old["person"]):
            await taken_in(world, HUB, entity, row)


async def test_whatever_changes_and_nothing_else_makes_another_mark(world: World) -> None:
    await world.hub(OTHER)
    event = await world.event()
    before = await mark(world)
    assert await mark(world) == before != 0
    here = len(await world.facts())
    async with world.database.transaction() as session:
        row = await session.get_one(Event, event.id)
        row.cost = "A cake"
    assert len(await world.facts()) == here, "no fact tells of it"
    after = await mark(world)
    assert after != before
    await world.hear(world.hub_fact(OTHER, version=9))
    assert await mark(world) == after
    assert await mark(world, OTHER) == 0
