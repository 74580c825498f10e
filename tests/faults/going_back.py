"""PostgreSQL is brought back from before its streams: one service's database alone, then all; nothing may stay apart."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import orjson

from deploy.local import backup
from deploy.local.erased import EVER, ErasedList, brought_back_at, erase_again, note_new
from deploy.local.narrator import Narrator
from deploy.local.restore import bring_back, mend
from deploy.local.servers import ENVIRONMENT, Postgres, free_port, postgres_program
from shared.contracts.directory.erasure import ErasePerson
from shared.contracts.directory.requests import EnsurePerson, PersonView
from shared.contracts.directory.words import Role
from shared.contracts.streams import CONSUMERS
from shared.contracts.users import SERVICES
from shared.kit.ids import utc_now
from shared.kit.requester import Requester
from tests.faults.arena import Arena
from tests.faults.clients import gather_clients
from tests.faults.history import History
from tests.faults.waiting import comes_true
from tests.faults.world import World, make_world

BOOKING = "booking"
SETTLES_WITHIN_S = 120.0
HUB = "aterstad"

_OURS = "SELECT id, status, version, starts_at, person FROM booking"
_THEIRS = "SELECT id, status, version, starts_at, person FROM booking WHERE starts_at > now()"
_LEFT = """
    SELECT format('parked: %s %s', consumer, subject) AS it FROM parked_fact UNION ALL
    SELECT format('given up: %s %s %s', consumer, subject, reason) FROM dead_letter
"""
_MEMBERS = "SELECT hub, person, CASE WHEN left_at IS NULL THEN role END AS role, version FROM membership"


class Town:
    """A stack with people at work, and what its databases hold of the same things."""

    def __init__(self, arena: Arena, world: World, say: Any) -> None:
        self.arena = arena
        self.world = world
        self.say = say

    async def work(self, operations: int, seed: int) -> None:
        """People book, move, cancel, check in and out."""
        history = History()
        clients = gather_clients(self.world, self.arena.gateways(), history, seed=seed, count=6)
        await asyncio.gather(
            *(client.run(lambda: len(history.operations) >= operations) for client in clients)
        )

    async def fetch(self, service: str, statement: str) -> Sequence[Any]:
        """Rows of a service's database."""
        connection = await asyncpg.connect(self.arena.database(service))
        try:
            return list(await connection.fetch(statement))
        finally:
            await connection.close()

    async def apart(self) -> list[str]:
        """What has to be done yet, or is not the same on both sides, in words."""
        found = [row["it"] for name in SERVICES for row in await self.fetch(name, _LEFT)]
        found += await self._waiting()
        ours = {row["id"]: row for row in await self.fetch(BOOKING, _OURS)}
        for row in await self.fetch("notify", _THEIRS):
            own = ours.get(row["id"])
            if own is None and row["status"] in ("held", "confirmed", "checked_in"):
                found.append(f"notify believes in booking {row['id']}, which nobody has")
            elif own is not None and tuple(own) != tuple(row):
                found.append(f"notify has booking {tuple(row)[1:4]} where it is {tuple(own)[1:4]}")
        members = {
            (row["hub"], row["person"]): (row["role"], row["version"])
            for row in await self.fetch("directory", _MEMBERS)
        }
        for row in await self.fetch("notify", "SELECT hub, person, role, version FROM member"):
            told = members.get((row["hub"], row["person"]), (None, row["version"]))
            if told != (row["role"], row["version"]):
                found.append(
                    f"notify has member {row['person']} as {row['role']} {row['version']}, who is {told}"
                )
        return found

    async def _waiting(self) -> list[str]:
        client = await self.arena.connect_as_witness()
        try:
            waiting = []
            for declared in CONSUMERS:
                info = await client.jetstream(timeout=5).consumer_info(declared.stream, declared.durable)
                if info.num_pending or info.num_ack_pending:
                    waiting.append(f"{declared.durable}: {info.num_pending} pending")
            return waiting
        finally:
            await client.close()

    async def agrees(self) -> list[str]:
        """What is still apart when all have had time."""
        found: list[str] = []

        async def settled() -> bool:
            found[:] = await self.apart()
            return not found

        await comes_true(settled, within=SETTLES_WITHIN_S, every=0.5)
        return found

    async def versions_go_on(self) -> list[str]:
        """Of each thing the stream's versions never say two things without a later one that settles it."""
        client = await self.arena.connect_as_witness()
        try:
            from tests.faults.evidence import read_stream  # noqa: PLC0415  # it reads the arena

            messages = await read_stream(client.jetstream(timeout=5), "BOOKING", "hubs.*.booking.>")
        finally:
            await client.close()
        latest: dict[str, int] = {}
        rows = {str(row["id"]): row["version"] for row in await self.fetch(BOOKING, _OURS)}
        for message in messages:
            fact = orjson.loads(message.body)
            latest[fact["subject"]] = max(latest.get(fact["subject"], 0), fact["subject_version"])
        return [
            f"booking {subject} is at {rows[subject]}, and the world has heard {version}"
            for subject, version in latest.items()
            if subject in rows and rows[subject] < version
        ]


