"""What is, stated again: events, sign-ups and rooms, for read models that were rebuilt and for comparing."""

from __future__ import annotations

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import text

from services.events.commands import snapshots
from services.events.commands.comparing import count_unanswered
from services.events.commands.snapshots import restate_events, restate_sign_ups
from shared.contracts.events.facts import EventSnapshotV1, SignUpSnapshotV1, VenueWantedV1
from tests.events.agreeing import Both
from tests.events.world import World


async def test_events_that_people_know_of_are_stated_again(world: World) -> None:
    known = await world.event("Evening talk")
    await world.draft("Nobody knows")
    async with world.database.transaction() as session:
        assert await restate_events(session, "", clock=world.clock, ids=world.ids) == (1, None)
    [fact] = await world.facts(EventSnapshotV1)
    assert isinstance(fact, EventSnapshotV1)
    assert (fact.subject, fact.subject_version, fact.status) == (str(known.id), 1, "published")
    assert fact.titles == {"sv": "Evening talk"}
    await world.until(known.end)
    async with world.database.transaction() as session:
        assert await restate_events(session, "", clock=world.clock, ids=world.ids) == (0, None)


async def test_sign_ups_are_stated_again_a_few_at_a_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(snapshots, "AT_ONCE", 2)
    event = await world.event(capacity=2)
    signed_up = [await world.sign_up(event, name) for name in ("ben", "cia", "dan")]
    async with world.database.transaction() as session:
        count, after = await restate_sign_ups(session, "", clock=world.clock, ids=world.ids)
        assert count == 2
        assert await restate_sign_ups(session, after or "", clock=world.clock, ids=world.ids) == (1, None)
    facts = [fact for fact in await world.facts(SignUpSnapshotV1) if isinstance(fact, SignUpSnapshotV1)]
    assert {(fact.subject, fact.status) for fact in facts} == {(str(one.id), one.status) for one in signed_up}
    assert sorted(fact.status for fact in facts) == ["attending", "attending", "waiting"]


def figure(name: str) -> float:
    """A metric of this process."""
    return REGISTRY.get_sample_value(name) or 0.0


async def test_what_is_mended_is_counted(both: Both) -> None:
    names = ("foci_events_venues_mended_total", "foci_booking_venues_mended_total")
    await both.agreed()
    before = [figure(name) for name in names]
    await both.compare()
    assert [figure(name) for name in names] == before
    async with both.booking.database.transaction() as session:
        await session.execute(text("DELETE FROM booking"))
    await both.compare()
    await both.agree()
    assert sum(figure(name) for name in names) > sum(before)


async def test_wishes_that_nobody_answers_are_counted(both: Both) -> None:
    both.lost = lambda fact: isinstance(fact, VenueWantedV1)
    await both.publish()
    async with both.events.database.reading() as session:
        await count_unanswered(session, now=both.events.now)
        assert figure("foci_events_venues_unanswered") == 0
        await count_unanswered(session, now=both.events.now.replace(hour=12))
        assert figure("foci_events_venues_unanswered") == 1
