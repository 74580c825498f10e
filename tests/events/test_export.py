"""What events writes out for a person is theirs: of what they once hid, or went to, no more than they may see now."""

from __future__ import annotations

import json
from typing import Any

from shared.contracts.directory.words import Role
from shared.contracts.events.requests import HideEvent
from shared.contracts.exporting import ExportMyAttendance
from tests.events.world import HUB, World, cancel


async def exported(world: World, by: str, table: str) -> list[dict[str, Any]]:
    """The lines of a table somebody is given."""
    page = await world.ask(ExportMyAttendance(), by)
    return [json.loads(row.line) for row in page.items if row.table == table]


async def test_of_anothers_hidden_event_one_is_given_that_one_hid_it(world: World) -> None:
    secret: Any = {
        "place": {"address": "Secret quay", "online_url": "https://secret.example/room"},
        "link": "https://secret.example",
    }
    event = await world.event(by="ann", title="Secret soup", tags=["secret"], cost="Secret", **secret)
    await world.sign_up(event, "ben")
    await world.ask(HideEvent(hub=HUB, event=event.id, reason="Twice the same"), "hanna", Role.HOST)
    [own] = await exported(world, "ann", "event")
    assert (own["texts"]["sv"]["title"], own["address"], own["link"]) == (
        "Secret soup",
        "Secret quay",
        "https://secret.example",
    )
    [hidden] = await exported(world, "hanna", "event")
    assert (hidden["id"], hidden["hidden_by_me"], hidden["started_by_me"]) == (str(event.id), True, False)
    [place] = await exported(world, "ben", "sign-up")
    assert (place["event"], place["title"]) == (str(event.id), None)
    assert "secret" not in json.dumps([hidden, place]).lower()


async def test_a_place_at_what_was_called_off_says_so(world: World) -> None:
    event = await world.event(by="ann", title="Soup")
    await world.sign_up(event, "ben")
    await world.ask(cancel(event), "ann")
    [place] = await exported(world, "ben", "sign-up")
    assert (place["title"], place["status"], place["event_status"]) == ("Soup", "attending", "cancelled")
