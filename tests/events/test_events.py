"""Starting, publishing, changing and cancelling events."""

from __future__ import annotations

from shared.contracts.events.facts import EventPublishedV1
from tests.events.world import World


async def test_a_member_publishes_without_asking_anybody(world: World) -> None:
    event = await world.event("Bread for beginners")
    assert (event.status, event.mine, event.title) == ("published", True, "Bread for beginners")
    seen = await world.seen(event, None)
    assert (seen.title, seen.mine, seen.place.address) == ("Bread for beginners", False, "Harbour 1")
    [fact] = await world.facts_about(event.id)
    assert isinstance(fact, EventPublishedV1)
    assert fact.titles == {"sv": "Bread for beginners"}
    assert fact.organisers == (world.person("ann"),)
