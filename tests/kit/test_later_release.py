"""While a release takes another's place both hear the same facts: what only the later one knows waits for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from nats.aio.client import Client
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts import streams
from shared.contracts.base import Fact
from shared.contracts.catalogue import FACTS
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1
from shared.contracts.operations import ReplayDeadLetter
from shared.kit import bus as bus_module
from shared.kit.bus import Consumer
from shared.kit.database import Database
from shared.kit.delivery import FromALaterRelease
from shared.kit.ids import new_id, utc_now
from shared.kit.operations import handlers
from shared.kit.provision import provision
from shared.kit.rpc import Call, carry_out
from tests.kit.consuming import DURABLE, consuming, dead, is_idle, send
from tests.kit.hubs import changed, common, effects, note, registered, scalar
from tests.servers import NatsAccount
from tests.waiting import eventually


class HubRenamedV1(HubRegisteredV1):
    """What only the later release states and hears."""

    fact = "hub-renamed"

    once_called: str | None = None


class ChangedOfLater(HubProfileChangedV1):
    """The later release's V1 has an optional field more."""

    once_called: str | None = None


HEARD_NOW: tuple[type[Fact], ...] = (HubRegisteredV1, HubProfileChangedV1)
HEARD_LATER: tuple[type[Fact], ...] = (HubRegisteredV1, ChangedOfLater, HubRenamedV1)
Release = Callable[[], None]


def renamed(hub: str, version: int) -> HubRenamedV1:
    return HubRenamedV1(**common(hub, version, {}), name="Ystads bibliotek", once_called="Biblioteket")


async def note_name(session: AsyncSession, fact: Any) -> None:
    """The effect of the later release: it keeps the former name, too."""
    await note(session, fact)
    former = {"former": getattr(fact, "once_called", None), "id": fact.id}
    await session.execute(text("UPDATE effect SET name = :former WHERE fact_id = :id"), former)


def mirror(database: Database, *heard: type[Fact], effect: Any = note) -> Consumer:
    return Consumer(DURABLE, database, dict.fromkeys(heard, effect), ids=new_id, in_order=True)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Release:
    """From the call on this process is the later release."""
    monkeypatch.setattr(bus_module, "LATER_DELAY", 0.05)

    def change() -> None:
        known = tuple(fact for fact in FACTS["directory"] if fact is not HubProfileChangedV1)
        monkeypatch.setitem(FACTS, "directory", (*known, ChangedOfLater, HubRenamedV1))
        monkeypatch.setattr(streams, "CONSUMERS", DECLARED_LATER)

    return change


DECLARED_LATER = tuple(
    replace(one, filters=(*one.filters, HubRenamedV1.subject_for("*"))) if one.durable == DURABLE else one
    for one in streams.CONSUMERS
)


async def prepared(bus: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """The later release's streams and consumers are made before its first replica starts."""
    with monkeypatch.context() as patch:
        patch.setattr("shared.kit.provision.CONSUMERS", DECLARED_LATER)
        assert await provision(bus) == [f"changed consumer {DURABLE}: filter_subjects"]


async def offered(bus: Client, times: int) -> bool:
    info = await bus.jetstream().consumer_info("DIRECTORY", DURABLE)
    return bool(info.delivered and info.delivered.consumer_seq >= times)


async def test_a_fact_only_the_later_release_hears_waits_for_it_and_those_behind_it_keep_all_they_say(
    booking: Database,
    bus: Client,
    nats_account: NatsAccount,
    later: Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await prepared(bus, monkeypatch)
    after = ChangedOfLater(**common("ystad", 3, {}), name="Stadsbiblioteket", once_called="Bibblan")
    await send(bus, registered("ystad"), after, renamed("ystad", 2))
    async with consuming(nats_account, mirror(booking, *HEARD_NOW)):
        await eventually(lambda: offered(bus, 8))
    assert await effects(booking) == [("ystad", 1)]
    assert await dead(booking) == []
    later()
    async with consuming(nats_account, mirror(booking, *HEARD_LATER, effect=note_name)):
        await eventually(lambda: is_idle(bus, DURABLE))
    assert await effects(booking) == [("ystad", 1), ("ystad", 2), ("ystad", 3)]
    kept = "SELECT string_agg(name, ', ' ORDER BY no) FROM effect"
    assert await scalar(booking, kept) == "Biblioteket, Biblioteket, Bibblan"
    assert await dead(booking) == []


async def test_one_that_waits_behind_a_fact_of_ours_is_left_to_the_later_release(
    booking: Database,
    bus: Client,
    nats_account: NatsAccount,
    later: Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The later release's replica parked it; the one before it then comes to this release's."""
    await prepared(bus, monkeypatch)
    waiting = renamed("ystad", 2)
    with monkeypatch.context() as patch:
        patch.setattr(streams, "CONSUMERS", DECLARED_LATER)
        assert await mirror(booking, *HEARD_LATER).take_in(waiting) == "park"
    await send(bus, registered("ystad"))
    async with consuming(nats_account, mirror(booking, *HEARD_NOW)):
        await eventually(lambda: offered(bus, 3))
    assert await effects(booking) == [("ystad", 1)]
    later()
    async with consuming(nats_account, mirror(booking, *HEARD_LATER)):
        await eventually(lambda: is_idle(bus, DURABLE))
    assert await effects(booking) == [("ystad", 1), ("ystad", 2)]
    assert await dead(booking) == []


async def test_when_no_later_release_comes_it_is_a_dead_letter_that_one_can_replay(
    booking: Database,
    bus: Client,
    nats_account: NatsAccount,
    later: Release,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bus_module, "LATER_ATTEMPTS", 2)
    await prepared(bus, monkeypatch)
    await send(bus, renamed("lund", 1), changed("ystad", 1))
    before = mirror(booking, *HEARD_NOW)
    async with consuming(nats_account, before):
        await eventually(lambda: dead(booking))
        await eventually(lambda: is_idle(bus, DURABLE))
    [letter] = await dead(booking)
    assert letter["reason"].startswith("FromALaterRelease")

    async def replay(consumer: Consumer) -> int:
        handler = handlers([consumer], {})[ReplayDeadLetter]
        answer = await carry_out(booking, handler, ReplayDeadLetter(id=letter["id"]), Call(None, utc_now()))
        return answer.status

    with pytest.raises(FromALaterRelease):
        await replay(before)
    later()
    assert await replay(mirror(booking, *HEARD_LATER)) == 200
    assert await effects(booking) == [("ystad", 1), ("lund", 1)]
