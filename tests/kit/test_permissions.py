"""NATS permissions: each user can do what it must, and the server refuses everything else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.errors import NoRespondersError
from nats.js.api import ConsumerConfig, DeliverPolicy

from deploy.local.servers import Nats, free_port, is_free
from deploy.nats.config import Server, User, cell_users, operator_user, render
from deploy.nats.keys import new_seed, public_key
from shared.contracts.directory.requests import GetContacts
from shared.contracts.streams import CONSUMERS, STREAMS, streams_written_by
from shared.contracts.users import ADMIN, SERVICES, USERS, inbox_prefix
from shared.kit.provision import provision
from tests.kit.consuming import settled
from tests.kit.own_servers import started
from tests.servers import NatsAccount
from tests.waiting import eventually

OTHER = {
    "directory": "booking",
    "booking": "events",
    "events": "directory",
    "matching": "events",
    "notify": "events",
}
CONTACTS = GetContacts.subject_for("local")


class Tried:
    """A user's connection that notes what the server refuses."""

    def __init__(self, nc: Client, refusals: list[str]) -> None:
        self.nc = nc
        self.refusals = refusals

    async def may_not_publish(self, *subjects: str) -> None:
        for subject in subjects:
            await self.nc.publish(subject, b"{}")
        await self._all_refused(*(f'publish to "{subject}"' for subject in subjects))

    async def may_not_subscribe(self, *subjects: str) -> None:
        for subject in subjects:
            await self.nc.subscribe(subject)
        await self._all_refused(*(f'subscription to "{subject}"' for subject in subjects))

    async def may_publish(self, *subjects: str) -> None:
        for subject in subjects:
            await self.nc.publish(subject, b"{}")
        await self._nothing_refused()

    async def may_subscribe(self, *subjects: str) -> None:
        for subject in subjects:
            await (await self.nc.subscribe(subject)).unsubscribe()
        await self._nothing_refused()

    async def _all_refused(self, *what: str) -> None:
        def missing() -> list[str]:
            said = "\n".join(self.refusals).lower()
            return [one for one in what if one.lower() not in said]

        await eventually(lambda: not missing(), within=3, what=f"refusal of {len(what)} tries")
        self.refusals.clear()

    async def _nothing_refused(self) -> None:
        await settled(self.nc)
        assert self.refusals == []


@asynccontextmanager
async def tried(account: NatsAccount, user: str) -> AsyncIterator[Tried]:
    refusals: list[str] = []

    async def on_error(error: Exception) -> None:
        refusals.append(str(error))

    nc = await account.connect(user, error_cb=on_error)
    try:
        yield Tried(nc, refusals)
    finally:
        await nc.close()


