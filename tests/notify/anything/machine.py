"""The machine: a notify service with its clock, its processes that die and its mail server's moods, before the account."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from sqlalchemy import text

from services.notify.channels.smtp import Waits
from services.notify.queries.listeners import Place
from services.notify.senders.people import People
from shared.contracts.base import Fact
from shared.contracts.directory.requests import Contact
from shared.contracts.directory.words import Role
from tests.connections import empty
from tests.notify.anything.account import Account
from tests.notify.anything.dying import DyingDatabase, DyingServer, Fuse
from tests.notify.anything.somebody import Somebody
from tests.notify.mailing import LEASE, QUICK, Crash, Mailing, make_mailing
from tests.notify.post_office import CUT, CUT_AFTER
from tests.notify.world import ZONE, World, make_world
from tests.waiting import eventually

T = TypeVar("T")

BEGINS = datetime(2027, 3, 25, 8, 0, tzinfo=UTC)
"""A Thursday; summer time begins on Sunday in Stockholm, and ends a week later on Lord Howe."""
PEOPLE = {
    "ann": (ZONE, Role.MEMBER),
    "bo": ("America/New_York", Role.MEMBER),
    "eva": ("Australia/Lord_Howe", Role.HOST),
    "olga": (ZONE, Role.OPERATOR),
    "olle": (ZONE, Role.MEMBER),
    "gun": (ZONE, None),
}
"""Olle runs the events, Eva and Olga the hub; Gun is a guest."""
LAPSES = st.sampled_from(
    (0, 10, *[21] * 4, *[31] * 3, *[60] * 3, *[140] * 3, 600, 1100, 3600, 4 * 3600, 11 * 3600, 26 * 3600)
)
MOODS = st.sampled_from((None, None, None, None, "450 4.2.0 later", CUT, CUT_AFTER, "421 4.3.2 closing"))
STEPS = st.sampled_from(("MAIL", "RCPT", "DATA", "END", "END"))
FUSES = st.sampled_from((*[None] * 6, *range(1, 16)))
AT_MOST = 30
"""Rounds until nothing is due."""
PATIENT = Waits(turn=60, begin=60, end=60, away=0, idle=60)
TO_REST = (60, LEASE.total_seconds(), 1000, *[11 * 3600] * 20)
_MESSAGES = """
    SELECT id, person, channel, created_at, sent_at, failed_at, problem,
           CASE WHEN id <> ALL(CAST(:known AS uuid[])) THEN items END AS items FROM message
