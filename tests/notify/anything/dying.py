"""Processes that die: at any point between two steps, and then nothing after it has happened."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.channels.smtp import MailServer, Outcome
from services.notify.rules.mail import Mail
from shared.kit.database import Database
from tests.notify.mailing import Crash


class Fuse:
    """Burns down at every point where a process can die; from then on it is dead."""

    def __init__(self, left: int | None) -> None:
        self.left = left
        self.out = False

    def point(self) -> None:
        """Here the process can die."""
        if self.left is not None:
            self.left -= 1
            self.out = self.left <= 0
        if self.out:
            raise Crash


class DyingDatabase(Database):
    """A database before, within and after whose transactions the process can die."""

    def __init__(self, of: Database, fuse: Fuse) -> None:
        super().__init__(of.engine, of.announce)
        self.fuse = fuse

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncSession]:
        self.fuse.point()
        async with super().transaction() as session:
            yield session
            self.fuse.point()
        self.fuse.point()


async def _nothing() -> None:
    """Nothing happens meanwhile."""


class DyingServer(MailServer):
    """A way to the mail server on which the process can die; `meanwhile` happens before each mail."""

    fuse: Fuse
    meanwhile: Callable[[], Awaitable[None]] = staticmethod(_nothing)

    async def send(self, mail: Mail, *, still: Callable[[], bool] = lambda: True) -> Outcome:
        self.fuse.point()
        await self.meanwhile()
        outcome = await super().send(mail, still=still)
        self.fuse.point()
        return outcome