@pytest.fixture
def cell(nats_account: NatsAccount, bus: Client) -> NatsAccount:
    """An account with streams and consumers."""
    return nats_account


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_can_do_all_it_must(cell: NatsAccount, service: str) -> None:
    async with tried(cell, service) as user:
        await user.may_publish(f"hubs.ystad.{service}.something-happened.v1", f"kick.local.{service}")
        await user.may_subscribe(
            f"rpc.local.{service}.something", f"rpc.local.{service}.admin.something", f"kick.local.{service}",
            "$SRV.PING", f"{inbox_prefix(service)}.1",
        )  # fmt: skip
        js = user.nc.jetstream()
        for stream in streams_written_by(service):
            await js.stream_info(stream.name)
        await js.get_msg(service.upper(), 1)
        for consumer in CONSUMERS:
            if consumer.service == service:
                await js.consumer_info(consumer.stream, consumer.durable)
                pulled = await js.pull_subscribe_bind(consumer.durable, consumer.stream)
                await js.publish(f"hubs.ystad.{service}.something-happened.v1", b"{}")
                await pulled.unsubscribe()
        assert user.refusals == []


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_can_do_nothing_else(cell: NatsAccount, service: str) -> None:
    other = OTHER[service]
    async with tried(cell, service) as user:
        await user.may_not_publish(
            f"hubs.ystad.{other}.something-happened.v1",
            f"kick.local.{other}",
            f"rpc.local.{other}.something",
            f"rpc.local.{service}.something",
            f"rpc.local.{other}.admin.republish",
            f"{inbox_prefix(other)}.1",
            "_INBOX.1",
            "$SYS.REQ.ACCOUNT.PING",
        )
        await user.may_not_subscribe(
            f"{inbox_prefix(other)}.>", f"{inbox_prefix('gateway')}.>", "_INBOX.>", f"rpc.local.{other}.>",
            "rpc.>", "hubs.>", f"hubs.*.{other}.>", "occupancy.>", ">", "$JS.EVENT.>", f"kick.local.{other}",
        )  # fmt: skip
        for stream in STREAMS:
            await user.may_not_publish(
                f"$JS.API.STREAM.PURGE.{stream.name}",
                f"$JS.API.STREAM.DELETE.{stream.name}",
                f"$JS.API.STREAM.UPDATE.{stream.name}",
                f"$JS.API.STREAM.MSG.DELETE.{stream.name}",
                f"$JS.API.CONSUMER.CREATE.{stream.name}.mine",
                f"$JS.API.CONSUMER.DURABLE.CREATE.{stream.name}.mine",
                f"$JS.API.CONSUMER.DELETE.{stream.name}.{service}__mine",
            )
        await user.may_not_publish(
            "$JS.API.STREAM.CREATE.MINE", "$JS.API.STREAM.LIST", f"$JS.API.STREAM.MSG.GET.{other.upper()}",
            f"$JS.ACK.{service.upper()}.{other}__mine.1.1.1.1.0",
            f"$JS.API.CONSUMER.MSG.NEXT.{service.upper()}.{other}__mine",
        )  # fmt: skip


@pytest.mark.parametrize("user", USERS)
async def test_nobody_touches_what_is_another_services(cell: NatsAccount, user: str) -> None:
    """Its replies, its place in a stream, its streams themselves; admin alone provisions, and still reads no replies."""
    async with tried(cell, user) as trying:
        others = [name for name in USERS if name != user]
        await trying.may_not_subscribe(
            *(f"{inbox_prefix(name)}.>" for name in others), "_INBOX.>", ">", "$SYS.>"
        )
        await trying.may_not_publish(*(f"{inbox_prefix(name)}.1" for name in others), "$SYS.REQ.SERVER.PING")
        if user == ADMIN:
            return
        for foreign in (one for one in CONSUMERS if one.service != user):
            name = f"{foreign.stream}.{foreign.durable}"
            acts = (
                "CREATE",
                "DURABLE.CREATE",
                "DELETE",
                "INFO",
                "MSG.NEXT",
                "RESET",
                "PAUSE",
                "UNPIN",
                "LEADER.STEPDOWN",
            )
            await trying.may_not_publish(
                *(f"$JS.API.CONSUMER.{act}.{name}" for act in acts), f"$JS.ACK.{name}.1.1.1.1.0",
                *(f"$JS.API.CONSUMER.CREATE.{name}.{subject}" for subject in foreign.filters),
            )  # fmt: skip
        for stream in STREAMS:
            acts = (
                "CREATE",
                "UPDATE",
                "DELETE",
                "PURGE",
                "MSG.DELETE",
                "SNAPSHOT",
                "RESTORE",
                "LEADER.STEPDOWN",
                "PEER.REMOVE",
            )
            await trying.may_not_publish(*(f"$JS.API.STREAM.{act}.{stream.name}" for act in acts))


async def test_a_replica_of_matching_follows_its_own_facts_and_nobody_elses(cell: NatsAccount) -> None:
    async with tried(cell, "matching") as matching:
        await matching.may_publish("$JS.API.CONSUMER.CREATE.MATCHING.mine.hubs.*.matching.>")
        await matching.may_not_publish(
            "$JS.API.CONSUMER.CREATE.EVENTS.mine.hubs.*.events.>", "$JS.API.CONSUMER.CREATE.DIRECTORY.mine.hubs.*.matching.>",
            "$JS.API.CONSUMER.CREATE.MATCHING.mine.hubs.>", "$JS.API.CONSUMER.CREATE.MATCHING",
            "$JS.API.CONSUMER.DURABLE.CREATE.MATCHING.mine", "$JS.API.CONSUMER.DELETE.MATCHING.mine",
        )  # fmt: skip
    async with tried(cell, "events") as events:
        await events.may_not_publish(
            "$JS.API.CONSUMER.CREATE.MATCHING.mine.hubs.*.matching.>",
            "$JS.API.CONSUMER.CREATE.EVENTS.mine.hubs.*.events.>",
        )


