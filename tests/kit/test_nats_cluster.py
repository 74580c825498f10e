"""Three nodes: one may die at any moment, and nothing is lost, doubled, or let in that has no key."""

from __future__ import annotations

import asyncio
import re
import subprocess
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.errors import Error as NatsError

from deploy.local.home import Home
from deploy.local.servers import nats_program
from deploy.nats.cluster import Node, write
from deploy.nats.keys import new_seed, public_key
from deploy.nats.operators import let_in, put_out
from shared.contracts.streams import STREAMS, consumer, stream_of
from shared.contracts.users import ADMIN
from shared.kit.bus import Consumer, make_broker
from shared.kit.database import Database
from shared.kit.ids import new_id
from shared.kit.nats import connect
from shared.kit.provision import consumer_config, stream_config
from shared.kit.pulling import leave
from tests.kit.consuming import DURABLE
from tests.kit.hubs import effects, in_stream, note, registered, relaying, scalar, state
from tests.kit.nats_certificates import write_certificates
from tests.kit.nats_cluster import (
    CELL,
    NAMES,
    NatsCluster,
    layout_in,
    leader_of,
    nodes_here,
    running_cluster,
    written,
)
from tests.servers import NatsAccount
from tests.waiting import eventually

THREE = [Node(name, f"{name}.nats") for name in NAMES]
DIRECTORY = next(stream for stream in STREAMS if stream.name == stream_of("directory"))


def _valid(config: Path) -> str:
    checked = subprocess.run(
        [nats_program(), "-t", "-c", str(config)], capture_output=True, text=True, check=False
    )
    return checked.stdout + checked.stderr


def test_each_node_gets_a_configuration_that_its_server_accepts_and_that_holds_no_secret(
    tmp_path: Path,
) -> None:
    let_in(Home(tmp_path), "region", ())
    let_in(Home(tmp_path), "ny", ("nordviken",))
    write(tmp_path, THREE, layout_in(tmp_path), cell=CELL)
    secrets = [file.read_text() for file in (tmp_path / "secrets").iterdir()]
    assert len(secrets) == len(set(secrets))
    for name in NAMES:
        text = (tmp_path / f"{name}.conf").read_text() + (tmp_path / "accounts.json").read_text()
        assert "is valid" in _valid(tmp_path / f"{name}.conf")
        assert 'sync_interval": "always"' in text
        assert "no_auth_user" not in text
        assert "password" not in text
        assert not re.search(r"\bS[UA][A-Z2-7]{40,}", text)
        assert not any(secret in text for secret in secrets)
    for file in (tmp_path / "secrets").iterdir():
        assert file.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "secrets").stat().st_mode & 0o777 == 0o700


def test_written_again_the_keys_stay_and_what_was_taken_out_is_gone(tmp_path: Path) -> None:
    let_in(Home(tmp_path), "region", ())
    write(tmp_path, THREE, layout_in(tmp_path), cell=CELL)
    before = {file.name: file.read_text() for file in tmp_path.rglob("*") if file.is_file()}
    write(tmp_path, THREE, layout_in(tmp_path), cell=CELL)
    assert {file.name: file.read_text() for file in tmp_path.rglob("*") if file.is_file()} == before
    assert put_out(Home(tmp_path), "region", told=lambda: None)
    write(tmp_path, THREE, layout_in(tmp_path), cell=CELL)
    revoked = public_key(before["operator_region.seed"])
    assert revoked in before["accounts.json"]
    assert revoked not in (tmp_path / "accounts.json").read_text()


