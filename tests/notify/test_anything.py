"""Whatever is said, chosen and refused, in any order, and wherever processes die: each thing is told, once, by day."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, time, timedelta
from typing import Any, TypeVar
from uuid import UUID

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.channels.smtp import MailServer, Outcome
from services.notify.queries.listeners import Place
from services.notify.rules.differences import Item
from services.notify.rules.mail import Mail
from services.notify.rules.moments import end_of_quiet
from services.notify.rules.states import BookingState
from services.notify.senders.people import People
from shared.contracts.base import Fact
from shared.contracts.booking import facts as booking
from shared.contracts.directory.requests import Contact
from shared.contracts.notify.notices import QuietHours
from shared.contracts.notify.words import ALWAYS, About, Channel, News, NoticeKind, Pace
from shared.kit.database import Database
from tests.connections import empty
from tests.notify.mailing import LEASE, QUICK, Crash, Mailing, make_mailing
from tests.notify.post_office import CUT, CUT_AFTER
from tests.notify.world import ZONE, World, make_world
from tests.waiting import eventually

T = TypeVar("T")

PEOPLE = {"ann": ZONE, "bo": "America/New_York"}
START = datetime(2027, 6, 1, 9, 0, tzinfo=UTC)
"""All that is booked begins weeks after everything else happens."""
SOMEBODY = st.sampled_from(tuple(PEOPLE))
THING = st.integers(0, 3)
PACES = st.sampled_from((*[Pace.NOW] * 5, Pace.DAILY, Pace.DAILY, Pace.WEEKLY, Pace.OFF))
QUIET = st.sampled_from(((21, 7), (0, 0), (0, 0), (8, 18), (23, 5)))
LAPSES = st.sampled_from(
    (0, 10, *[21] * 4, *[31] * 3, *[60] * 3, 130, 600, 3600, 4 * 3600, 11 * 3600, 26 * 3600)
)
MOODS = st.sampled_from((None, None, "450 4.2.0 later", CUT, CUT_AFTER, "421 4.3.2 closing"))
ARRIVAL = st.sampled_from(("now", "now", "twice", "late"))
SELDOM = st.sampled_from((True, *[False] * 4))
FUSES = st.sampled_from((None, None, None, *range(1, 16)))
EXAMPLES = 12
STEPS = st.sampled_from(("MAIL", "RCPT", "DATA", "END", "END"))
DAYS = st.integers(1, 4)


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


class DyingServer(MailServer):
    """A way to the mail server on which the process can die."""

    fuse: Fuse

    async def send(self, mail: Mail, *, still: Callable[[], bool] = lambda: True) -> Outcome:
        self.fuse.point()
        outcome = await super().send(mail, still=still)
        self.fuse.point()
        return outcome


class Anything(RuleBasedStateMachine):
    """Two people, some bookings, and everything that can happen to what is told of them."""

    def __init__(self, database: str) -> None:
        super().__init__()
        self.url = database
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.world: World
        self.mailing: Mailing
        self.slots: dict[int, UUID] = {}
        self.things: dict[UUID, str] = {}
        self.last: dict[UUID, dict[str, Any]] = {}
        self.late: list[Fact] = []
        self.quiet: dict[str, tuple[time, time]] = {}
        self.ever_off: set[str] = set()
        self.items: dict[str, tuple[Item, ...]] = {}
        self.marked: set[str] = set()
        self.accepted: list[str] = []
        self.unsure: Counter[str] = Counter()

    def run(self, work: Awaitable[T]) -> T:
        """Do it now."""

        async def wrapped() -> T:
            return await work

        return self.runner.run(wrapped())

    @initialize()
    def begin(self) -> None:
        async def beginning() -> None:
            await empty(self.url)
            self.world = await self.stack.enter_async_context(make_world(self.url))
            await self.world.hub()
            await self.world.space()
            self.mailing = await self.stack.enter_async_context(make_mailing(self.world))
            for name, zone in PEOPLE.items():
                self.mailing.knows(name, time_zone=zone)
                self.quiet[name] = (time(21), time(7))

        self.run(beginning())

    def teardown(self) -> None:
        try:
            if hasattr(self, "mailing"):
                self.run(self._settle())
        finally:
            self.run(self.stack.aclose())
            self.runner.close()

    # --- what happens: facts, doubled, late and reversed ---

    @rule(number=THING, name=SOMEBODY, by_other=st.booleans(), days=DAYS, arrives=ARRIVAL, end=SELDOM)
    def something_is_said(
        self, number: int, name: str, by_other: bool, days: int, arrives: str, end: bool
    ) -> None:
        self._say(number, name, by_other=by_other, days=days, arrives=arrives, end=end)

    @rule(reverse=st.booleans(), again=st.booleans())
    def what_was_late_arrives(self, reverse: bool, again: bool) -> None:
        self.run(self._arrive(reverse=reverse, again=again))

    def _say(self, number: int, name: str, *, by_other: bool, days: int, arrives: str, end: bool) -> None:
        """Somebody books; what stands is moved, or cancelled and nothing more is said of it."""
        kind: Any = booking.BookingConfirmedV1
        if number in self.slots:
            kind = booking.BookingCancelledV1 if end else booking.BookingMovedV1
            thing = self.slots.pop(number) if end else self.slots[number]
        else:
            thing = self.slots[number] = self.world.ids()
            self.things[thing] = name
        who = self.things[thing]
        start = (
            self.last[thing]["start"] if kind is booking.BookingCancelledV1 else START + timedelta(days=days)
        )
        fact = self.world.booked(kind, thing, who=who, by="olle" if by_other else who, start=start)
        status = "cancelled" if kind is booking.BookingCancelledV1 else "confirmed"
        self.last[thing] = {"status": status, "start": start, "by_other": by_other}
        if arrives == "late":
            self.late.append(fact)
        else:
            self.run(self.world.hear(*[fact] * (2 if arrives == "twice" else 1)))

    async def _arrive(self, *, reverse: bool = False, again: bool = False) -> None:
        late, self.late = self.late, []
        for fact in reversed(late) if reverse else late:
            await self.world.hear(*[fact] * (2 if again else 1))

    # --- what people choose ---

    @rule(
        name=SOMEBODY,
        kind=st.sampled_from((NoticeKind.BOOKING, NoticeKind.BOOKING, NoticeKind.REMINDER)),
        pace=PACES,
    )
    def somebody_chooses(self, name: str, kind: NoticeKind, pace: Pace) -> None:
        if kind is NoticeKind.REMINDER and pace in {Pace.DAILY, Pace.WEEKLY}:
            return
        if pace is Pace.OFF and kind is NoticeKind.BOOKING:
            self.ever_off.add(name)
        self.run(self.mailing.choose(name, kind, pace))

    @rule(name=SOMEBODY, hours=QUIET)
    def somebody_sleeps_otherwise(self, name: str, hours: tuple[int, int]) -> None:
        start, end = time(hours[0]), time(hours[1])
        self.quiet[name] = (start, end)
        self.run(self.mailing.change(name, quiet=QuietHours(start=start, end=end)))

    # --- time, processes and mail servers ---

    @rule(data=st.data(), number=THING, name=SOMEBODY)
    def something_is_said_and_sent(self, data: st.DataObject, number: int, name: str) -> None:
        by_other, end, days = data.draw(st.booleans()), data.draw(SELDOM), data.draw(DAYS)
        self._say(number, name, by_other=by_other, days=days, arrives="now", end=end)
        self._some_time_later(data)

    @rule(data=st.data())
    def what_is_due_is_sent(self, data: st.DataObject) -> None:
        self._some_time_later(data)

    def _some_time_later(self, data: st.DataObject) -> None:
        seconds, step, mood = data.draw(LAPSES), data.draw(STEPS), data.draw(MOODS)
        if seconds > 3600:
            # What is older than two days when it arrives counts as known: that is another story.
            self.run(self._arrive())
        self.world.later(seconds=seconds)
        if mood == CUT_AFTER:
            step = "END"
        self.run(self._send(Fuse(data.draw(FUSES)), mood, step, data.draw(st.integers(1, 3))))

    async def _send(self, fuse: Fuse, mood: str | None, step: str, rounds: int) -> None:
        if mood is not None:
            self.mailing.office.always[step, ""] = mood
        sender = self._sender(fuse)
        try:
            for _ in range(rounds):
                if not await sender.round():
                    break
        except Crash:
            # The others that were sending die with it, and their connections.
            for server in self.mailing.servers:
                await server.close()
            await eventually(lambda: self.mailing.office.open == 0)
        finally:
            self.mailing.office.always.clear()
            await self._look(unsure=fuse.out or mood == CUT_AFTER)

    def _sender(self, fuse: Fuse) -> People:
        made = self.mailing.sender()
        server = DyingServer(made._server._server, connections=2, waits=QUICK)
        server.fuse = fuse
        self.mailing.servers.append(server)

        async def ask(places: Collection[Place]) -> Mapping[Place, Contact]:
            fuse.point()
            answer = await self.mailing.ask(places)
            fuse.point()
            return answer

        made._server, made._ask = server, ask
        made._database = DyingDatabase(self.world.database, fuse)
        return made

    async def _look(self, *, unsure: bool) -> None:
        """What has been taken meanwhile: by day, and nothing that was known to have arrived."""
        rows = await self.mailing.messages()
        self.items |= {str(row.id): tuple(Item.from_json(one) for one in row.items) for row in rows}
        for mail in self.mailing.office.taken[len(self.accepted) :]:
            message = mail.message_id[1:].partition("@")[0]
            name = mail.to.partition("@")[0]
            assert message not in self.marked, (
                f"{message} was sent again although it was known to have arrived"
            )
            if not any(item.kind in ALWAYS for item in self.items[message]):
                assert end_of_quiet(self.world.now, PEOPLE[name], *self.quiet[name]) is None, (
                    "sent in quiet hours"
                )
            self.accepted.append(message)
            self.unsure[message] += unsure
        self.marked = {str(row.id) for row in rows if row.sent_at is not None}

    # --- in the end ---

    async def _settle(self) -> None:
        await self._arrive()
        for seconds in (60, LEASE.total_seconds(), 1800, *[6 * 3600] * 40):
            self.world.later(seconds=seconds)
            for _ in range(20):
                handled = await self._sender(Fuse(None)).round()
                await self._look(unsure=False)
                if not handled:
                    break
        assert await self.mailing.left() == {}
        for message, times in Counter(self.accepted).items():
            assert times <= 1 + self.unsure[message], f"{message} was sent {times} times"
        self._nothing_is_lost()

    def _nothing_is_lost(self) -> None:
        told = self._told()
        for thing, who in self.things.items():
            known, is_now = told[thing], self.last[thing]
            for one, following in itertools.pairwise(known):
                before, now = following.before, one.now
                assert isinstance(before, BookingState)
                assert isinstance(now, BookingState)
                if who not in self.ever_off:
                    assert (before.status, before.start) == (now.status, now.start), (
                        "something was told twice, or not"
                    )
            for one in known:
                assert one.news is not News.MOVED or one.before != one.now
            if who in self.ever_off:
                continue
            if is_now["status"] == "cancelled" and not known:
                assert not is_now["by_other"], "nobody was told that it was cancelled"
                continue
            last = known[-1].now if known else None
            assert isinstance(last, BookingState), "nobody was told"
            assert (last.status, last.start) == (is_now["status"], is_now["start"])

    def _told(self) -> dict[UUID, list[Item]]:
        """What has been told of each booking, in order."""
        told: dict[UUID, list[Item]] = defaultdict(list)
        for message in dict.fromkeys(self.accepted):
            for item in self.items[message]:
                if item.about is About.BOOKING:
                    told[item.thing].append(item)
        return told


def test_whatever_happens_each_thing_is_told_once_and_by_day(notify_database: str) -> None:
    def a_world() -> Anything:
        return Anything(notify_database)

    run_state_machine_as_test(
        a_world,  # type: ignore[arg-type]  # anything that makes one will do
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
            phases=(Phase.generate,),
        ),
    )


def test_the_inbox_knows_what_the_mail_knows(notify_database: str) -> None:
    """What dies between the two is told over both in the end."""

    async def story() -> None:
        await empty(notify_database)
        async with make_world(notify_database) as world, make_mailing(world) as mailing:
            await world.hub()
            await world.space()
            mailing.knows("ann")
            for point in range(1, 16):
                machine = Anything(notify_database)
                machine.runner.close()
                machine.world, machine.mailing = world, mailing
                machine.quiet["ann"] = (time(0), time(0))
                await world.hear(world.booked())
                world.later(seconds=21)
                await machine._send(Fuse(point), None, "END", 3)
                world.later(seconds=LEASE.total_seconds())
                await machine._send(Fuse(None), None, "END", 3)
            told = {channel: len(await mailing.messages(channel)) for channel in Channel}
            assert told == {Channel.EMAIL: 15, Channel.INBOX: 15}
            ids = {str(row.id) for row in await mailing.messages()}
            assert {mail.message_id[1:].partition("@")[0] for mail in mailing.office.taken} == ids
            assert len(mailing.office.taken) <= 15 + 3, "only who dies between 250 and mark sends again"

    asyncio.run(story())
