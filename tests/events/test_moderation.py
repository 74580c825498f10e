"""Approval where a hub wants it; hiding with a reason, the author's answer, showing again."""

from __future__ import annotations

from typing import Any

import pytest

from shared.contracts.directory.words import Role
from shared.contracts.events.facts import EventChangedV1, EventHiddenV1, EventProposedV1, EventSnapshotV1
from shared.contracts.events.requests import (
    AnswerHiding,
    ApproveEvent,
    CancelEvent,
    ChangeEvent,
    ChangeEventSettings,
    GetEventSettings,
    HideEvent,
    ReturnEvent,
    ShowEvent,
)
from shared.contracts.events.sign_ups import SignUp
from shared.contracts.events.views import EventView
from tests.events.world import HUB, Refused, World


async def approval(world: World, wanted: bool) -> None:
    """An operator says whether members' events wait."""
    present = await world.ask(GetEventSettings(hub=HUB), None)
    request = ChangeEventSettings(hub=HUB, approval=wanted, version=present.version)
    assert (await world.ask(request, "olga", Role.OPERATOR)).approval is wanted


def about(event: EventView, order: type[Any], **more: Any) -> Any:
    """An order about an event."""
    return order(hub=HUB, event=event.id, **more)


async def names(world: World, event: EventView) -> list[str]:
    """What has been stated about the event."""
    return [fact.fact for fact in await world.facts_about(event.id)]


async def test_where_the_hub_approves_a_members_event_waits(world: World) -> None:
    await approval(world, True)
    event = await world.event()
    assert event.status == "awaiting"
    with pytest.raises(Refused):
        await world.seen(event, "ben")
    assert (await world.publish(event)).version == event.version
    [fact] = await world.facts_about(event.id)
    assert isinstance(fact, EventProposedV1)
    assert "titles" not in type(fact).model_fields
    refused = await world.refusal(about(event, ApproveEvent))
    assert (refused.status, refused.code) == (403, "forbidden")
    await world.let_time_pass(hours=2)
    approved = await world.ask(about(event, ApproveEvent), "hanna", Role.HOST)
    assert approved.status == "published"
    assert (await world.seen(event, None)).title == "Evening talk"
    assert (await world.ask(about(event, ApproveEvent), "hanna", Role.HOST)).version == approved.version
    [row] = await world.rows("SELECT waited, usable_at - asked_at AS waiting FROM event")
    assert (row.waited, row.waiting.total_seconds()) == (True, 7200)


async def test_staff_need_no_approval(world: World) -> None:
    await approval(world, True)
    assert (await world.event(by="hanna", role=Role.HOST)).status == "published"
    event = await world.event()
    assert (await world.publish(event, "hanna", Role.HOST)).status == "published"


async def test_what_is_returned_can_be_changed_and_asked_for_again(world: World) -> None:
    await approval(world, True)
    event = await world.event()
    returned = await world.ask(about(event, ReturnEvent, reason="Which oven?"), "hanna", Role.HOST)
    assert (returned.status, returned.returned_reason) == ("draft", "Which oven?")
    assert (await world.seen(event)).returned_reason == "Which oven?"
    refused = await world.refusal(about(event, ReturnEvent, reason="Again"), "hanna", Role.HOST)
    assert refused.code == "wrong-state"
    assert (await world.refusal(about(event, ApproveEvent), "hanna", Role.HOST)).code == "wrong-state"
    again = await world.publish(event)
    assert (again.status, again.returned_reason) == ("awaiting", None)
    await world.ask(about(event, ApproveEvent), "hanna", Role.HOST)
    assert await names(world, event) == [
        "event-proposed",
        "event-returned",
        "event-proposed",
        "event-published",
    ]
    [row] = await world.rows("SELECT because, by FROM refusal")
    assert (row.because, row.by) == ("approval", world.person("hanna"))


async def test_who_waits_for_approval_can_give_up(world: World) -> None:
    await approval(world, True)
    event = await world.event()
    assert (await world.ask(about(event, CancelEvent))).status == "cancelled"
    assert await names(world, event) == ["event-proposed", "event-cancelled"]
    assert (await world.facts_about(event.id))[-1].titles == {}  # type: ignore[attr-defined]


async def test_switching_approval_off_lets_members_publish(world: World) -> None:
    await approval(world, True)
    waiting = await world.event()
    await approval(world, False)
    assert (await world.publish(waiting)).status == "awaiting"
    assert (await world.event()).status == "published"


