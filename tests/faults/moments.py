"""For tests.faults.start, with SERVICE FOLDER: a service's process that ends as by kill -9 at a chosen step of a saga.

FOLDER/<fact>.before-commit ends the process that first states such a fact before its transaction commits, and
FOLDER/<fact>.after-commit right after it has committed, before what it was doing is acknowledged or answered. Whoever comes
first takes the file away. Production code knows nothing of this: functions are replaced before main runs.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.kit.database import Database
from tests.faults.planting import BadMoment

BEFORE_COMMIT, AFTER_COMMIT = "before-commit", "after-commit"
STATES = {
    "events": ("services.events.commands.venues", "services.events.commands.comparing"),
    "booking": ("services.booking.commands.venue_facts", "services.booking.commands.venue_comparing"),
}
"""Where a service states what it says about rooms."""
_STATED = "foci.tests.stated"


def file_for(folder: Path, fact: type[Fact], when: str) -> Path:
    """The file that ends the process that states `fact`."""
    return folder / f"{fact.__name__}.{when}"


def dies_when_stating(module: str, folder: Path) -> None:
    """Put both moments behind the module's `emit`."""
    place = vars(importlib.import_module(module))
    emit: Callable[..., Awaitable[None]] = place["emit"]

    async def emit_then(session: AsyncSession, *facts: Fact) -> None:
        await emit(session, *facts)
        for fact in facts:
            session.info.setdefault(_STATED, []).append(type(fact))
            BadMoment(file_for(folder, type(fact), BEFORE_COMMIT)).die()

    place["emit"] = emit_then


def dies_after_commit(folder: Path) -> None:
    """Look, after each transaction, at what it has stated."""
    transaction = Database.transaction

    @asynccontextmanager
    async def transaction_then(self: Database) -> AsyncIterator[AsyncSession]:
        async with transaction(self) as session:
            yield session
        for fact in session.info.get(_STATED, ()):
            BadMoment(file_for(folder, fact, AFTER_COMMIT)).die()

    Database.transaction = transaction_then  # type: ignore[method-assign]


def main() -> None:
    """Prepare to die, then be the service."""
    service, folder = sys.argv[1:]
    for module in STATES[service]:
        dies_when_stating(module, Path(folder))
    dies_after_commit(Path(folder))
    importlib.import_module(f"services.{service}.main").serve()
