"""`python -m tests.faults.planted SERVICE MOMENT FAULT FILE`: a service's process with a fault built in.

MOMENT is where the process that first finds FILE there takes it away and ends itself as kill -9 would, or stands still
until somebody takes away FILE.held. It is the same with and without the fault, so that a clean system can be put
through the same. Production code knows nothing of this: functions are replaced before main runs.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn

import nats
from nats.aio.client import Client
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.booking.commands import stating
from services.booking.commands.reserving import STATEMENTS, Reservations
from services.booking.settings import Settings
from shared.contracts.base import Fact
from shared.contracts.booking.facts import BookingCancelledV1
from shared.kit import idempotency, outbox, stream_relay
from shared.kit.bus import BatchConsumer
from shared.kit.idempotency import Answer
from shared.kit.inbox import once_each
from shared.kit.nats import own_inbox
from shared.kit.rpc import Call
from tests.faults.waiting import pause

HELD_AT_MOST_S = 3.5
BRINGS_ITS_OWN_MOMENT = frozenset({"lost-key", "inbox-outside"})
"""Faults that split one transaction in two: the bad moment lies between them."""
OF_THE_KEY = 7
"""Values a statement is given for the key: person, operation, key, fingerprint, status, version, answer."""
Emit = Callable[..., Awaitable[None]]


class BadMoment:
    """The file that is there once."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held = file.with_suffix(".held")

    def _is_now(self) -> bool:
        try:
            self._file.unlink()
        except FileNotFoundError:
            return False
        return True

    def die(self) -> None:
        """The process ends here if it is the one."""
        if self._is_now():
            _kill_myself()

    async def stand_still(self) -> None:
        """The transaction stays open here for a while if it is the one."""
        try:
            self._file.rename(self._held)
        except FileNotFoundError:
            return
        for _ in range(int(HELD_AT_MOST_S / 0.02)):
            if not self._held.exists():
                return
            await pause(0.02)


def _kill_myself() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


# --- the faults ---


def publishes_before_commit() -> None:
    """A cancellation goes to the stream at once; whether it is committed afterwards is another matter."""
    emit, connected = outbox.emit, list[Client]()

    async def client() -> Client:
        if not connected:
            settings = Settings()
            assert settings.nats_seed is not None
            seed = settings.nats_seed.get_secret_value()
            connected.append(
                await nats.connect(settings.nats_url, nkeys_seed_str=seed, inbox_prefix=own_inbox("booking"))
            )
        return connected[0]

    async def publish_and_emit(session: AsyncSession, *facts: Fact) -> None:
        for fact in facts:
            row, nc = outbox.row_of(fact), await client()
            headers = {"Nats-Msg-Id": str(row.fact_id)}
            await nc.request(row.subject, row.body.encode(), timeout=2, headers=headers)
        await emit(session, *facts)

    vars(stating)["emit"] = publish_and_emit


def relays_by_id_only() -> None:
    """The cursor is a number that is handed out before the commit."""
    stream_relay._NEXT = """
        SELECT xid::text::bigint AS xid, id, fact_id::text AS fact_id, subject, headers, body, 0.0::float AS age,
               true AS settled, false AS overtaken
        FROM outbox WHERE stream = $1 AND id > $3 AND $2::text IS NOT NULL ORDER BY id LIMIT $4
    """


def loses_the_key(moment: BadMoment) -> None:
    """The booking is committed first, its key afterwards, in a transaction of its own."""
    execute = Reservations._execute
    # Whether there is a key is the last thing statements are told apart by, and the last they are given.
    plain = {variant[:-1]: statement for variant, statement in STATEMENTS.items() if not variant[-1]}
    without_key = {statement: plain[variant[:-1]] for variant, statement in STATEMENTS.items()}

    async def in_two_steps(
        self: Reservations, statement: str, values: tuple[Any, ...], answer: Answer, call: Call
    ) -> Answer | None:
        if call.key is None:
            return await execute(self, statement, values, answer, call)
        done = await execute(self, without_key[statement], values[:-OF_THE_KEY], answer, call)
        moment.die()
        if done is not None:
            async with self.database.transaction() as session:
                await idempotency.store(session, call.key, done)
        return done

    Reservations._execute = in_two_steps  # type: ignore[method-assign]


def remembers_afterwards(moment: BadMoment) -> None:
    """The effect is committed first, the inbox row afterwards, in a transaction of its own."""

    async def take_in_batch(self: BatchConsumer, facts: Sequence[Fact]) -> int:
        known = text("SELECT fact_id FROM inbox WHERE consumer = :consumer AND fact_id = ANY(:ids)")
        ids = [fact.id for fact in facts]
        async with self.database.transaction() as session:
            seen = set((await session.execute(known, {"consumer": self.durable, "ids": ids})).scalars())
            fresh = [fact for fact in facts if fact.id not in seen]
            if fresh:
                await self._effect(session, fresh)
        moment.die()
        async with self.database.transaction() as session:
            await once_each(session, ids, self.durable)
        return len(fresh)

    BatchConsumer.take_in_batch = take_in_batch  # type: ignore[method-assign]


# --- the bad moments ---


def after_emit(moment: BadMoment, *, dies: bool) -> None:
    """A cancellation has been stated and is not committed yet."""
    emit: Emit = vars(stating)["emit"]

    async def emit_then(session: AsyncSession, *facts: Fact) -> None:
        await emit(session, *facts)
        if any(isinstance(fact, BookingCancelledV1) for fact in facts):
            if dies:
                moment.die()
            else:
                await moment.stand_still()

    vars(stating)["emit"] = emit_then


def after_booking(moment: BadMoment) -> None:
    """A reservation is committed and not answered yet."""
    execute = Reservations._execute

    async def execute_then(self: Reservations, *what: Any) -> Answer | None:
        answer = await execute(self, *what)
        moment.die()
        return answer

    Reservations._execute = execute_then  # type: ignore[method-assign,assignment]


def after_effect(moment: BadMoment) -> None:
    """A batch of facts has been acted on and is not acknowledged yet."""
    take_in_batch = BatchConsumer.take_in_batch

    async def take_in_then(self: BatchConsumer, facts: Sequence[Fact]) -> int:
        done = await take_in_batch(self, facts)
        moment.die()
        return done

    BatchConsumer.take_in_batch = take_in_then  # type: ignore[method-assign]


def plant(name: str, fault: str, file: Path) -> None:
    """Put the fault in first, so that the bad moment lies where it would hurt."""
    moment = BadMoment(file)
    faults: dict[str, Callable[[], None]] = {
        "none": lambda: None,
        "publish-before-commit": publishes_before_commit,
        "id-only-cursor": relays_by_id_only,
        "lost-key": lambda: loses_the_key(moment),
        "inbox-outside": lambda: remembers_afterwards(moment),
    }
    moments: dict[str, Callable[[], None]] = {
        "before-commit": lambda: after_emit(moment, dies=True),
        "open-transaction": lambda: after_emit(moment, dies=False),
        "before-answer": lambda: after_booking(moment),
        "before-ack": lambda: after_effect(moment),
    }
    faults[fault]()
    if fault not in BRINGS_ITS_OWN_MOMENT:
        moments[name]()


def main() -> None:
    """Plant, then be the service."""
    service, moment, fault, file = sys.argv[1:]
    plant(moment, fault, Path(file))
    place = "tests.faults.ledger" if service == "ledger" else f"services.{service}.main"
    importlib.import_module(place).serve()


if __name__ == "__main__":
    main()