async def test_only_operators_change_the_choices_and_not_from_an_old_page(world: World) -> None:
    wanted = ChangeEventSettings(hub=HUB, approval=True, version=1)
    assert (await world.refusal(wanted, "hanna", Role.HOST)).status == 403
    changed = await world.ask(wanted, "olga", Role.OPERATOR)
    assert (changed.approval, changed.version) == (True, 2)
    assert (await world.refusal(wanted, "olga", Role.OPERATOR)).status == 412
    same = ChangeEventSettings(hub=HUB, version=2)
    assert (await world.ask(same, "olga", Role.OPERATOR)).version == 2
    assert (await world.refusal(GetEventSettings(hub="nowhere"), None)).status == 404


async def test_the_hub_hides_with_a_reason_and_the_author_answers(world: World) -> None:
    event = await world.event()
    hidden = await world.ask(about(event, HideEvent, reason="Sells something"), "hanna", Role.HOST)
    assert hidden.hidden is not None
    with pytest.raises(Refused) as refused:
        await world.seen(event, None)
    assert refused.value.status == 404
    mine = await world.seen(event)
    assert mine.hidden is not None
    assert (mine.hidden.reason, mine.hidden.since, mine.hidden.answer) == ("Sells something", world.now, None)
    answered = await world.ask(about(event, AnswerHiding, answer="Only the bread"))
    assert answered.hidden is not None
    assert answered.hidden.answer == "Only the bread"
    assert (await world.seen(event, "hanna", Role.HOST)).hidden == answered.hidden
    shown = await world.ask(about(event, ShowEvent), "hanna", Role.HOST)
    assert shown.hidden is None
    assert (await world.seen(event, None)).title == "Evening talk"
    assert await names(world, event) == ["event-published", "event-hidden", "event-shown"]
    assert (await world.ask(about(event, ShowEvent), "hanna", Role.HOST)).version == shown.version


async def test_reasons_and_answers_are_in_no_fact(world: World) -> None:
    event = await world.event()
    await world.ask(about(event, HideEvent, reason="Sells something"), "hanna", Role.HOST)
    await world.ask(about(event, AnswerHiding, answer="Only the bread"))
    await world.ask(ChangeEvent(hub=HUB, event=event.id, version=4, title="Bread"))
    stated = "".join(fact.model_dump_json() for fact in await world.facts())
    assert "Sells" not in stated
    assert "Only the bread" not in stated
    fact = (await world.facts(EventChangedV1))[-1]
    assert isinstance(fact, EventChangedV1)
    assert fact.titles == {}


async def test_who_hides_and_who_answers(world: World) -> None:
    event = await world.event()
    hide = about(event, HideEvent, reason="No")
    assert (await world.refusal(hide)).status == 403
    assert (await world.refusal(hide, "ben")).status == 403
    refused = await world.refusal(about(event, AnswerHiding, answer="Why?"))
    assert (refused.status, refused.code) == (409, "wrong-state")
    await world.ask(hide, "hanna", Role.HOST)
    assert (await world.refusal(about(event, AnswerHiding, answer="Hm"), "hanna", Role.HOST)).status == 403
    assert (await world.refusal(about(event, AnswerHiding, answer="Hm"), "ben")).status == 404
    again = await world.ask(hide, "hanna", Role.HOST)
    assert [fact.fact for fact in await world.facts(EventHiddenV1)] == ["event-hidden"]
    assert again.hidden is not None


async def test_nobody_signs_up_for_what_is_hidden(world: World) -> None:
    event = await world.event(visibility="hub")
    signed_up = await world.sign_up(event, "ben")
    await world.ask(about(event, HideEvent, reason="No"), "hanna", Role.HOST)
    refused = await world.refusal(SignUp(hub=HUB, event=event.id), "cal")
    assert refused.status == 404
    await world.ask(about(event, ShowEvent), "hanna", Role.HOST)
    assert (await world.sign_up(event, "cal")).status == "attending"
    assert (await world.seen(event, "ben")).sign_up == signed_up.id


async def test_a_draft_cannot_be_hidden(world: World) -> None:
    draft = await world.draft()
    refused = await world.refusal(about(draft, HideEvent, reason="No"), "hanna", Role.HOST)
    assert (refused.status, refused.code) == (409, "wrong-state")


async def test_hidden_events_are_stated_without_their_titles(world: World) -> None:
    from services.events.commands.snapshots import restate_events  # noqa: PLC0415

    event = await world.event()
    await world.ask(about(event, HideEvent, reason="No"), "hanna", Role.HOST)
    async with world.database.transaction() as session:
        await restate_events(session, "", clock=world.clock, ids=world.ids)
    [fact] = await world.facts(EventSnapshotV1)
    assert isinstance(fact, EventSnapshotV1)
    assert (fact.hidden, fact.titles) == (True, {})
