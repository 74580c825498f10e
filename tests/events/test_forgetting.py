"""A person is erased: their places are free, what only they knew of is gone, and what others go to goes on."""

from __future__ import annotations

from typing import Any

from shared.contracts.base import NOBODY
from shared.contracts.directory.words import Role
from shared.contracts.events.facts import EventCancelledV1, ParticipantForgottenV1, PlaceGivenBackV1
from shared.contracts.events.requests import AddDate, AnswerHiding, HideEvent
from shared.contracts.events.words import EventStatus
from tests.events.world import HUB, World, cancel

ORGANISERS = "SELECT kind, id FROM organiser WHERE event = :event"


async def test_places_ahead_are_free_and_two_who_came_to_the_same_are_two(world: World) -> None:
    event = await world.event(by="bob", capacity=2)
    for name in ("ann", "eve"):
        await world.sign_up(event, name)
    await world.hear(world.erased("ann"), world.erased("eve"))
    assert len(await world.facts(PlaceGivenBackV1)) == 2
    people = {row.person for row in await world.rows("SELECT person FROM sign_up")}
    assert len(people) == 2
    assert not people & {world.person("ann"), world.person("eve")}
    [places] = await world.rows("SELECT taken FROM places WHERE event = :event", event=event.id)
    assert places.taken == 0


async def test_what_is_published_is_the_hubs_and_what_nobody_read_is_empty(world: World) -> None:
    public = await world.event(by="ann", title="Soup")
    draft = await world.draft(by="ann", title="Secret soup")
    shared = await world.event(by="ann", title="Ours", organisers=[{"id": str(world.person("bob"))}])
    await world.hear(world.erased("ann"))
    [own] = await world.rows(ORGANISERS, event=public.id)
    assert own.kind == "hub"
    [other] = await world.rows(ORGANISERS, event=shared.id)
    assert other.id == world.person("bob")
    rows = {row.id: row for row in await world.rows("SELECT id, status, texts, created_by FROM event")}
    assert rows[public.id].texts["sv"]["title"] == "Soup"
    assert rows[draft.id].status == EventStatus.CANCELLED
    assert "Secret" not in str(rows[draft.id].texts)
    assert {row.created_by for row in rows.values()} == {NOBODY}
    assert await world.facts(EventCancelledV1) == [], "nobody had heard of the draft"
    [answer] = await world.facts(ParticipantForgottenV1)
    assert isinstance(answer, ParticipantForgottenV1)
    assert {line.what: line.count for line in answer.told} == {
        "drafts": 1,
        "organised": 3,
        "events-started": 3,
        "published-texts": None,
        "id": None,
        "facts": None,
    }


async def test_what_was_called_off_or_told_the_hub_alone_and_a_series_nobody_read_are_empty(
    world: World,
) -> None:
    secret: Any = {"place": {"address": "Secret quay"}, "link": "https://secret.example"}
    weekly: Any = {"repeat": {"rule": "FREQ=WEEKLY;COUNT=2"}}
    off = await world.draft(by="ann", title="Secret soup", **secret)
    await world.ask(cancel(off, "It is a secret"), "ann")
    alone = await world.draft(by="ann", title="Secret weeks", **secret, **weekly)
    ours = await world.draft(by="ann", title="Ours", organisers=[{"id": str(world.person("bob"))}], **weekly)
    public = await world.event(by="ann", title="Stew", **weekly)
    for hidden in (public, await world.event(by="bob", title="Bread")):
        await world.ask(HideEvent(hub=HUB, event=hidden.id, reason="Whose?"), "hanna", Role.HOST)
        by = "ann" if hidden is public else "bob"
        await world.ask(AnswerHiding(hub=HUB, event=hidden.id, answer=f"It is {by}'s secret"), by)
    await world.hear(world.erased("ann"))
    everything = f"{await world.rows('SELECT * FROM event')} {await world.rows('SELECT * FROM series')}"
    assert "ann's secret" not in everything
    assert everything.replace("bob's secret", "").lower().count("secret") == 0
    assert "bob's secret" in everything, "what somebody else has answered is theirs"
    titles = {row.id: row.texts["sv"]["title"] for row in await world.rows("SELECT id, texts FROM series")}
    assert (titles[alone.series], titles[ours.series], titles[public.series]) == ("–", "Ours", "Stew")
    [answer] = await world.facts(ParticipantForgottenV1)
    assert isinstance(answer, ParticipantForgottenV1)
    assert (answer.erased["drafts"], answer.erased["answers-to-the-hub"]) == (3 + 1, 1), (
        "a series is one, too"
    )
    added = AddDate(hub=HUB, series=alone.series, start="2027-06-07T18:00")
    assert (await world.ask(added, "hanna", Role.HOST)).title == "–", (
        "the hub's staff can still go on with it"
    )


async def test_a_series_has_no_more_dates_when_whoever_started_it_is_gone(world: World) -> None:
    first = await world.event(by="ann", repeat={"rule": "FREQ=MONTHLY"})
    before = len(await world.rows("SELECT id FROM event"))
    await world.hear(world.erased("ann"))
    await world.let_time_pass(days=40)
    assert len(await world.rows("SELECT id FROM event")) == before
    assert world.principal("bob", Role.MEMBER).hub == HUB == first.hub
