"""Whatever happens in whatever order: every fact arrives, under one id, and no other's does."""

from __future__ import annotations

import asyncio
import json
import random
from collections import defaultdict
from datetime import timedelta
from uuid import UUID

import pytest

from shared.contracts.base import Fact
from shared.contracts.notify.webhooks import WebhookView
from shared.contracts.notify.words import DeliveryState, WebhookState
from shared.contracts.streams import HANDED_ON
from tests.notify.webhooks.receiver import Answering, Receiver, answering, no_http, receiving
from tests.notify.webhooks.test_sender import DiesAfterTheAnswer
from tests.notify.webhooks.world import HUB, OTHER_HUB, Hooks

MOODS: tuple[Answering, ...] = (
    answering(204), answering(200), answering(500), answering(429, "Retry-After: 90"), answering(302), no_http,
)  # fmt: skip
KINDS = [fact for service in ("directory", "booking", "events") for fact in HANDED_ON[service]]


class Story:
    """Facts of two hubs, heard again and late; moods of a target; time; processes that die."""

    def __init__(self, hooks: Hooks, receiver: Receiver, chance: random.Random) -> None:
        self.hooks = hooks
        self.receiver = receiver
        self.chance = chance
        self.facts: list[Fact] = []
        self.late: list[Fact] = []

    async def happen(self) -> None:
        """Some facts; the bus brings some of them later, and some that it brought before."""
        for _ in range(self.chance.randint(1, 5)):
            fact = self.hooks.fact(self.chance.choice(KINDS), self.chance.choice((HUB, HUB, OTHER_HUB)))
            self.facts.append(fact)
            self.late.append(fact)
        heard = [fact for fact in self.late if self.chance.random() < 0.7]
        self.late = [fact for fact in self.late if fact not in heard]
        heard += self.chance.choices(self.facts, k=2)
        self.chance.shuffle(heard)
        await self.hooks.hear(*heard)

    async def change_mood(self) -> None:
        """The target is well, or not."""
        self.receiver.answer = self.chance.choice(MOODS)

    async def send(self) -> None:
        """Some time goes by, and what is due is sent."""
        await self.hooks.pass_time(seconds=self.chance.choice((0, 1, 10, 61, 600)))

    async def die(self) -> None:
        """A process gets an answer and dies."""
        dying = DiesAfterTheAnswer()
        round_ = asyncio.create_task(self.hooks.another_sender(dying).round())
        died = asyncio.create_task(dying.answered.wait())
        await asyncio.wait((round_, died), return_when=asyncio.FIRST_COMPLETED)
        round_.cancel()
        died.cancel()
        await asyncio.gather(round_, died, return_exceptions=True)
        await dying.aclose()

    async def end_well(self, webhook: WebhookView) -> None:
        """Everything is heard at last, the target is well, and a day goes by."""
        await self.hooks.hear(*self.late)
        self.receiver.answer = answering(204)
        for _ in range(30):
            waiting = [one for one in await self.hooks.log(webhook) if one.state == DeliveryState.WAITING]
            if not waiting:
                break
            await self.hooks.pass_time(hours=1)

    def arrived(self) -> dict[UUID, set[str]]:
        """The ids under which each fact has come."""
        ids: dict[UUID, set[str]] = defaultdict(set)
        for one in self.receiver.received:
            ids[UUID(json.loads(one.body)["id"])].add(one.message)
        return ids


@pytest.mark.parametrize("seed", range(6))
async def test_every_fact_of_the_hub_arrives_under_one_id(hooks: Hooks, seed: int) -> None:
    chance = random.Random(seed)
    async with receiving() as receiver:
        webhook = await hooks.add(receiver)
        story = Story(hooks, receiver, chance)
        began = hooks.now
        while hooks.now - began < timedelta(hours=2) and len(story.facts) < 60:
            await chance.choice((story.happen, story.change_mood, story.send, story.send, story.die))()
        await story.end_well(webhook)
        arrived = story.arrived()
        assert set(arrived) == {fact.id for fact in story.facts if fact.hub == HUB}
        assert all(len(ids) == 1 for ids in arrived.values())
        assert len({next(iter(ids)) for ids in arrived.values()}) == len(arrived)
        assert {one.state for one in await hooks.log(webhook)} == {DeliveryState.DELIVERED}
        assert (await hooks.seen(webhook)).state == WebhookState.ACTIVE