@pytest_asyncio.fixture(scope="module")
async def cluster(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[NatsCluster]:
    """The nodes of this file's tests."""
    async with running_cluster(tmp_path_factory.mktemp("cluster")) as running:
        yield running


async def _refused(url: str, **options: object) -> None:
    async def quiet(_: Exception) -> None:
        """The refusal is raised, too."""

    with pytest.raises(NatsError, match="uthorization"):
        await nats.connect(url, allow_reconnect=False, error_cb=quiet, connect_timeout=2, **options)


async def test_nobody_without_a_key_gets_in_at_any_node(cluster: NatsCluster) -> None:
    for url in cluster.urls:
        await _refused(url)
        await _refused(url, user="route", password="route")
        await _refused(url, nkeys_seed_str=new_seed())


async def test_a_server_without_the_routes_password_joins_nothing(
    cluster: NatsCluster, tmp_path: Path
) -> None:
    with written(tmp_path, nodes_here(("stranger",))) as stranger:
        secret = tmp_path / "secrets" / "routes.conf"
        port = cluster.nodes[0].route_port
        theirs = f"routes: [nats-route://route:guessed@127.0.0.1:{port}]\n"
        secret.write_text(secret.read_text().splitlines()[0] + "\n" + theirs)
        stranger.start()
        await eventually(lambda: "Authorization Violation" in stranger.log("stranger"), within=10)
        assert "stranger" not in cluster.log(cluster.nodes[0].name)


async def _keeper(admin: Client) -> str:
    return leader_of(await admin.jetstream().stream_info(DIRECTORY.name))


async def test_any_node_dies_and_nothing_is_lost_or_doubled(
    cluster: NatsCluster, directory: Database, booking: Database
) -> None:
    """The relay's stream loses its leader and then a follower, each by kill -9, while facts are stated and taken in."""
    admin, relays = (
        await connect(cluster.settings(ADMIN), ADMIN),
        await connect(cluster.settings("directory"), "directory"),
    )
    js = admin.jetstream(timeout=10)
    await js.add_stream(stream_config(DIRECTORY, 3))
    await js.add_consumer(DIRECTORY.name, consumer_config(consumer(DURABLE)))
    heard = Consumer(DURABLE, booking, {type(registered("x")): note}, ids=new_id, in_order=True)
    broker = make_broker(cluster.settings("booking"), "booking")
    heard.subscribe(broker, "booking")
    await broker.start()
    stated: list[str] = []
    stop = asyncio.Event()
    stating = asyncio.create_task(_state_facts(directory, stated, stop))
    try:
        async with relaying(directory, relays):
            for is_leader in (True, False):
                await eventually(partial(_more_effects, booking, len(stated) + 20), within=30)
                leader = await _keeper(admin)
                victim = leader if is_leader else next(name for name in NAMES if name != leader)
                cluster.kill(victim)
                await eventually(
                    partial(_more_effects, booking, len(stated) + 20), within=30, what="life without a node"
                )
                cluster.start(victim)
                await cluster.ready()
            stop.set()
            await stating
            await eventually(partial(_more_effects, booking, len(stated)), within=30)
            assert len(await in_stream(admin)) == len(set(await in_stream(admin))) == len(stated)
            assert sorted(hub for hub, _ in await effects(booking)) == sorted(stated)
    finally:
        stop.set()
        await leave(broker)
        await admin.close()
        await relays.close()


async def _state_facts(database: Database, stated: list[str], stop: asyncio.Event) -> None:
    """One after the other until told to stop, some a second."""
    while not stop.is_set():
        hub = f"hub-{len(stated)}"
        await state(database, registered(hub))
        stated.append(hub)
        await asyncio.wait([asyncio.ensure_future(stop.wait())], timeout=0.06)


async def _more_effects(database: Database, wanted: int) -> bool:
    return int(await scalar(database, "SELECT count(*) FROM effect")) >= wanted


async def test_with_certificates_clients_and_routes_are_encrypted(tmp_path: Path) -> None:
    certificates = write_certificates(tmp_path / "tls")
    async with running_cluster(
        tmp_path / "nodes", client_tls=str(certificates), route_tls=str(certificates)
    ) as secure:
        closed = await connect(secure.settings("booking", nats_ca=certificates / "ca.crt"), "booking")
        await closed.flush(timeout=5)
        await closed.close()
        # Told nothing of who vouches for them, it trusts the system's, and those do not.
        account = NatsAccount(secure.urls[0], {"booking": secure.seed("booking")})
        with pytest.raises(Exception, match="certificate verify failed"):
            await account.connect("booking", allow_reconnect=False, connect_timeout=2)
        assert "TLS route handshake" not in secure.log(NAMES[0])
