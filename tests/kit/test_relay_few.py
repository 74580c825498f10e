"""A few facts at once go one by one: in order and once, whatever comes in between."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from nats.aio.client import Client

from shared.kit.database import Database
from shared.kit.stream_relay import ONE_BY_ONE
from shared.kit.telemetry import RELAY_DUPLICATES
from tests.kit.hubs import arrived, changed, in_stream, registered, relaying, state
from tests.servers import NatsAccount
from tests.waiting import eventually

SUBJECT = "hubs.ystad.directory.hub-profile-changed.v1"
FACTS = [registered("ystad"), *(changed("ystad", version) for version in range(2, ONE_BY_ONE + 1))]
IDS = [fact.id for fact in FACTS]


async def _before_the(number: int, nc: Client, happens: Callable[[], Awaitable[Any]]) -> None:
    """Let something happen just before this client publishes so many messages."""
    publish, sent = nc.publish, 0

    async def published(subject: str, *args: Any, **options: Any) -> None:
        nonlocal sent
        if subject.startswith("hubs."):
            sent += 1
            if sent == number:
                await happens()
        await publish(subject, *args, **options)

    nc.publish = published  # type: ignore[method-assign]


async def test_a_few_go_without_a_batch(directory: Database, bus: Client, as_directory: Client) -> None:
    await state(directory, *FACTS)
    async with relaying(directory, as_directory):
        await arrived(bus, *IDS)
    headers = (await bus.jetstream().get_msg("DIRECTORY", ONE_BY_ONE)).headers
    assert headers
    assert "Nats-Batch-Id" not in headers


@pytest.mark.parametrize("known", [0, 1, ONE_BY_ONE - 1])
async def test_one_that_is_known_is_passed_over_and_counted(
    directory: Database, bus: Client, as_directory: Client, known: int
) -> None:
    one = FACTS[known]
    before = RELAY_DUPLICATES.labels("DIRECTORY")._value.get()
    # Somebody put it there, without a place in the outbox.
    body = one.model_dump_json().encode()
    await bus.jetstream().publish(one.subject_for("ystad"), body, headers={"Nats-Msg-Id": str(one.id)})
    await state(directory, *FACTS)
    async with relaying(directory, as_directory):
        await arrived(bus, one.id, *(fact for fact in IDS if fact != one.id))
    assert RELAY_DUPLICATES.labels("DIRECTORY")._value.get() == before + 1


@pytest.mark.parametrize("number", [1, 2, ONE_BY_ONE])
async def test_a_strangers_message_in_between_changes_no_order(
    directory: Database, bus: Client, as_directory: Client, number: int
) -> None:
    await _before_the(number, as_directory, lambda: bus.jetstream().publish(SUBJECT, b"{}"))
    await state(directory, *FACTS)
    async with relaying(directory, as_directory):
        await arrived(bus, *IDS)
    assert (await bus.jetstream().stream_info("DIRECTORY")).state.messages == ONE_BY_ONE + 1


@pytest.mark.parametrize("number", [2, ONE_BY_ONE])
async def test_cut_off_in_the_middle_nothing_is_lost_or_repeated(
    directory: Database, bus: Client, nats_account: NatsAccount, number: int
) -> None:
    nc = await nats_account.connect("directory", reconnect_time_wait=0.05, max_reconnect_attempts=-1)

    async def cut_off() -> None:
        await nc.flush()
        assert nc._transport
        nc._transport.close()  # type: ignore[no-untyped-call]

    await _before_the(number, nc, cut_off)
    await state(directory, *FACTS)
    async with relaying(directory, nc):

        async def all_there() -> bool:
            return await in_stream(bus) == IDS

        await eventually(all_there, within=20, what="the facts in the stream, in order")
    await nc.close()
