"""The sender at work: side by side, after a crash, with slow targets beside quick ones."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

import pytest

from services.notify.channels.http import Answer, Outside
from services.notify.commands.delivering import LEASE
from services.notify.senders import webhooks as sending
from shared.contracts.notify.words import DeliveryState
from tests.notify.webhooks.receiver import Received, Receiver, answering, receiving, silence
from tests.notify.webhooks.world import EveryLocalPort, Hooks, quick_outside
from tests.waiting import eventually


def held_back(receiver: Receiver) -> asyncio.Event:
    """Let the receiver answer only when the event is set."""
    go = asyncio.Event()

    async def answer(received: Received, writer: asyncio.StreamWriter) -> None:
        await go.wait()
        await answering(204)(received, writer)

    receiver.answer = answer
    return go


async def has(receiver: Receiver, count: int) -> None:
    """Wait until so many requests have come."""
    await eventually(lambda: len(receiver.received) == count, within=5)


async def test_one_webhook_gets_four_at_a_time_and_all_of_them_once(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    await hooks.hear(*(hooks.fact() for _ in range(150)))
    go = held_back(receiver)
    round_ = asyncio.create_task(hooks.sender.round())
    await eventually(lambda: receiver.now == sending.PER_WEBHOOK)
    go.set()
    assert await round_ == 150
    assert receiver.most_at_once == sending.PER_WEBHOOK
    assert receiver.connections == sending.PER_WEBHOOK
    assert len(set(receiver.messages)) == len(receiver.messages) == 150
    assert {one.state for one in await hooks.log(webhook)} == {DeliveryState.DELIVERED}


async def test_many_webhooks_at_one_place_share_what_it_gets_at_a_time(
    hooks: Hooks, receiver: Receiver
) -> None:
    for number in range(8):
        await hooks.add(f"{receiver.url}/{number}")
    await hooks.hear(*(hooks.fact() for _ in range(10)))
    go = held_back(receiver)
    round_ = asyncio.create_task(hooks.sender.round())
    await eventually(lambda: receiver.now == sending.PER_PLACE)
    go.set()
    assert await round_ == 80
    assert receiver.most_at_once == sending.PER_PLACE
    # In turns: half-way none is far ahead of another.
    half_way = Counter(one.path for one in receiver.received[:40])
    assert len(half_way) == 8
    assert min(half_way.values()) >= 3


async def test_a_slow_target_holds_nobody_up(hooks: Hooks, receiver: Receiver) -> None:
    async with receiving(silence) as slow:
        await hooks.add(slow)
        await hooks.hear(*(hooks.fact() for _ in range(40)))
        await hooks.add(receiver)
        running = asyncio.create_task(hooks.sender.run())
        await eventually(lambda: slow.now == sending.PER_WEBHOOK)
        for heard in range(1, 6):
            await hooks.hear(hooks.fact())
            hooks.sender.kick()
            await has(receiver, heard)
        assert slow.now == sending.PER_WEBHOOK
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_however_many_targets_are_down_the_others_have_room(hooks: Hooks, receiver: Receiver) -> None:
    outside = quick_outside()
    hooks.sender = hooks.another_sender(outside)
    async with receiving(silence) as one, receiving(silence) as two, receiving(silence) as three:
        for slow in (one, two, three):
            for _ in range(6):
                await hooks.add(slow)
        await hooks.hear(hooks.fact())
        await hooks.sender.round()
        # All have failed once; now each has more than it can be given.
        await hooks.hear(*(hooks.fact() for _ in range(30)))
        well = await hooks.add(receiver)
        await hooks.hear(*(hooks.fact() for _ in range(30)))
        running = asyncio.create_task(hooks.sender.run())
        await has(receiver, 30)
        assert {delivery.attempts for delivery in await hooks.log(well)} <= {0, 1}
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
    await outside.aclose()


async def test_run_sends_what_falls_due(hooks: Hooks, receiver: Receiver) -> None:
    webhook = await hooks.add(receiver)
    running = asyncio.create_task(hooks.sender.run())
    await hooks.hear(hooks.fact())
    hooks.sender.kick()
    await has(receiver, 1)

    async def is_marked() -> bool:
        return [one.state for one in await hooks.log(webhook)] == [DeliveryState.DELIVERED]

    await eventually(is_marked)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class DiesAfterTheAnswer(Outside):
    """The process gets the answer and does not live to write it down."""

    def __init__(self) -> None:
        super().__init__(trusted=EveryLocalPort())
        self.answered = asyncio.Event()

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """As ever, but it never comes back."""
        await super().post(url, headers, body)
        self.answered.set()
        await asyncio.Event().wait()
        raise AssertionError


async def test_a_crash_between_answer_and_mark_sends_the_same_message_again(
    hooks: Hooks, receiver: Receiver
) -> None:
    webhook = await hooks.add(receiver)
    await hooks.hear(hooks.fact())
    dying = DiesAfterTheAnswer()
    round_ = asyncio.create_task(hooks.another_sender(dying).round())
    await asyncio.wait_for(dying.answered.wait(), 10)
    round_.cancel()
    await asyncio.gather(round_, return_exceptions=True)
    assert await hooks.pass_time(seconds=30) == 0
    assert len(receiver.received) == 1
    assert await hooks.pass_time(seconds=31) == 1
    first, second = receiver.received
    assert first.message == second.message
    assert first.body == second.body
    [delivery] = await hooks.log(webhook)
    assert (delivery.state, delivery.attempts) == (DeliveryState.DELIVERED, 1)
    await dying.aclose()


async def test_a_stop_ends_what_was_begun_and_leaves_the_rest_to_others(
    hooks: Hooks, receiver: Receiver
) -> None:
    webhook = await hooks.add(receiver)
    await hooks.hear(*(hooks.fact() for _ in range(40)))
    go = held_back(receiver)
    running = asyncio.create_task(hooks.sender.run())
    await eventually(lambda: receiver.now == sending.PER_WEBHOOK)
    stopping = asyncio.create_task(hooks.sender.stop())
    go.set()
    await asyncio.wait_for(stopping, 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert len(receiver.received) == sending.PER_WEBHOOK
    states = [one.state for one in await hooks.log(webhook)]
    assert states.count(DeliveryState.DELIVERED) == sending.PER_WEBHOOK
    # Nobody has to wait for a claim of the stopped one to run out.
    assert await hooks.another_sender().round() == 40 - sending.PER_WEBHOOK


async def test_a_claim_that_has_nearly_run_out_is_let_go_before_another_takes_it(
    hooks: Hooks, receiver: Receiver
) -> None:
    await hooks.add(receiver)
    await hooks.hear(*(hooks.fact() for _ in range(30)))
    go = held_back(receiver)
    round_ = asyncio.create_task(hooks.sender.round())
    await eventually(lambda: receiver.now == sending.PER_WEBHOOK)
    # The first four took so long that the others' claim ends before a try of theirs surely would.
    hooks.now += LEASE - sending.TOO_LATE + timedelta(seconds=1)
    go.set()
    assert await round_ == 30
    assert len(set(receiver.messages)) == len(receiver.messages) == 30
    claims = await hooks.rows("SELECT 1 FROM delivery WHERE claimed_until IS NOT NULL OR attempts <> 1")
    assert claims == []


async def test_two_replicas_send_each_message_once(hooks: Hooks, receiver: Receiver) -> None:
    for _ in range(3):
        await hooks.add(receiver)
    await hooks.hear(*(hooks.fact() for _ in range(60)))
    sent = await asyncio.gather(hooks.sender.round(), hooks.another_sender().round())
    assert sum(sent) == 180
    assert len(set(receiver.messages)) == len(receiver.messages) == 180


async def test_an_outage_of_the_database_loses_no_outcome(
    hooks_apart: Hooks, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    webhook = await hooks_apart.add(receiver)
    await hooks_apart.hear(hooks_apart.fact())
    go = held_back(receiver)
    running = asyncio.create_task(hooks_apart.sender.run())
    await eventually(lambda: receiver.now == 1)
    # Every connection the service has is cut while the answer is on its way.
    await hooks_apart.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    go.set()

    async def is_marked() -> bool:
        return [one.state for one in await hooks_apart.log(webhook)] == [DeliveryState.DELIVERED]

    await eventually(is_marked)
    assert len(receiver.received) == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
