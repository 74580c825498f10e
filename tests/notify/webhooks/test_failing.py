"""Stories of targets that fail: tried again for a day by the clock, paused after it, gone when they say so."""

from __future__ import annotations

import asyncio
import itertools
from datetime import datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from standardwebhooks import WebhookVerificationError

from services.notify.rules.backoff import GIVE_UP_AFTER
from services.notify.senders.backlog import Backlog
from shared.contracts.booking.facts import BookingCancelledV1
from shared.contracts.notify.facts import WebhookPausedV1, WebhookResumedV1
from shared.contracts.notify.webhooks import ChangeWebhook, Redeliver, TryWebhook, WebhookSecretView
from shared.contracts.notify.words import DeliveryState, WebhookState
from tests.notify.webhooks.receiver import (
    Received,
    answering,
    endless,
    in_turn,
    no_http,
    receiving,
    silence,
    trickling_headers,
)
from tests.notify.webhooks.world import HUB, OLA, Hooks, Refused, quick_outside


async def until_given_up(hooks: Hooks, webhook: WebhookSecretView) -> list[datetime]:
    """Move the clock from try to try; when they were."""
    tries: list[datetime] = []
    while (delivery := (await hooks.log(webhook))[-1]).state == DeliveryState.WAITING:
        assert delivery.next_at is not None
        hooks.now = max(hooks.now, delivery.next_at)
        tries.append(hooks.now)
        assert await hooks.sender.round() >= 1
        assert len(tries) < 20
    return tries


async def test_a_target_that_recovers_gets_the_same_message(hooks: Hooks) -> None:
    async with receiving(in_turn(answering(500), answering(200))) as receiver:
        webhook = await hooks.add(receiver)
        await hooks.hear(hooks.fact())
        assert await hooks.sender.round() == 1
        [failed] = await hooks.log(webhook)
        assert (failed.state, failed.last_status) == (DeliveryState.WAITING, 500)
        assert failed.last_problem == "The target answered 500."
        assert failed.next_at is not None
        assert timedelta(seconds=4) <= failed.next_at - hooks.now <= timedelta(seconds=6)
        assert (await hooks.seen(webhook)).failing_since == hooks.now
        assert await hooks.pass_time(seconds=3) == 0
        assert await hooks.pass_time(seconds=4) == 1
        [delivered] = await hooks.log(webhook)
        assert (delivered.state, delivered.attempts, delivered.last_problem) == (
            DeliveryState.DELIVERED,
            2,
            None,
        )
        assert receiver.messages == [str(delivered.id)] * 2
        assert receiver.received[0].body == receiver.received[1].body
        assert (await hooks.seen(webhook)).failing_since is None


async def test_a_day_of_failures_pauses_the_webhook_and_operators_hear_of_it(hooks: Hooks) -> None:
    async with receiving(answering(503)) as receiver, receiving() as well:
        webhook, other = await hooks.add(receiver), await hooks.add(well)
        began = hooks.now
        await hooks.hear(hooks.fact())
        assert await hooks.sender.round() == 2
        tries = [began, *await until_given_up(hooks, webhook)]
        assert 9 <= len(tries) <= 11
        assert tries[-1] - tries[0] == GIVE_UP_AFTER
        pauses = [later - earlier for earlier, later in itertools.pairwise(tries)]
        assert pauses[:-1] == sorted(pauses[:-1])
        [delivery] = [one for one in await hooks.log(webhook) if one.type != "foci.notify.webhook-paused.v1"]
        assert (delivery.state, delivery.attempts) == (DeliveryState.FAILED, len(tries))
        seen = await hooks.seen(webhook)
        assert (seen.state, seen.because) == (WebhookState.PAUSED, "failing")
        assert seen.version == webhook.version + 1
        await Backlog(hooks.database, clock=hooks.clock).look()
        assert REGISTRY.get_sample_value("foci_webhooks_paused") == 1
        [stated] = await hooks.facts(WebhookPausedV1)
        assert isinstance(stated, WebhookPausedV1)
        assert (stated.webhook, stated.because, stated.subject_version) == (webhook.id, "failing", 1)
        # The hub's other webhook is told of it, the paused one is not.
        assert [one.type for one in await hooks.log(other)] == [
            "foci.notify.webhook-paused.v1",
            "foci.booking.booking-cancelled.v1",
        ]
        noted = await hooks.rows("SELECT person, about, thing, channel FROM notice ORDER BY channel")
        assert [tuple(row) for row in noted] == [
            (OLA, "webhook", webhook.id, "email"),
            (OLA, "webhook", webhook.id, "inbox"),
        ]
        await hooks.hear(hooks.fact())
        await hooks.pass_time(days=2)
        assert len(receiver.received) == len(tries)


