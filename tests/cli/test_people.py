"""`foci people`: the operator erases somebody, and sees which services have not answered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from secrets import token_bytes
from uuid import UUID

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client
from typer.testing import Result

from services.directory import rpc
from services.directory.commands import ensure_person, register_hub
from services.directory.commands.erasing import take_answer
from services.directory.commands.sessions import Mint
from services.directory.queries.erasure import get_receipt
from services.directory.rules.sign_in import Limits
from shared.contracts.base import EVERYWHERE
from shared.contracts.directory.requests import EnsurePerson, HubProfile
from shared.contracts.directory.words import HubKind, Role
from shared.contracts.streams import FORGETS
from shared.kit.database import Database
from shared.kit.ids import new_id, utc_now
from shared.kit.principal import Verifier
from shared.kit.rpc import Server
from tests.cli.operating import at_home, foci
from tests.kit.hubs import opened
from tests.servers import NatsAccount

pytestmark = pytest.mark.usefixtures("no_log")
STRANGER = "01981f0e-5a00-7000-8000-0000000000f1"


@dataclass
class Cell:
    """A directory that answers the operator, with one person in it."""

    database: Database
    person: UUID

    async def people(self, *words: str) -> Result:
        """Run a command as the operator of this cell does."""
        return await asyncio.to_thread(foci, "people", *words)

    async def answers(self, service: str) -> None:
        """The service says that it has forgotten the person."""
        fact = FORGETS[service](
            id=new_id(), hub=EVERYWHERE, occurred_at=utc_now(), subject=str(self.person), subject_version=1,
            person=self.person, erased={"bookings": 2},
        )  # fmt: skip
        async with self.database.transaction() as session:
            await take_answer(session, fact, now=utc_now())


@pytest_asyncio.fixture
async def cell(
    database: Callable[[str], str],
    nats_account: NatsAccount,
    nats_admin: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Cell]:
    """The cell, with FOCI_HOME as `foci up` leaves it."""
    assert nats_admin.is_connected
    at_home(tmp_path, nats_account, monkeypatch)
    async with opened(database("directory")) as of_directory:
        profile = HubProfile(id="ystad", name="Ystad", kind=HubKind.LIBRARY, time_zone="Europe/Stockholm")
        wanted = EnsurePerson(hub="ystad", name="Gone", role=Role.MEMBER)
        async with of_directory.transaction() as session:
            await register_hub(session, profile, cell="local", now=utc_now(), ids=new_id)
            person = await ensure_person(session, wanted, now=utc_now(), ids=new_id)
            made = Cell(of_directory, person.id)
        verifier = Verifier(Ed25519PrivateKey.generate().public_key(), "local")
        server = Server(
            of_directory, service="directory", cell="local", verifier=verifier, clock=utc_now, concurrency=4
        )
        server.answers(
            rpc.reads() | rpc.changes(Mint("local", "a secret", token_bytes, new_id), Limits(5, 5))
        )
        nc = await nats_account.connect("directory")
        await server.start(nc, version="1.0.0")
        yield made
        await server.stop()
        await nc.close()


async def test_somebody_is_erased_on_the_operators_word_and_it_is_seen_who_has_not_answered(
    cell: Cell,
) -> None:
    assert (await cell.people("erasures")).stdout == "Every erasure is complete.\n"
    done = await cell.people("erase", str(cell.person), "--sure")
    assert done.exit_code == 0, done.output
    found = re.fullmatch(r"Erased\. The receipt: /v1/me/erasure/([A-Za-z0-9_-]{32})\n", done.stdout)
    assert found is not None, done.stdout
    for service in FORGETS:
        waits = (await cell.people("erasures")).stdout
        assert waits.startswith(f"{cell.person}  since 20")
        assert service in waits.partition("waits for ")[2].strip().split(", ")
        await cell.answers(service)
    assert (await cell.people("erasures")).stdout == "Every erasure is complete.\n"
    async with cell.database.reading() as session:
        receipt = await get_receipt(session, found[1])
    assert receipt.complete


async def test_nobody_is_erased_by_a_slip(cell: Cell) -> None:
    for words, code, sentence in (
        (["erase", str(cell.person)], 2, "Say --sure."),
        (["erase", STRANGER, "--sure"], 1, "not in the directory"),
        (["erase", "Gone", "--sure"], 2, "UUID"),
    ):
        done = await cell.people(*words)
        assert done.exit_code == code, done.output
        assert sentence in done.output
        assert done.exception is None or isinstance(done.exception, SystemExit)
    async with cell.database.reading() as session:
        kept = await session.connection()
        left = (await kept.exec_driver_sql("SELECT name FROM person")).scalars().all()
    assert left == ["Gone"]
