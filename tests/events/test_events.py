"""Starting, publishing, changing and cancelling events."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from shared.contracts.base import Fact
from shared.contracts.directory.words import Role
from shared.contracts.events.facts import (
    EventCancelledV1,
    EventChangedV1,
    EventHeldV1,
    EventPublishedV1,
    EventSnapshotV1,
)
from shared.contracts.events.given import GivenOrganiser
from shared.contracts.events.requests import (
    ChangeEvent,
    PublishEvent,
)
from shared.contracts.events.words import EventPart, OrganiserKind
from tests.events.world import EVENING, HUB, MONDAY, Refused, World, cancel, change


def kinds(facts: list[Fact]) -> list[str]:
    """What the facts are called."""
    return [fact.fact for fact in facts]


async def test_a_member_publishes_without_asking_anybody(world: World) -> None:
    event = await world.event("Bread for beginners")
    assert (event.status, event.mine, event.title) == ("published", True, "Bread for beginners")
    seen = await world.seen(event, None)
    assert (seen.title, seen.mine, seen.place.address) == ("Bread for beginners", False, "Harbour 1")
    assert (seen.start.isoformat(), seen.time_zone) == ("2027-03-08T18:00:00+01:00", "Europe/Stockholm")
    [fact] = await world.facts_about(event.id)
    assert isinstance(fact, EventPublishedV1)
    assert fact.titles == {"sv": "Bread for beginners"}
    assert fact.organisers == (world.person("ann"),)


async def test_a_draft_is_nobodys_business_and_no_fact(world: World) -> None:
    draft = await world.draft()
    assert draft.status == "draft"
    for by, role in (("ben", Role.MEMBER), ("cal", None), (None, None)):
        with pytest.raises(Refused) as refused:
            await world.seen(draft, by, role)
        assert refused.value.status == 404
    assert (await world.seen(draft, "hanna", Role.HOST)).mine is False
    await world.ask(change(draft, title="Another title"))
    assert await world.facts_about(draft.id) == []


async def test_a_visitor_and_a_stranger_start_nothing(world: World) -> None:
    for role in (Role.VISITOR, None):
        refused = await world.refusal(world.wish(), "vera", role)
        assert (refused.status, refused.code) == (403, "not-a-member")
    refused = await world.refusal(world.wish(hub="nowhere"), world.principal("ann", Role.MEMBER, "nowhere"))
    assert (refused.status, refused.code) == (404, "not-found")
    assert (await world.refusal(world.wish(), None)).status == 401


async def test_who_starts_it_runs_it_and_so_do_those_they_name(world: World) -> None:
    world.person("ann")  # ids are given in this order
    ben = GivenOrganiser(id=world.person("ben"))
    firm = GivenOrganiser(kind=OrganiserKind.ORGANISATION, id=world.person("a firm"))
    hub = GivenOrganiser(kind=OrganiserKind.HUB)
    event = await world.event(
        organisers=[ben.model_dump(), firm.model_dump(), hub.model_dump(), ben.model_dump()]
    )
    assert [(one.kind, one.id) for one in event.organisers] == [
        ("person", world.person("ann")),
        ("person", world.person("ben")),
        ("organisation", world.person("a firm")),
        ("hub", None),
    ]
    changed = await world.ask(change(event, cost="Free"), "ben", Role.VISITOR)
    refused = await world.refusal(change(changed, cost="Much"), "cal")
    assert (refused.status, refused.code) == (403, "forbidden")
    assert (
        await world.ask(change(changed, cost="Fika included"), "hanna", Role.HOST)
    ).cost == "Fika included"
    left = await world.ask(change(await world.seen(event), organisers=[]))
    assert [one.id for one in left.organisers] == [world.person("ann")]
    assert (await world.refusal(change(left, cost="Much"), "ben")).status == 403


async def test_an_organiser_must_be_somebody(world: World) -> None:
    refused = await world.refusal(world.wish(organisers=[{"kind": "person"}]))
    assert (refused.status, refused.problem["field"]) == (422, "organisers")


async def test_publishing_and_cancelling_twice_change_nothing(world: World) -> None:
    event = await world.event()
    again = await world.publish(event)
    assert again.version == event.version
    gone = await world.ask(cancel(event, "The speaker is ill"))
    assert (gone.status, gone.cancel_reason) == ("cancelled", "The speaker is ill")
    assert (await world.ask(cancel(event, "Another reason"))).version == gone.version
    assert (await world.seen(event, None)).cancel_reason == "The speaker is ill"
    assert kinds(await world.facts_about(event.id)) == ["event-published", "event-cancelled"]
    refused = await world.refusal(PublishEvent(hub=HUB, event=event.id))
    assert (refused.status, refused.code) == (409, "wrong-state")
    refused = await world.refusal(change(gone, title="Still on"))
    assert (refused.status, refused.code) == (409, "wrong-state")


async def test_a_draft_that_is_called_off_goes_without_a_word(world: World) -> None:
    draft = await world.draft()
    gone = await world.ask(cancel(draft))
    assert gone.status == "cancelled"
    assert await world.facts_about(draft.id) == []
    with pytest.raises(Refused):
        await world.seen(draft, "ben")


async def test_people_must_be_told_where(world: World) -> None:
    draft = await world.draft(place={})
    refused = await world.refusal(PublishEvent(hub=HUB, event=draft.id))
    assert (refused.status, refused.problem["field"]) == (422, "place")
    event = await world.ask(change(draft, place={"online_url": "https://meet.example.org/bread"}))
    assert (await world.publish(event)).status == "published"
    refused = await world.refusal(change(await world.seen(event), place=None))
    assert (refused.status, refused.problem["field"]) == (422, "place")


@pytest.mark.parametrize(
    ("start", "end", "code"),
    [
        ("2027-03-08T18:00", "2027-03-08T17:00", "invalid"),
        ("2027-03-08T18:00", "2027-03-08T18:00", "invalid"),
        ("2027-03-08T18:00", "2027-05-08T18:00", "invalid"),
        ("2027-03-01T08:44", "2027-03-01T10:00", "invalid"),
        ("2027-03-28T02:30", "2027-03-28T04:00", "time-does-not-exist"),
        ("2027-10-31T02:30", "2027-10-31T04:00", "time-exists-twice"),
        ("some other day", "2027-05-08T18:00", "invalid"),
    ],
)
async def test_a_time_that_cannot_be_is_refused(world: World, start: str, end: str, code: str) -> None:
    wish = world.wish().model_copy(update={"start": start, "end": end})
    refused = await world.refusal(wish)
    assert (refused.status, refused.code) == (422, code)


async def test_people_are_standing_in_the_room_already(world: World) -> None:
    assert (await world.event(start="2027-03-01T08:45")).status == "published"


async def test_a_change_says_what_changed_and_what_was_before(world: World) -> None:
    event = await world.event(tags=["Bread"], kind="training")
    changed = await world.ask(
        change(event, start="2027-03-08T19:00", end="2027-03-08T21:30", tags=["Bread", "Oven"])
    )
    assert (changed.status, changed.version) == ("changed", event.version + 1)
    [_, fact] = await world.facts_about(event.id)
    assert isinstance(fact, EventChangedV1)
    assert fact.changed == (EventPart.TIME, EventPart.DETAILS)
    assert (fact.previous_start, fact.previous_end) == (event.start, event.end)
    assert fact.start == changed.start
    assert fact.kind == "training"
    [row] = await world.rows("SELECT sequence FROM event")
    assert row.sequence == 1
    assert (
        await world.ask(change(changed, tags=["Bread", "Oven"], start="2027-03-08T19:00"))
    ).version == changed.version
    stale = await world.refusal(change(event, title="From an old page"))
    assert (stale.status, stale.code) == (412, "version-mismatch")


async def test_a_change_may_not_make_nonsense(world: World) -> None:
    event = await world.event()
    for what in (
        {"end": "2027-03-08T17:00"},
        {"start": "2027-02-28T10:00"},
        {"start": None},
        {"visibility": None},
        {"waiting_list": None},
    ):
        assert (await world.refusal(change(event, **what))).status == 422


async def test_a_member_of_the_other_hub_is_a_stranger_here(world: World) -> None:
    await world.hub("sydviken")
    event = await world.event(visibility="hub")
    there = world.principal("ann's sister", Role.ADMIN, "sydviken")
    with pytest.raises(Refused) as refused:
        await world.seen(event, there)
    assert refused.value.status == 404


@pytest.mark.parametrize(
    ("visibility", "visitor", "stranger", "nobody"),
    [("hub", True, False, False), ("federation", True, True, False), ("public", True, True, True)],
)
async def test_who_sees_a_published_event(
    world: World, visibility: str, visitor: bool, stranger: bool, nobody: bool
) -> None:
    event = await world.event(visibility=visibility)
    from shared.contracts.events.requests import ListEvents  # noqa: PLC0415

    for by, role, expected in (
        ("vera", Role.VISITOR, visitor),
        ("stig", None, stranger),
        (None, None, nobody),
    ):
        answer = await world.answer(
            ChangeEvent(hub=HUB, event=event.id, version=1), None if by is None else world.principal(by, role)
        )
        assert isinstance(answer, Refused)
        if by is not None:  # who sees it and may not run it hears 403, the others that there is none
            assert answer.status == (403 if expected else 404)
        page = await world.ask(ListEvents(hub=HUB), by, role)
        assert bool(page.items) is expected


async def test_the_way_in_is_for_those_who_come(world: World) -> None:
    event = await world.event(
        place={"address": "Harbour 1", "online_url": "https://meet.example.org/x"}, capacity=1
    )
    assert event.place.online_url is not None
    assert [(one.way, one.capacity) for one in event.places] == [("room", 1), ("online", None)]
    seen = await world.seen(event, "ben")
    assert (seen.place.online, seen.place.online_url) == (True, None)
    signed_up = await world.sign_up(event, "ben")
    seen = await world.seen(event, "ben")
    assert seen.place.online_url == "https://meet.example.org/x"
    assert (seen.sign_up, seen.my_status) == (signed_up.id, "attending")
    assert (seen.places[0].taken, seen.places[0].free) == (1, 0)
    assert (seen.venue, seen.hidden, seen.source) == (None, None, None)


async def test_ways_come_and_go_with_the_place(world: World) -> None:
    event = await world.event(place={"online_url": "https://meet.example.org/x"}, capacity_online=10)
    assert [(one.way, one.capacity) for one in event.places] == [("online", 10)]
    event = await world.ask(change(event, place={"address": "Harbour 1"}, capacity=5, capacity_online=None))
    assert [(one.way, one.capacity) for one in event.places] == [("room", 5)]
    assert event.place.online is False
    fact = (await world.facts(EventChangedV1))[-1]
    assert isinstance(fact, EventChangedV1)
    assert fact.changed == (EventPart.PLACE, EventPart.CAPACITY)
    assert (fact.capacity, fact.capacity_online) == (5, None)
    refused = await world.refusal(world.wish(place={"online_url": "https://meet.example.org/x"}, capacity=3))
    assert (refused.status, refused.problem["field"]) == (422, "capacity")


async def test_capacity_below_those_who_come_needs_a_decision(world: World) -> None:
    event = await world.event(capacity=2)
    one, two = [await world.sign_up(event, name) for name in ("ben", "cal")]
    event = await world.seen(event)
    refused = await world.refusal(change(event, capacity=1))
    assert (refused.status, refused.code) == (409, "capacity-below-sign-ups")
    assert [row["sign_up"] for row in refused.problem["would_lose"]] == [str(two.id)]
    assert (await world.seen(event)).places[0].capacity == 2
    event = await world.ask(change(event, capacity=1, losing=[str(one.id)]))
    assert (event.places[0].capacity, event.places[0].taken, event.places[0].waiting) == (1, 1, 1)


async def test_when_it_is_over_it_has_been_held(world: World) -> None:
    event = await world.event(kind="my own word")
    await world.sign_up(event, "ben")
    await world.until(event.end - timedelta(minutes=1))
    assert (await world.seen(event)).status == "published"
    await world.until(event.end)
    held = await world.seen(event)
    assert held.status == "held"
    fact = (await world.facts_about(event.id))[-1]
    assert isinstance(fact, EventHeldV1)
    assert (fact.signed_up, fact.came, fact.walk_ins, fact.participants) == (1, 0, 0, 1)
    assert (fact.kind, fact.by) == ("other", None)
    refused = await world.refusal(change(held, start="2027-03-09T18:00"))
    assert (refused.status, refused.code) == (409, "wrong-state")
    assert (await world.refusal(cancel(held))).code == "wrong-state"
    assert (await world.ask(change(held, text="Thank you all"))).text == "Thank you all"
    assert (await world.seen(held)).status == "held"


async def test_an_event_that_is_moved_ends_later(world: World) -> None:
    event = await world.event()
    moved = await world.ask(change(event, start="2027-03-10T18:00", end="2027-03-10T20:00"))
    await world.until(event.end + timedelta(hours=1))
    assert (await world.seen(event)).status == "changed"
    await world.until(moved.end)
    assert (await world.seen(event)).status == "held"


async def test_a_duty_does_not_wait_for_who_is_changing_the_event(world: World) -> None:
    """It holds its timer, which they may be about to move: both would wait for each other."""
    event = await world.event()
    async with world.database.transaction() as busy:
        await busy.execute(text("SELECT 1 FROM event FOR UPDATE"))
        await asyncio.wait_for(world.until(event.end), timeout=5)
        assert (await world.seen(event)).status == "published"
    await world.let_time_pass(seconds=15)
    assert (await world.seen(event)).status == "held"


async def test_of_two_who_change_it_at_once_one_has_to_look_again(world: World) -> None:
    event = await world.event()
    ann = world.principal("ann")
    answers = await asyncio.gather(*(world.answer(change(event, cost=f"{n} kr"), ann) for n in range(4)))
    refused = [one for one in answers if isinstance(one, Refused)]
    assert [one.code for one in refused] == ["version-mismatch"] * 3
    assert len(await world.facts_about(event.id)) == 2


async def test_a_cancelled_event_is_never_held(world: World) -> None:
    event = await world.event()
    await world.ask(cancel(event))
    await world.let_time_pass(days=30)
    assert (await world.seen(event)).status == "cancelled"
    assert await world.facts(EventHeldV1) == []


async def test_what_is_imported_may_have_been(world: World) -> None:
    source = {"calendar": "old programme", "uid": "17@example.org"}
    wish = world.wish("Harvest", "2019-09-01T10:00", place={}, publish=True, source=source)
    assert (await world.refusal(wish, "hanna", Role.HOST)).status == 403
    event = await world.ask(wish, "olga", Role.OPERATOR)
    assert event.status == "held"
    assert event.source is not None
    assert event.source.uid == "17@example.org"
    assert [one.kind for one in event.organisers] == ["hub"]
    assert kinds(await world.facts_about(event.id)) == ["event-published", "event-held"]
    assert (await world.seen(event, None)).source is None
    again = await world.refusal(wish, "olga", Role.OPERATOR)
    assert (again.status, again.code) == (409, "already-imported")
    by_key = await world.refusal(wish, "olga", Role.OPERATOR, key="once more")
    assert by_key.code == "already-imported"


async def test_a_cancelled_entry_can_be_imported_anew(world: World) -> None:
    wish = world.wish(publish=True, source={"calendar": "c", "uid": "u"})
    event = await world.ask(wish, "olga", Role.OPERATOR)
    await world.ask(cancel(event), "olga", Role.OPERATOR)
    assert (await world.ask(wish, "olga", Role.OPERATOR)).id != event.id


async def test_facts_of_an_event_have_no_gaps_and_say_what_it_became(world: World) -> None:
    event = await world.event()
    for what in ({"title": "New title"}, {"capacity": 9}, {"cost": "20 kr"}, {"visibility": "hub"}):
        await world.ask(change(await world.seen(event), **what))
    await world.ask(cancel(event))
    facts = await world.facts_about(event.id)
    assert kinds(facts) == ["event-published", *["event-changed"] * 4, "event-cancelled"]
    last = facts[-1]
    assert isinstance(last, EventCancelledV1)
    assert (last.capacity, last.visibility, last.titles) == (9, "hub", {"sv": "New title"})
    [row] = await world.rows("SELECT sequence, stated, version FROM event")
    assert (row.sequence, row.stated) == (1, 6)


async def test_what_is_can_be_stated_again(world: World) -> None:
    from services.events.commands.snapshots import restate_events  # noqa: PLC0415

    event = await world.event()
    await world.draft()
    async with world.database.transaction() as session:
        assert await restate_events(session, "", clock=world.clock, ids=world.ids) == (1, None)
    [fact] = await world.facts(EventSnapshotV1)
    assert isinstance(fact, EventSnapshotV1)
    assert (fact.subject, fact.subject_version, fact.status) == (str(event.id), 1, "published")


async def test_the_same_key_starts_one_event(world: World) -> None:
    world.now = datetime.now(UTC)  # keys are remembered by the database's own clock
    wish = world.wish(start=(world.now + timedelta(days=2)).isoformat(), publish=True)
    first = await world.ask(wish, key="k")
    assert (await world.ask(wish, key="k")).id == first.id
    assert len(await world.rows("SELECT 1 FROM event")) == 1


async def test_the_clock_of_the_hub_counts_when_the_event_is_made(world: World) -> None:
    event = await world.event()
    await world.hear(world.hub_fact(zone="Asia/Kolkata"))
    assert (await world.seen(event)).start.isoformat() == "2027-03-08T18:00:00+01:00"
    later = await world.event()
    assert later.start == datetime(2027, 3, 8, 12, 30, tzinfo=UTC)
    assert EVENING.startswith(later.start.date().isoformat())
    assert world.now == MONDAY
