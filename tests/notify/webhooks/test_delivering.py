"""Stories of messages that arrive: what a receiver gets, and that it gets it once."""

from __future__ import annotations

import json

import pytest
from standardwebhooks import WebhookVerificationError

from shared.contracts.audiences import type_of
from shared.contracts.booking.facts import BookingCancelledV1, BookingConfirmedV1
from shared.contracts.directory.facts import MemberJoinedV1
from shared.contracts.events.facts import EventPublishedV1
from shared.contracts.notify.webhooks import ListDeliveries, RemoveWebhook, RotateSecret, TryWebhook
from shared.contracts.notify.words import DeliveryState
from tests.notify.webhooks.receiver import Receiver, receiving
from tests.notify.webhooks.world import HUB, OTHER_HUB, Hooks, Refused


async def test_a_fact_arrives_signed_as_a_cloud_event(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    fact = hooks.fact(EventPublishedV1)
    await hooks.hear(fact)
    assert await hooks.sender.round() == 1
    [request] = receiver.received
    event = request.verified(webhook.secret)
    assert event["specversion"] == "1.0"
    assert event["id"] == str(fact.id)
    assert event["source"] == f"/hubs/{HUB}/events"
    assert event["type"] == "foci.events.event-published.v1"
    assert event["subject"] == fact.subject
    assert event["datacontenttype"] == "application/json"
    assert event["data"] == json.loads(fact.model_dump_json())
    assert request.method == "POST"
    assert request.headers["content-type"].startswith("application/cloudevents+json")
    assert request.headers["accept-encoding"] == "identity"
    [delivery] = await hooks.log(webhook)
    assert request.message == str(delivery.id)
    assert (delivery.state, delivery.attempts, delivery.last_status) == (DeliveryState.DELIVERED, 1, 204)
    assert delivery.next_at is None
    assert (await hooks.delivery(webhook, delivery.id)).body == request.body


async def test_another_secret_does_not_fit(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    other = await hooks.add(receiver, type_of(MemberJoinedV1))
    assert webhook.secret != other.secret
    assert webhook.secret.startswith("whsec_")
    await hooks.hear(hooks.fact())
    await hooks.sender.round()
    with pytest.raises(WebhookVerificationError):
        receiver.received[0].verified(other.secret)


async def test_for_a_day_after_rotating_both_secrets_fit(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    rotated = await hooks.ask(RotateSecret(hub=HUB, webhook=webhook.id))
    assert rotated.secret != webhook.secret
    assert rotated.previous_until is not None
    await hooks.hear(hooks.fact())
    await hooks.sender.round()
    receiver.received[0].verified(webhook.secret)
    receiver.received[0].verified(rotated.secret)
    await hooks.do("UPDATE webhook SET previous_until = :now", now=hooks.now)
    await hooks.hear(hooks.fact())
    await hooks.sender.round()
    receiver.received[1].verified(rotated.secret)
    with pytest.raises(WebhookVerificationError):
        receiver.received[1].verified(webhook.secret)


async def test_facts_twice_late_and_reversed_are_one_message_each(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    facts = [hooks.fact(kind) for kind in (BookingConfirmedV1, BookingCancelledV1, EventPublishedV1)]
    assert await hooks.hear(*facts, *reversed(facts)) == 3
    await hooks.sender.round()
    assert await hooks.hear(*reversed(facts)) == 0
    # Even where the inbox has forgotten the fact the webhook has not.
    await hooks.do("DELETE FROM inbox")
    assert await hooks.hear(*facts) == 3
    await hooks.sender.round()
    assert sorted(json.loads(one.body)["id"] for one in receiver.received) == sorted(
        str(one.id) for one in facts
    )
    assert len(await hooks.log(webhook)) == 3


async def test_only_facts_of_the_own_hub_and_the_chosen_types_arrive(
    hooks: Hooks, receiver: Receiver
) -> None:
    await hooks.add(receiver, "foci.booking.booking-cancelled.v1")
    wanted = hooks.fact(BookingCancelledV1)
    await hooks.hear(
        wanted,
        hooks.fact(BookingConfirmedV1),
        hooks.fact(BookingCancelledV1, OTHER_HUB),
        hooks.fact(MemberJoinedV1, OTHER_HUB),
    )
    await hooks.sender.round()
    assert [json.loads(one.body)["id"] for one in receiver.received] == [str(wanted.id)]


async def test_each_of_a_hubs_webhooks_gets_the_fact_with_an_id_of_its_own(hooks: Hooks) -> None:
    async with receiving() as one, receiving() as two:
        first, second = await hooks.add(one), await hooks.add(two)
        await hooks.hear(hooks.fact())
        assert await hooks.sender.round() == 2
        one.received[0].verified(first.secret)
        two.received[0].verified(second.secret)
        assert one.received[0].body == two.received[0].body
        assert one.messages != two.messages


async def test_the_test_message_arrives(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver, "foci.booking.booking-cancelled.v1")
    made = await hooks.ask(TryWebhook(hub=HUB, webhook=webhook.id))
    assert made.state == DeliveryState.WAITING
    await hooks.sender.round()
    assert receiver.messages == [str(made.id)]
    event = receiver.received[0].verified(webhook.secret)
    assert (event["type"], event["data"]) == ("foci.notify.test.v1", {"hub": HUB, "webhook": str(webhook.id)})


async def test_a_message_beyond_the_limit_fails_with_the_reason(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    fact = hooks.fact(EventPublishedV1).model_copy(update={"titles": {"sv": "å" * 200_000}})
    small = hooks.fact()
    await hooks.hear(fact, small)
    assert await hooks.sender.round() == 1
    by_fact = {one.fact: one for one in await hooks.log(webhook)}
    assert by_fact[fact.id].state == DeliveryState.FAILED
    assert by_fact[fact.id].last_problem == "The message is larger than 256 KiB and is not sent."
    assert by_fact[small.id].state == DeliveryState.DELIVERED


async def test_a_removed_webhook_takes_its_log_along(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    await hooks.hear(hooks.fact())
    await hooks.ask(RemoveWebhook(hub=HUB, webhook=webhook.id))
    assert await hooks.sender.round() == 0
    assert not await hooks.rows("SELECT 1 FROM delivery")
    with pytest.raises(Refused) as refused:
        await hooks.log(webhook)
    assert refused.value.code == "not-found"


async def test_the_log_is_read_in_pages_newest_first(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    facts = [hooks.fact() for _ in range(5)]
    for fact in facts:
        await hooks.hear(fact)
    await hooks.sender.round()
    found, cursor = [], None
    while True:
        page = await hooks.ask(ListDeliveries(hub=HUB, webhook=webhook.id, limit=2, cursor=cursor))
        found += [one.fact for one in page.items]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == [fact.id for fact in reversed(facts)]
    failed = await hooks.ask(ListDeliveries(hub=HUB, webhook=webhook.id, state=DeliveryState.FAILED))
    assert failed.items == ()


async def test_a_hub_without_webhooks_costs_one_look(hooks: Hooks) -> None:
    await hooks.hear(*(hooks.fact() for _ in range(200)))
    assert not await hooks.rows("SELECT 1 FROM delivery")