async def one_database_goes_back(town: Town, saved: Path) -> list[str]:
    """Booking's database alone, from a dump of the backup, as when one service was harmed."""
    arena = town.arena
    names = [name for name in arena.supervisor.running if name.partition("-")[0] == BOOKING]
    dump = await asyncio.to_thread(_dumped, saved)
    for name in names:
        arena.kill(name, down_s=20.0)
    await asyncio.to_thread(_replaced, arena, dump)
    town.say("booking's database is the older one; its processes start")
    await arena.heals()
    return await _mended(town, [BOOKING])


async def _mended(town: Town, services: Sequence[str]) -> list[str]:
    client = await town.arena.connect_as_admin()
    try:
        for name in services:
            forgotten, mended = await mend(client, "local", name, town.say)
            town.say(f"{name}: {forgotten} forgotten facts, {mended} things stated again")
    finally:
        await client.close()
    return await town.agrees() + await town.versions_go_on()


def _dumped(saved: Path) -> Path:
    """Booking's database as it is in the backup."""
    directory, target = saved.parent / "beside" / "postgres", saved.parent / "booking.dump"
    backup.lay_out(saved / backup.POSTGRES, directory)
    server = Postgres(
        directory, free_port(), (saved / "secrets" / "postgres.password").read_text(), durable=False
    )
    with backup.started(server):
        asyncio.run(backup.until_ready(server))
        _program(server, "pg_dump", "--format=custom", f"--file={target}", f"--dbname={BOOKING}")
    return target


def _replaced(arena: Arena, dump: Path) -> None:
    assert arena.postgres is not None
    _program(arena.postgres, "dropdb", "--force", BOOKING)
    _program(arena.postgres, "createdb", f"--owner={BOOKING}", "--template=template0", BOOKING)
    _program(arena.postgres, "pg_restore", f"--dbname={BOOKING}", "--exit-on-error", str(dump))


def _program(server: Postgres, program: str, *arguments: str) -> None:
    subprocess.run(
        [postgres_program(program), "--host=127.0.0.1", f"--port={server.port}", "--username=postgres", *arguments],
        env=ENVIRONMENT | {"PGPASSWORD": server.password}, check=True, capture_output=True,
    )  # fmt: skip


@contextlib.asynccontextmanager
async def _started(home: Path, narrator: Narrator) -> AsyncIterator[Arena]:
    arena = Arena(home, narrator)
    try:
        await arena.up()
        yield arena
    finally:
        await asyncio.shield(arena.down())


async def _erases_eva(arena: Arena) -> None:
    """Somebody is erased after the backup, and the list outside the databases knows it."""
    client = await arena.connect_as_admin()
    try:
        requester = Requester(client, utc_now)
        asked = EnsurePerson(hub=HUB, name="Eva Erased", role=Role.HOST)
        eva = PersonView.model_validate_json((await requester.send(asked, cell="local", seconds=10)).body)
        await requester.send(ErasePerson(person=eva.id), cell="local", seconds=10)
        await note_new(client, "local", ErasedList(arena.home.erased))
    finally:
        await client.close()


async def _eva_is_erased(arena: Arena) -> list[str]:
    """Mended from the streams, and a second time from the list: once is enough, and the receipt is the old one."""
    noted = ErasedList(arena.home.erased).since(brought_back_at(arena.home.restored))
    client = await arena.connect_as_admin()
    try:
        here = await erase_again(client, "local", noted)
        found = ErasedList(arena.home.root / "again.jsonl")
        await note_new(client, "local", found)
    finally:
        await client.close()
    wrong = [f"{here} of the erased are here in spite of the streams"] if here else []
    return wrong + [f"{one.person} is not erased" for one in noted if one not in found.since(EVER)]


async def all_of_it(folder: Path, narrator: Narrator, operations: int) -> bool:
    """Both: one database, and the whole stack from its backup with the streams as they are."""
    saved, good = folder / "saved", True

    def judge(what: str, found: list[str]) -> bool:
        for line in found[:20]:
            narrator.say(line, bad=True)
        narrator.say(f"{what}: {'nothing apart' if not found else 'APART'}", bad=bool(found))
        return not found

    async with _started(folder / "home", narrator) as arena:
        town = Town(arena, await make_world(arena, HUB), narrator.say)
        await town.work(operations, 1)
        await asyncio.to_thread(backup.take, arena.home, saved, narrator.say)
        await town.work(operations, 2)
        await _erases_eva(arena)
        good = judge("before anything went back", await town.agrees())
        good = judge("booking's database alone", await one_database_goes_back(town, saved)) and good
        await town.work(operations, 3)
        good = judge("and life goes on", await town.agrees() + await town.versions_go_on()) and good
    await asyncio.to_thread(bring_back, arena.home, saved, narrator.say, replace=True)
    async with _started(folder / "home", narrator) as arena:
        town = Town(arena, town.world, narrator.say)
        good = judge("the whole stack", await _mended(town, SERVICES)) and good
        good = judge("who was erased since", await _eva_is_erased(arena)) and good
        await town.work(operations, 4)
        return judge("and life goes on", await town.agrees() + await town.versions_go_on()) and good
