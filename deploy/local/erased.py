"""Who has been erased, noted outside the databases: a backup that is brought back must bring nobody back."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import ValidationError

from deploy.local.narrator import Narrator
from shared.contracts.directory.erasure import (
    EraseAgain,
    Erased,
    ErasedAgain,
    ErasedPage,
    ListErased,
)
from shared.kit.errors import FociError
from shared.kit.ids import utc_now
from shared.kit.life import end
from shared.kit.requester import Requester

ANSWERS_WITHIN_S = 10.0
LOOK_EVERY_S = 5.0
OVERLAP = timedelta(hours=1)
"""So much is asked for twice: who began to be erased first may be done last, and clocks were set."""
AT_ONCE = 20
LAST_LOOK_S = 2.0
AWAY = (FociError, NatsError, OSError)
Connect = Callable[[], Awaitable[Client]]
EVER = datetime(1970, 1, 1, tzinfo=UTC)


class ErasedList:
    """A file of JSON Lines that only grows; the same person may be in it twice."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.damaged = False
        self._known: dict[UUID, Erased] = {}
        for line in file.read_bytes().splitlines() if file.exists() else ():
            self._read(line)

    def _read(self, line: bytes) -> None:
        try:
            one = Erased.model_validate_json(line)
        except ValidationError:
            self.damaged = True  # a line that was cut off: everything is asked for again
            return
        self._known.setdefault(one.person, one)

    def __len__(self) -> int:
        return len(self._known)

    def since(self, moment: datetime) -> list[Erased]:
        """Who has been erased then or later, the oldest first."""
        found = [one for one in self._known.values() if one.erased_at >= moment]
        return sorted(found, key=lambda one: (one.erased_at, one.person))

    def newest(self) -> datetime | None:
        """When the last one was erased that is certainly known, with all before; None when that is not certain."""
        if self.damaged or not self._known:
            return None
        return max(one.erased_at for one in self._known.values())

    def add(self, people: Iterable[Erased]) -> int:
        """Write down who is not in it yet; how many that were. On the disk when this returns."""
        new = {one.person: one for one in people if one.person not in self._known}
        if new:
            lines = "".join(f"{one.model_dump_json()}\n" for one in new.values())
            self._append(("\n" if self.damaged else "") + lines)
            self._known |= new
        return len(new)

    def _append(self, lines: str) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w") as file:
            file.write(lines)
            file.flush()
            os.fsync(file.fileno())


async def note_new(client: Client, cell: str, erased: ErasedList) -> int:
    """Write down who has been erased since the list was last added to; how many."""
    newest, after, found = erased.newest(), None, 0
    since = None if newest is None else newest - OVERLAP
    while True:
        request = ListErased(since=since, after=after)
        reply = await Requester(client, utc_now).send(request, cell=cell, seconds=ANSWERS_WITHIN_S)
        page = ErasedPage.model_validate_json(reply.body).items
        found += erased.add(page)
        if len(page) < request.limit:
            erased.damaged = False
            return found
        since, after = page[-1].erased_at, page[-1].person


async def erase_again(client: Client, cell: str, people: list[Erased]) -> int:
    """Erase whom a backup has brought back; how many were here again."""
    here = 0
    for at in range(0, len(people), AT_ONCE):
        request = EraseAgain(people=tuple(people[at : at + AT_ONCE]))
        reply = await Requester(client, utc_now).send(request, cell=cell, seconds=ANSWERS_WITHIN_S)
        here += ErasedAgain.model_validate_json(reply.body).here
    return here


def brought_back_at(note: Path) -> datetime:
    """Of when the backup is that a restore has noted, with what it may not have seen yet."""
    return datetime.fromisoformat(json.loads(note.read_text())["taken_at"]) - OVERLAP


@asynccontextmanager
async def kept(connect: Connect, cell: str, file: Path, narrator: Narrator) -> AsyncIterator[None]:
    """The list is kept for as long as this lasts, and once more at its end."""

    async def note(*, for_ever: bool) -> None:
        client, erased = await connect(), ErasedList(file)
        try:
            await note_new(client, cell, erased)
            while for_ever:
                await asyncio.sleep(LOOK_EVERY_S)
                await note_new(client, cell, erased)
        finally:
            await client.close()

    async def keep() -> None:
        said = ""
        while True:
            try:
                await note(for_ever=True)
            except AWAY as error:
                # Every few seconds the same sentence would bury the others.
                if said != (said := repr(error)):
                    narrator.say(f"who is erased cannot be written to {file} now: {error!r}", bad=True)
            await asyncio.sleep(LOOK_EVERY_S)

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        await end(keeping)
        with contextlib.suppress(*AWAY):  # said before, if it is not the end itself
            async with asyncio.timeout(LAST_LOOK_S):
                await note(for_ever=False)