"""


class Machine(RuleBasedStateMachine):
    """Six people at a hub, and time, processes and a mail server that are not to be relied on."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self.url = database
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.world: World
        self.mailing: Mailing
        self.account = Account(BEGINS)
        self.late: list[Fact] = []
        self.marked: set[UUID] = set()
        self.taken = 0
        self.unsure: dict[UUID, int] = {}

    def run(self, work: Awaitable[T]) -> T:
        """Do it now."""

        async def wrapped() -> T:
            return await work

        return self.runner.run(wrapped())

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        await empty(self.url)
        self.world = await self.stack.enter_async_context(make_world(self.url, now=BEGINS))
        self.mailing = await self.stack.enter_async_context(make_mailing(self.world))
        await self.world.hub()
        await self.world.space()
        await self.world.space("loft", "Loftet")
        for name, (zone, role) in PEOPLE.items():
            who = self.mailing.knows(name, time_zone=zone, guest=role is None)
            known = Somebody(name, who, zone, "guest" if role is None else role.value)
            self.account.people[who] = known
            if role is not None:
                await self.world.member(name, role)
                known.joined = True

    def teardown(self) -> None:
        try:
            if hasattr(self, "mailing"):
                self.run(self.settle())
        finally:
            self.run(self._end())
            self.runner.close()

    async def _end(self) -> None:
        if hasattr(self, "world"):
            # What was to be sent when something was found wrong would stand in the way of emptying the rest.
            async with self.world.database.transaction() as session:
                await session.execute(text("DELETE FROM notice"))
        await self.stack.aclose()

    # --- facts: doubled, late and reversed ---

    async def hear(self, *facts: Fact) -> None:
        """The service hears facts, and the account with it."""
        await self.world.hear(*facts)
        self.account.hear(facts, self.world.now)

    def state(self, arrives: str, *facts: Fact) -> None:
        """Other services state these; they arrive at once, twice, or late."""
        if arrives == "late":
            self.late += facts
        else:
            self.run(self.hear(*facts * (2 if arrives == "twice" else 1)))

    async def arrive(self, *, reverse: bool = False, again: bool = False) -> None:
        """What was late is heard."""
        late, self.late = self.late, []
        for fact in reversed(late) if reverse else late:
            await self.hear(*[fact] * (2 if again else 1))

    @rule(reverse=st.booleans(), again=st.booleans(), together=st.booleans())
    def what_was_late_arrives(self, reverse: bool, again: bool, together: bool) -> None:
        if together:
            late, self.late = self.late, []
            self.run(self.hear(*(reversed(late) if reverse else late)))
        else:
            self.run(self.arrive(reverse=reverse, again=again))

    # --- time, processes and mail servers ---

    @rule(data=st.data())
    def what_is_due_is_sent(self, data: st.DataObject) -> None:
        self.some_time_later(data)

    def some_time_later(self, data: st.DataObject) -> None:
        """The clock moves, somebody sends, and anything may go wrong meanwhile."""
        seconds, step, mood = data.draw(LAPSES), data.draw(STEPS), data.draw(MOODS)
        if seconds > 3600:
            # What is older than two days when it arrives counts as known: that is another story.
            self.run(self.arrive())
        self.world.later(seconds=seconds)
        if mood == CUT_AFTER:
            step = "END"
        self.run(self.send(Fuse(data.draw(FUSES)), mood, step, between=data.draw(st.booleans())))

    async def send(
        self, fuse: Fuse, mood: str | None = None, step: str = "END", *, between: bool = False
    ) -> None:
        """Rounds until nothing is due, or the process dies; with `between` late facts arrive while mails are on their way."""
        if mood is not None:
            self.mailing.office.always[step, ""] = mood
        # Only who is to be given up on is given up on soon: a machine with other work must look like no fault.
        waits = PATIENT if mood is None else QUICK
        sender, handled = self._sender(fuse, waits, between=between), 1
        unsure = mood == CUT_AFTER
        if mood is not None:
            self.account.hindered(self.world.now)
        try:
            for _ in range(AT_MOST):
                handled = await sender.round()
                if not handled:
                    break
        except Crash:
            # The others that were sending die with it, and their connections.
            for server in self.mailing.servers:
                await server.close()
            await eventually(lambda: self.mailing.office.open == 0)
        finally:
            self.mailing.office.always.clear()
            if fuse.out:
                self.account.hindered(self.world.now)
            rows = await self.look(unsure=fuse.out or unsure)
        if mood is None and not fuse.out:
            assert not handled, "there is no end to what is due"
            self.account.at_rest(rows, self.world.now)

    def _sender(self, fuse: Fuse, waits: Waits, *, between: bool) -> People:
        made = self.mailing.sender()
        server = DyingServer(made._server._server, connections=2, waits=waits)
        server.fuse = fuse
        self.mailing.servers.append(server)

        one_at_a_time = asyncio.Lock()

        async def meanwhile() -> None:
            async with one_at_a_time:
                if between and self.late:
                    await self.look(unsure=False, arrivals=False)
                    await self.hear(self.late.pop(0))

        async def ask(places: Collection[Place]) -> Mapping[Place, Contact]:
            fuse.point()
            if between and self.late:
                # What was made before is judged by what was so then.
                await self.look(unsure=False, arrivals=False)
                await self.hear(self.late.pop(0))
            answer = await self.mailing.ask(places)
            fuse.point()
            return answer

        server.meanwhile = meanwhile
        made._server, made._ask = server, ask
        made._database = DyingDatabase(self.world.database, fuse)
        return made

    async def look(self, *, unsure: bool, arrivals: bool = True) -> Sequence[Any]:
        """Put what the service has made and sent since before the account."""
        rows = await self.world.rows(_MESSAGES, known=list(self.account.mails))
        there = {row.id for row in rows}
        for message, mail in self.account.mails.items():
            if message not in there and not mail.refused:
                self.account.unmade(message)
        for row in sorted(rows, key=lambda row: (row.created_at, row.id)):
            if row.id not in self.account.mails:
                self.account.made(row)
        if arrivals:
            self._arrivals(unsure=unsure)
            self.marked = {row.id for row in rows if row.sent_at is not None}
        return rows

    def _arrivals(self, *, unsure: bool) -> None:
        taken = self.mailing.office.taken
        for mail in taken[self.taken :]:
            message = UUID(mail.message_id[1:].partition("@")[0])
            assert message not in self.marked, "it was sent again although it was known to have arrived"
            assert not self.account.mails[message].refused, "it was taken, and made anew all the same"
            self.account.arrived(message, self.world.now)
            self.unsure[message] = self.unsure.get(message, 0) + unsure
            allowed = 1 + self.unsure[message]
            assert self.account.arrivals[message] <= allowed, "it was sent twice without need"
        self.taken = len(taken)

    # --- in the end ---

    async def settle(self) -> None:
        """Nine days in which nothing goes wrong; then there is nothing left to tell."""
        await self.arrive()
        for seconds in TO_REST:
            self.world.later(seconds=seconds)
            await self.send(Fuse(None))
        assert await self.mailing.left() == {}
