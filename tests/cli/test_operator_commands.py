"""Dead letters, republishing and live occupancy from the command line, against a real service on a real bus."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client
from nats.aio.msg import Msg
from sqlalchemy.ext.asyncio import AsyncSession
from typer.testing import Result

from services.cli.cell import connect, settings
from services.cli.occupancy_stream import Lost, _next
from shared.contracts.base import Fact
from shared.contracts.booking.facts import OccupancyChangedV1
from shared.contracts.directory.facts import HubRegisteredV1
from shared.contracts.examples import occupancy_example
from shared.kit import operations
from shared.kit.bus import Consumer, Effect
from shared.kit.errors import NotFound
from shared.kit.ids import new_id, utc_now
from shared.kit.principal import Verifier
from shared.kit.provision import provision
from shared.kit.rpc import Server
from tests.cli.operating import at_home, foci
from tests.kit.consuming import consuming, send
from tests.kit.hubs import effects, note, opened, registered
from tests.servers import NatsAccount
from tests.waiting import eventually

pytestmark = pytest.mark.usefixtures("no_log")
NOBODY = "01981f0e-5a00-7000-8000-0000000000f1"


@dataclass
class Cell:
    """A service that answers the operator, and a consumer of it that fails until it is mended."""

    account: NatsAccount
    bus: Client
    mended: bool = False
    restated: int = 0

    async def foci(self, *words: str) -> Result:
        """Run a command as the operator of this cell does."""
        return await asyncio.to_thread(foci, *words)


@pytest_asyncio.fixture
async def cell(
    database: Callable[[str], str],
    nats_account: NatsAccount,
    nats_admin: Client,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Cell]:
    """The cell, with FOCI_HOME as `foci up` leaves it."""
    at_home(tmp_path, nats_account, monkeypatch)
    await provision(nats_admin)
    made = Cell(nats_account, nats_admin)

    async def effect(session: AsyncSession, fact: object) -> None:
        if not made.mended:
            raise NotFound("There is no such hub yet.")
        await note(session, fact)

    async def restate(_: AsyncSession, after: str) -> tuple[int, str | None]:
        made.restated += 1
        return (5, "after-five") if after == "" else (2, None)

    async with opened(database("booking")) as opened_database:
        effects_of: dict[type[Fact], Effect] = {HubRegisteredV1: effect}
        consumer = Consumer("booking__mirrors_hubs", opened_database, effects_of, ids=new_id, in_order=True)
        verifier = Verifier(Ed25519PrivateKey.generate().public_key(), "local")
        server = Server(
            opened_database, service="booking", cell="local", verifier=verifier, clock=utc_now, concurrency=4
        )
        server.answers(operations.handlers([consumer], {"spaces": restate}))
        nc = await nats_account.connect("booking")
        await server.start(nc, version="1.0.0")
        async with consuming(nats_account, consumer):
            await send(nats_admin, registered("ystad"))
            yield made
        assert await effects(opened_database) == ([("ystad", 1)] if made.mended else [])
        await server.stop()
        await nc.close()


async def _letter(cell: Cell) -> str:
    async def listed() -> list[str]:
        answer = await cell.foci("dead-letters", "list", "booking")
        return [word for word in answer.output.split() if word.count("-") == 4]

    found: str = (await eventually(listed, what="the dead letter"))[0]
    return found


async def test_a_dead_letter_is_listed_shown_and_replayed_when_the_fault_is_mended(cell: Cell) -> None:
    letter = await _letter(cell)
    shown = await cell.foci("dead-letters", "show", "booking", letter)
    assert "There is no such hub yet." in shown.output
    assert '"hub": "ystad"' in shown.output
    assert "hubs.ystad.directory.hub-registered.v1" in shown.output

    too_soon = await cell.foci("dead-letters", "replay", "booking", letter)
    assert too_soon.exit_code == 1
    assert "0 replayed, 1 failed again." in too_soon.output

    cell.mended = True
    replayed = await cell.foci("dead-letters", "replay", "booking", "--all")
    assert (replayed.exit_code, replayed.output) == (0, "1 replayed, 0 failed again.\n")
    assert "no dead letters" in (await cell.foci("dead-letters", "list", "booking")).output
    assert letter in (await cell.foci("dead-letters", "list", "booking", "--replayed")).output


async def test_what_cannot_be_done_is_said_in_a_sentence(cell: Cell) -> None:
    for words, code, sentence in (
        (
            ["dead-letters", "list", "bookings"],
            2,
            "There is no service 'bookings'; there is: directory, booking, events, matching, notify.",
        ),
        (["dead-letters", "show", "booking", NOBODY], 1, f"There is no dead letter {NOBODY}."),
        (["dead-letters", "replay", "booking"], 2, "ids, or --all"),
        (["republish", "booking", "cakes"], 1, "there is: spaces."),
        (["republish", "directory", "hubs"], 1, "directory service is away"),
    ):
        answer = await cell.foci(*words)
        assert answer.exit_code == code, answer.output
        assert sentence in answer.output
        assert answer.exception is None or isinstance(answer.exception, SystemExit)


async def test_republishing_says_how_much_was_stated(cell: Cell) -> None:
    answer = await cell.foci("republish", "booking", "spaces")
    assert (answer.exit_code, answer.stdout) == (0, "booking has stated 7 spaces again.\n")
    assert cell.restated == 2


async def test_the_watch_notices_soon_that_the_connection_has_gone(cell: Cell) -> None:
    client = await connect(settings())
    arrived: asyncio.Queue[Msg] = asyncio.Queue()
    waiting = asyncio.create_task(_next(client, arrived))
    await client.close()
    with pytest.raises(Lost, match="the connection has gone"):
        await asyncio.wait_for(waiting, 5)


async def test_occupancy_is_shown_as_it_is_whatever_came_before(cell: Cell) -> None:
    empty = await cell.foci("watch", "occupancy", "--once")
    assert (empty.exit_code, empty.output) == (0, "")
    for space, version in (("quiet-corner", 1), ("quiet-corner", 2), ("all", 1)):
        figures = occupancy_example(space)
        figures = figures.model_copy(update={"data": figures.data.model_copy(update={"version": version})})
        subject = OccupancyChangedV1.subject_for("nordviken", space)
        await cell.bus.jetstream().publish(subject, figures.model_dump_json().encode())
    answer = await cell.foci("watch", "occupancy", "--once")
    assert answer.exit_code == 0, answer.output
    lines = answer.output.splitlines()
    assert len(lines) == 2, "one line for each space, the latest"
    assert "nordviken quiet-corner: capacity 6, booked 2, free 4, present 2" in answer.output
    assert "(whole hub)" in answer.output
    assert (await cell.foci("watch", "occupancy", "--once", "--hub", "aby")).output == ""
    left = await cell.bus.jetstream().consumers_info("OCCUPANCY")
    assert left == [], "the command leaves no consumer behind"
