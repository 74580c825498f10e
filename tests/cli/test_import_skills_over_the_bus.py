"""`foci import skills` as the operator types it: over NATS as `admin`, to a matching that answers there."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from services.cli.app import app
from services.matching import rpc
from shared.kit.ids import new_id, utc_now
from shared.kit.principal import Verifier
from shared.kit.rpc import Server
from tests.cli.esco import small_set
from tests.cli.operating import at_home
from tests.matching.world import World, make_world
from tests.servers import NatsAccount


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The service's log would go to the standard output that the command's answer is read from."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest_asyncio.fixture
async def answering(
    database: Callable[[str], str],
    nats_account: NatsAccount,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[World]:
    """A matching that answers on the bus."""
    at_home(tmp_path / "home", nats_account, monkeypatch)
    async with make_world(database("matching")) as world:
        verifier = Verifier(Ed25519PrivateKey.generate().public_key(), "local")
        server = Server(
            world.database, service="matching", cell="local", verifier=verifier, clock=utc_now, concurrency=4
        )
        server.answers(rpc.handlers(new_id))
        nc = await nats_account.connect("matching")
        await server.start(nc, version="1.0.0")
        yield world
        await server.stop()
        await nc.close()


async def foci(folder: Path) -> Result:
    """The command, in a thread of its own as it has an event loop of its own."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["import", "skills", str(folder)]))


async def test_an_operator_brings_skills_in_and_a_second_time_nothing_changes(
    answering: World, tmp_path: Path
) -> None:
    folder = small_set(tmp_path / "files")
    first = await foci(folder)
    assert first.exit_code == 0, first.output
    assert "5 skills in en, sv" in first.output
    assert "15 of 15" in first.output, "it says how far it is"
    assert "Vocabulary 1;" in first.output
    (row,) = await answering.rows("SELECT count(*) AS found FROM concept WHERE origin = 'esco' AND active")
    assert row.found == 5
    second = await foci(folder)
    assert second.exit_code == 0, second.output
    assert "Vocabulary 1;" in second.output, "nothing is other than it was"


async def test_when_nobody_answers_it_says_so(
    nats_account: NatsAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at_home(tmp_path / "home", nats_account, monkeypatch)
    refused = await foci(small_set(tmp_path / "files"))
    assert refused.exit_code == 1
    assert "run the same command again" in refused.output