async def test_one_success_within_the_day_keeps_the_webhook_going(hooks: Hooks) -> None:
    async with receiving(answering(500)) as receiver:
        webhook = await hooks.add(receiver)
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        await hooks.pass_time(hours=12)
        receiver.answer = answering(204)
        await hooks.hear(hooks.fact())
        # The one that waits since the morning is due later: the webhook is well, and it is not.
        await hooks.do(
            "UPDATE delivery SET due_at = :later WHERE attempts > 0", later=hooks.now + timedelta(hours=6)
        )
        assert await hooks.sender.round() == 1
        assert (await hooks.seen(webhook)).failing_since is None
        receiver.answer = answering(500)
        await until_given_up(hooks, webhook)
        assert (await hooks.log(webhook))[-1].state == DeliveryState.FAILED
        assert (await hooks.seen(webhook)).state == WebhookState.ACTIVE


async def test_410_stops_at_once_and_fails_what_waits(hooks: Hooks) -> None:
    async with receiving(in_turn(answering(500), answering(410))) as receiver:
        webhook = await hooks.add(receiver)
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        await hooks.hear(hooks.fact())
        assert await hooks.sender.round() == 1
        assert len(receiver.received) == 2
        seen = await hooks.seen(webhook)
        assert (seen.state, seen.because) == (WebhookState.GONE, "gone")
        assert {one.state for one in await hooks.log(webhook)} == {DeliveryState.FAILED}
        [stated] = await hooks.facts(WebhookPausedV1)
        assert isinstance(stated, WebhookPausedV1)
        assert stated.because == "gone"
        await hooks.hear(hooks.fact())
        assert await hooks.pass_time(days=2) == 0
        assert len(await hooks.log(webhook)) == 2


async def test_what_waits_while_a_webhook_is_paused_goes_out_when_it_is_resumed(hooks: Hooks) -> None:
    async with receiving(in_turn(answering(500), answering(204))) as receiver:
        webhook = await hooks.add(receiver)
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        paused = await hooks.ask(
            ChangeWebhook(hub=HUB, webhook=webhook.id, version=webhook.version, active=False)
        )
        assert (paused.state, paused.because) == (WebhookState.PAUSED, "by-operator")
        assert await hooks.pass_time(hours=3) == 0
        await hooks.hear(hooks.fact())
        resumed = await hooks.ask(
            ChangeWebhook(hub=HUB, webhook=webhook.id, version=paused.version, active=True)
        )
        assert (resumed.state, resumed.because) == (WebhookState.ACTIVE, None)
        await hooks.sender.round()
        # What happened meanwhile was not kept; that it is resumed is news for itself, too.
        assert [one.type for one in reversed(await hooks.log(webhook))] == [
            "foci.booking.booking-cancelled.v1",
            "foci.notify.webhook-resumed.v1",
        ]
        assert {one.state for one in await hooks.log(webhook)} == {DeliveryState.DELIVERED}
        stated = await hooks.facts(WebhookPausedV1, WebhookResumedV1)
        assert [one.subject_version for one in stated] == [1, 2]
        assert not await hooks.rows("SELECT 1 FROM notice")


async def test_what_waits_at_a_paused_webhook_fails_when_its_day_is_over(hooks: Hooks) -> None:
    async with receiving(answering(500)) as receiver:
        webhook = await hooks.add(receiver)
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        await hooks.ask(ChangeWebhook(hub=HUB, webhook=webhook.id, version=1, active=False))
        assert await hooks.pass_time(hours=1) == 0
        assert (await hooks.log(webhook))[0].state == DeliveryState.WAITING
        assert await hooks.pass_time(hours=23) == 0
        [delivery] = await hooks.log(webhook)
        assert (delivery.state, delivery.last_problem) == (DeliveryState.FAILED, "The webhook is not active.")
        assert len(receiver.received) == 1