async def test_only_booking_writes_occupancy(cell: NatsAccount) -> None:
    async with tried(cell, "booking") as booking:
        await booking.may_publish("occupancy.ystad.flex.v1")
    async with tried(cell, "directory") as directory:
        await directory.may_not_publish("occupancy.ystad.flex.v1")


async def test_the_gateway_asks_and_nothing_else(cell: NatsAccount) -> None:
    async with tried(cell, "gateway") as gateway:
        for service in SERVICES:
            with pytest.raises(NoRespondersError):  # allowed; nobody is there
                await gateway.nc.request(f"rpc.local.{service}.something", b"", timeout=2)
            await gateway.may_not_publish(f"rpc.local.{service}.admin.republish", f"kick.local.{service}")
        await gateway.may_not_publish(
            "rpc.another-cell.booking.reserve", "hubs.ystad.booking.booking-confirmed.v1", "occupancy.ystad.all.v1",
            "$JS.API.STREAM.PURGE.BOOKING", "$JS.API.STREAM.MSG.GET.BOOKING", "$JS.API.CONSUMER.CREATE.BOOKING.x",
            "$JS.API.STREAM.INFO.ADVISORIES", "$JS.API.CONSUMER.CREATE.ADVISORIES.x.>", "_INBOX_booking.1",
            # What is live it follows by consumers of its own, and never by the name of somebody's durable.
            "$JS.API.CONSUMER.CREATE.BOOKING.notify__follows_bookings.hubs.*.booking.>",
        )  # fmt: skip
        await gateway.may_not_subscribe(
            "rpc.>", "rpc.local.booking.reserve", "hubs.>", "_INBOX_booking.>", "_INBOX.>"
        )


@pytest.mark.parametrize("user", ["gateway", "admin", "directory", "booking", "events", "matching"])
async def test_nobody_but_notify_asks_how_people_are_reached(cell: NatsAccount, user: str) -> None:
    async with tried(cell, user) as asking:
        await asking.may_not_publish(CONTACTS)


async def test_notify_asks_directory_how_people_are_reached_and_nothing_else(cell: NatsAccount) -> None:
    async with tried(cell, "notify") as notify, tried(cell, "directory") as directory:
        asked = await directory.nc.subscribe(CONTACTS)
        await settled(directory.nc)
        asking = asyncio.create_task(notify.nc.request(CONTACTS, b"{}", timeout=5))
        await (await asked.next_msg(timeout=5)).respond(b"hej")
        assert (await asking).data == b"hej"
        assert notify.refusals == directory.refusals == []
        await notify.may_not_publish(
            "rpc.local.directory.get-contacts", "rpc.local.directory.get-me", "rpc.local.directory.name-people",
            "rpc.local.directory.for.events.get-contacts", "rpc.other.directory.for.notify.get-contacts",
        )  # fmt: skip


async def test_the_admin_provisions_and_operates_but_neither_asks_nor_states(cell: NatsAccount) -> None:
    async with tried(cell, "admin") as admin:
        assert await provision(admin.nc) == []
        for service in SERVICES:
            with pytest.raises(NoRespondersError):
                await admin.nc.request(f"rpc.local.{service}.admin.republish", b"", timeout=2)
        await admin.may_not_publish("rpc.local.booking.reserve", "hubs.ystad.booking.booking-confirmed.v1")
        await admin.may_not_subscribe("rpc.>", "_INBOX_gateway.>", "hubs.>")


async def test_a_service_may_answer_each_request_once_on_its_own_address(cell: NatsAccount) -> None:
    async with tried(cell, "booking") as booking, tried(cell, "gateway") as gateway:
        asked = await booking.nc.subscribe("rpc.local.booking.greet")
        await booking.may_publish("kick.local.booking")
        inbox = f"{inbox_prefix('gateway')}.answers"
        answers = await gateway.nc.subscribe(inbox)
        await gateway.may_publish("rpc.local.booking.nobody")
        await gateway.nc.publish("rpc.local.booking.greet", b"", reply=inbox)
        request = await asked.next_msg(timeout=2)
        await request.respond(b"hej")
        assert (await answers.next_msg(timeout=2)).data == b"hej"
        await booking.may_not_publish(inbox)


