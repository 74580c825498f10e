"""What matching writes out for a person tells no more of others than they are told at any other time."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID

import pytest_asyncio

from shared.contracts.exporting import ExportMyMatching
from shared.contracts.matching.words import Reply
from tests.matching.kept import told_once
from tests.matching.test_introductions import asks, says, suggested
from tests.matching.world import World, begun


async def _town(world: World) -> None:
    """Ann has a yes for each of the others; one refuses, one is silent, one closes their profile, one says yes, too."""
    await begun(world)
    for name in ("ann", "ben", "cal", "dan", "eve"):
        await world.somebody(name, offers=["photography"])
    asked = {name: await asks(world, "ann", name) for name in ("ben", "cal", "dan", "eve")}
    await says(world, "ben", asked["ben"], Reply.NO)
    await world.close_to("dan")
    await says(world, "eve", asked["eve"], Reply.YES)
    await world.let_time_pass(days=15)


@pytest_asyncio.fixture
async def town(empty: World) -> World:
    """As it is told above."""
    return await told_once(empty, _town)


async def exported(world: World, by: str, table: str) -> list[dict[str, Any]]:
    """The lines of a table somebody is given."""
    page = await world.ask(ExportMyMatching(), by)
    return [json.loads(row.line) for row in page.items if row.table == table]


async def test_no_silence_and_going_are_written_out_alike(town: World) -> None:
    lines = await exported(town, "ann", "introduction")
    assert [line.pop("status") for line in lines] == ["over", "over", "over", "agreed"]
    ids = {UUID(line.pop("id")) for line in lines}
    assert len(ids) == 4
    assert len({json.dumps(line) for line in lines}) == 1, "nothing else tells one from another"
    assert {line["i_said"] for line in lines} == {"yes"}


async def test_whom_the_other_has_closed_to_is_told_so_before_the_row_says_it(town: World) -> None:
    await town.write("UPDATE profile SET visibility = 'nobody' WHERE person = :eve", eve=town.person("eve"))
    lines = await exported(town, "ann", "introduction")
    assert [line["status"] for line in lines] == ["over"] * 4


async def test_who_suggested_two_to_each_other_is_not_told_how_it_stands(town: World) -> None:
    about = await suggested(town, "ben", "cal", by="hanna")
    await says(town, "ben", about, Reply.NO)
    [line] = await exported(town, "hanna", "introduction")
    assert (line["id"], line["suggested_by_me"]) == (str(about.id), True)
    assert (line["status"], line["i_said"], line["met_at"]) == (None, None, None)
    assert {line["status"] for line in await exported(town, "cal", "introduction")} == {"over"}


async def test_what_goes_between_two_pages_takes_nothing_else_with_it(empty: World) -> None:
    zoe = empty.person("zoe")
    await empty.write(
        "INSERT INTO membership (person, hub, role, joined_at, version)"
        " SELECT :zoe, 'hub-' || to_char(n, 'FM000'), 'member', :now, 1 FROM generate_series(1, 250) n",
        zoe=zoe,
        now=empty.now,
    )
    first = await empty.ask(ExportMyMatching(), "zoe")
    assert first.cursor is not None
    await empty.write("DELETE FROM membership WHERE person = :zoe AND hub < 'hub-010'", zoe=zoe)
    second = await empty.ask(ExportMyMatching(cursor=first.cursor), "zoe")
    hubs = [json.loads(row.line)["hub"] for row in (*first.items, *second.items)]
    assert hubs == [f"hub-{number:03}" for number in range(1, 251)]
    assert "place" not in first.items[0].line
    for cursor in ("membership:200", "membership:", "nowhere:[]", "membership"):
        assert (await empty.refusal(ExportMyMatching(cursor=cursor), "zoe")).problem["field"] == "cursor"