async def test_sending_again_by_hand_keeps_the_id_and_gives_another_day(hooks: Hooks) -> None:
    async with receiving(answering(400)) as receiver:
        webhook = await hooks.add(receiver)
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        await until_given_up(hooks, webhook)
        delivery = (await hooks.log(webhook))[-1]
        again = Redeliver(hub=HUB, webhook=webhook.id, delivery=delivery.id)
        with pytest.raises(Refused) as refused:
            await hooks.ask(again)
        assert refused.value.code == "webhook-not-active"
        with pytest.raises(Refused) as refused:
            await hooks.ask(TryWebhook(hub=HUB, webhook=webhook.id))
        assert refused.value.code == "webhook-not-active"
        seen = await hooks.seen(webhook)
        await hooks.ask(ChangeWebhook(hub=HUB, webhook=webhook.id, version=seen.version, active=True))
        waiting = await hooks.ask(again)
        assert (waiting.state, waiting.id) == (DeliveryState.WAITING, delivery.id)
        receiver.answer = answering(200)
        await hooks.sender.round()
        assert set(receiver.messages) == {str(one.id) for one in await hooks.log(webhook)}
        # A delivered one can be sent once more, too: the receiver may have lost it.
        await hooks.ask(again)
        count = len(receiver.received)
        assert await hooks.sender.round() == 1
        assert receiver.messages[count:] == [str(delivery.id)]


@pytest.mark.parametrize(
    ("header", "at_least", "at_most"),
    [
        ("Retry-After: 600", 600, 600),
        ("Retry-After: 0", 4, 6),
        ("Retry-After: 99999999999999999999", 6 * 3600, 6 * 3600),
        ("Retry-After: soon", 4, 6),
        ("Retry-After: Fri, 31 Dec 1999 23:59:59 GMT", 4, 6),
        ("Retry-After: -5", 4, 6),
    ],
)
async def test_retry_after_prolongs_the_pause_within_bounds(
    hooks: Hooks, header: str, at_least: int, at_most: int
) -> None:
    async with receiving(answering(429, header)) as receiver:
        webhook = await hooks.add(receiver)
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        [delivery] = await hooks.log(webhook)
        assert delivery.next_at is not None
        assert timedelta(seconds=at_least) <= delivery.next_at - hooks.now <= timedelta(seconds=at_most)


async def test_a_redirect_is_a_failure_and_not_followed(hooks: Hooks) -> None:
    async with receiving() as elsewhere, receiving(answering(302, f"Location: {elsewhere.url}")) as receiver:
        webhook = await hooks.add(receiver)
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        [delivery] = await hooks.log(webhook)
        assert (delivery.state, delivery.last_status) == (DeliveryState.WAITING, 302)
        assert "redirects are not followed" in str(delivery.last_problem)
        assert elsewhere.received == []


async def test_an_endless_answer_is_cut_off_and_counts_by_its_status(hooks: Hooks) -> None:
    for status, state in ((200, DeliveryState.DELIVERED), (500, DeliveryState.WAITING)):
        async with receiving(endless(status)) as receiver:
            webhook = await hooks.add(receiver, "foci.booking.booking-cancelled.v1")
            await hooks.hear(hooks.fact(BookingCancelledV1))
            await hooks.sender.round()
            assert (await hooks.log(webhook))[0].state == state


async def test_slow_targets_are_given_up_in_time(hooks: Hooks) -> None:
    outside = quick_outside()
    hooks.sender = hooks.another_sender(outside)
    for answer in (silence, trickling_headers):
        async with receiving(answer) as receiver:
            webhook = await hooks.add(receiver)
            await hooks.hear(hooks.fact())
            assert await hooks.sender.round() >= 1
            [delivery] = await hooks.log(webhook)
            assert (delivery.last_status, delivery.last_problem) == (None, "No answer within 0.3 seconds.")
            assert delivery.last_ms is not None
            assert 250 <= delivery.last_ms < 3000
    async with receiving(endless(200, pause=0.02)) as receiver:
        webhook = await hooks.add(receiver)
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        assert (await hooks.log(webhook))[0].state == DeliveryState.DELIVERED
    await outside.aclose()


async def test_a_target_that_is_away_or_speaks_something_else_is_tried_again(hooks: Hooks) -> None:
    async with receiving(no_http) as receiver:
        webhook = await hooks.add(receiver)
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        assert (await hooks.log(webhook))[0].last_problem == "The answer was not HTTP."
    await hooks.pass_time(seconds=10)
    assert (await hooks.log(webhook))[0].last_problem == "No connection could be made."


async def test_a_receiver_with_the_wrong_secret_refuses_and_is_tried_again(hooks: Hooks) -> None:
    async with receiving() as receiver:
        webhook = await hooks.add(receiver)
        wrong = webhook.secret[:-4] + "AAA="

        async def checking(received: Received, writer: asyncio.StreamWriter) -> None:
            try:
                received.verified(wrong)
            except WebhookVerificationError:
                await answering(401)(received, writer)

        receiver.answer = checking
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        [delivery] = await hooks.log(webhook)
        assert (delivery.state, delivery.last_status) == (DeliveryState.WAITING, 401)