@pytest_asyncio.fixture
async def with_operators(tmp_path: Path) -> AsyncIterator[NatsAccount]:
    """A server of its own, rendered with two operators' users as `foci operator-credentials` adds them."""
    seeds: dict[str, str | None] = {
        name: new_seed() for name in (*USERS, "test", "operator_all", "operator_two")
    }
    keys = {name: public_key(str(seed)) for name, seed in seeds.items()}
    users = [
        *cell_users({name: keys[name] for name in USERS}, "local"),
        User(keys["test"]),
        operator_user("all", keys["operator_all"], ()),
        operator_user("two", keys["operator_two"], ("ystad", "lund")),
    ]
    server = Nats(tmp_path / "nats.conf", free_port(), free_port())
    server.config.write_text(
        render({"FOCI": users}, Server(server.port, server.monitor_port, str(tmp_path / "nats")))
    )
    with started(server.command()):
        await eventually(lambda: not is_free(server.port))
        account = NatsAccount(server.url, seeds)
        admin = await account.connect("admin")
        await provision(admin)
        await admin.close()
        yield account


async def test_an_operator_gets_a_snapshot_and_changes_of_named_hubs_only(
    with_operators: NatsAccount,
) -> None:
    booking = await with_operators.connect("booking")
    js = booking.jetstream()
    for hub in ("ystad", "malmo"):
        for figure in (b"old", b"new"):
            await js.publish(f"occupancy.{hub}.flex.v1", figure)
    async with tried(with_operators, "operator_two") as operator:
        # With a name, the library puts the filter into the subject it asks on, where the server can check it.
        consumer = ConsumerConfig(name="mine", deliver_policy=DeliverPolicy.LAST_PER_SUBJECT)
        subscription = await operator.nc.jetstream().subscribe(
            "occupancy.ystad.>", stream="OCCUPANCY", config=consumer, ordered_consumer=True
        )
        assert (await subscription.next_msg(timeout=2)).data == b"new"
        await js.publish("occupancy.ystad.flex.v1", b"newer")
        assert (await subscription.next_msg(timeout=2)).data == b"newer"
        assert operator.refusals == []
        await operator.may_not_publish(
            "$JS.API.CONSUMER.CREATE.OCCUPANCY.mine.occupancy.malmo.>", "$JS.API.CONSUMER.CREATE.OCCUPANCY.mine",
            "$JS.API.CONSUMER.CREATE.OCCUPANCY.mine.occupancy.>", "$JS.API.CONSUMER.DURABLE.CREATE.OCCUPANCY.mine",
            "$JS.API.CONSUMER.CREATE.BOOKING.mine.hubs.ystad.>", "$JS.API.STREAM.MSG.GET.OCCUPANCY",
            "$JS.API.STREAM.PURGE.OCCUPANCY", "$JS.API.DIRECT.GET.OCCUPANCY", "occupancy.ystad.flex.v1",
            "hubs.ystad.booking.booking-confirmed.v1", "rpc.local.booking.reserve", "kick.local.booking",
        )  # fmt: skip
        await operator.may_not_subscribe(
            "occupancy.malmo.>", "occupancy.>", "hubs.>", "rpc.>", "_INBOX.>", "$SRV.>"
        )
    async with tried(with_operators, "operator_all") as operator:
        await operator.may_subscribe("occupancy.>", "occupancy.malmo.all.v1")
        await operator.may_not_publish(
            "occupancy.ystad.flex.v1", "$JS.API.CONSUMER.CREATE.BOOKING.mine.hubs.>"
        )
        await operator.may_not_subscribe("hubs.>", "_INBOX_operator_two.>")
    await booking.close()


def test_trap_8_every_rendered_configuration_writes_to_disk_before_it_acknowledges(tmp_path: Path) -> None:
    rendered = render({"FOCI": []}, Server(4222, 8222, str(tmp_path)))
    assert '"sync_interval": "always"' in rendered
