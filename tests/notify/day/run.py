"""The simulated day itself: facts are heard as they happen, two replicas send, one is killed, and then it is accounted for."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import UUID

import asyncpg
from sqlalchemy import text

from services.notify.channels.smtp import Server
from services.notify.main import hears
from services.notify.queries.listeners import Place
from services.notify.senders.people import LOOPS
from services.notify.settings import Settings
from shared.contracts.base import Fact
from shared.contracts.directory.requests import Contact
from shared.kit.bus import BatchConsumer, Consumer
from shared.kit.pulling import BATCH
from tests.notify.day.account import HEARD_AFTER, Said, differences, too_fast
from tests.notify.day.clock import DayClock
from tests.notify.day.people import Hub, Person, settle
from tests.notify.day.sending import Log, Post, Replica, leave
from tests.notify.day.stories import BEGINS, DAY, ENDS, Script
from tests.notify.mailing import mail_settings
from tests.notify.post_office import post_office
from tests.notify.world import World

RATE, DOMAIN_RATE = 200, 50
"""Mails a second, to the server and to a domain."""
KILLED_FROM = datetime(2027, 3, 28, 5, 0, tzinfo=UTC)
"""When the night ends in Stockholm and thousands of mails are due at once."""
PROGRESS = timedelta(hours=1)

_CHOOSE = """
    INSERT INTO choice (person, hub, kind, channel, pace, chosen_at)
    SELECT one.person, '', kind, 'email', one.pace, :now
    FROM unnest(CAST(:people AS uuid[]), CAST(:paces AS text[])) one (person, pace), unnest(ARRAY['booking', 'place']) kind
"""
_HABITS = """
    INSERT INTO habit (person, quiet_start, quiet_end)
    SELECT * FROM unnest(CAST(:people AS uuid[]), CAST(:starts AS time[]), CAST(:ends AS time[]))
"""
_SAID = """
    SELECT m.id, m.person, m.channel, m.sent_at, item ->> 'about' AS about, (item ->> 'thing')::uuid AS thing,
           item ->> 'news' AS news, item ->> 'kind' AS kind
    FROM message m, jsonb_array_elements(m.items) item
"""
_NEXT = """
    SELECT least((SELECT min(due_at) FROM notice WHERE message IS NULL AND digest IS NULL),
                 (SELECT min(due_at) FROM digest),
                 (SELECT min(claimed_until) FROM message WHERE sent_at IS NULL AND failed_at IS NULL)) AS at
"""


@dataclass(frozen=True)
class Size:
    """How much happens: per hub people, bookings, events and sign-ups for all of its events."""

    hubs: int
    people: int
    bookings: int
    events: int
    sign_ups: int
    killed_after: int
    """So many mails of one round of a replica's are accepted when it is killed."""


FULL = Size(hubs=620, people=40, bookings=64, events=3, sign_ups=45, killed_after=40)
SMALL = Size(hubs=2, people=15, bookings=16, events=2, sign_ups=14, killed_after=2)


@dataclass
class Outcome:
    """What became of the day; `faults` must be empty."""

    notices: int
    mails: int
    over_smtp: int
    twice: int
    faults: list[str]
    by_news: Counter[str]


@dataclass
class TheDay:
    """One simulated day."""

    world: World
    size: Size
    seed: int
    say: Callable[[str], None] = lambda _: None
    clock: DayClock = field(default_factory=lambda: DayClock(BEGINS))
    log: Log = field(default_factory=Log)
    unmarked: int = 0

    async def run(self) -> Outcome:
        """Live through it and account for it."""
        chance = random.Random(self.seed)
        hubs = settle(chance, self.size.hubs, self.size.people)
        script = Script(self.world, chance)
        script.write(hubs, self.size.bookings, self.size.sign_ups, self.size.events)
        expected = sum(len(lines) for lines in script.expected.values())
        self.say(f"{len(hubs)} hubs, {len(script.facts)} facts, {expected} notices to be told")
        everybody = {one.id: one for hub in hubs for one in hub.people}
        await self._choose(list(everybody.values()))
        async with post_office() as office:
            settings = mail_settings(office.port, mail_rate=RATE, mail_domain_rate=DOMAIN_RATE)
            consumers = hears(self.world.database, settings, clock=self.clock.read, ids=self.world.ids)
            await _hear(consumers, script.settling(hubs))
            await self._live(script.facts, consumers, settings, _contacts(hubs))
            taken = len(office.taken)
        return await self._account(script, everybody, taken)

    async def _choose(self, people: Sequence[Person]) -> None:
        async def do(statement: str, **values: object) -> None:
            async with self.world.database.transaction() as session:
                await session.execute(text(statement), values)

        choosers = [one for one in people if one.pace != "now"]
        ids, paces = [one.id for one in choosers], [one.pace for one in choosers]
        await do(_CHOOSE, people=ids, paces=paces, now=BEGINS)
        starts, ends = zip(*(one.quiet for one in people), strict=True)
        await do(_HABITS, people=[one.id for one in people], starts=list(starts), ends=list(ends))

    # --- living ---

    async def _live(
        self,
        facts: Sequence[Fact],
        consumers: Sequence[Consumer],
        settings: Settings,
        contacts: dict[Place, Contact],
    ) -> None:
        def replica() -> Replica:
            post = Post(Server.of(settings), self.clock, DAY, self.log)
            return Replica(self.world.database, settings, contacts, post, self.clock, self.world.ids)

        replicas = [replica() for _ in range(LOOPS)]
        posts = [one.post for one in replicas]
        heard, shown, killed = 0, BEGINS, False
        while self.clock.now < ENDS:
            until = heard
            while until < len(facts) and facts[until].occurred_at <= self.clock.now:
                until += 1
            await _hear(consumers, facts[heard:until])
            heard = until
            due_at = (await self.world.rows(_NEXT))[0].at
            is_due = due_at is not None and due_at <= self.clock.now
            if is_due and not killed and self.clock.now >= KILLED_FROM:
                killed = await self._kill(replicas[1])
                if killed:
                    replicas[1] = replica()
                    posts.append(replicas[1].post)
            elif not (is_due and sum(await asyncio.gather(*(one.round() for one in replicas)))):
                self._pass(due_at, facts[heard].occurred_at if heard < len(facts) else ENDS)
            if self.clock.now - shown >= PROGRESS:
                shown = self.clock.now
                self.say(f"{shown:%A %H:%M} UTC: {heard} facts heard, {len(self.log.sent)} mails accepted")
        await leave(posts)

    def _pass(self, due_at: datetime | None, fact_at: datetime) -> None:
        """Time goes on to the next step in which something happens or is due."""
        at = max(min(one for one in (due_at, fact_at, ENDS) if one is not None), self.clock.now)
        steps = (at - BEGINS) // HEARD_AFTER + 1
        self.clock.now = max(self.clock.now, BEGINS + steps * HEARD_AFTER)

    async def _kill(self, replica: Replica) -> bool:
        """End the replica as a kill does, between the mail server's 250 and the mark; False when it had nothing to send."""
        before = len(self.log.sent)
        going = asyncio.create_task(replica.round())

        def count() -> None:
            if len(self.log.sent) - before >= self.size.killed_after:
                going.cancel()

        replica.post.after_each = count
        await asyncio.wait({going})
        if not going.cancelled():
            return False
        self.unmarked = len(self.log.sent) - before
        return True

    # --- accounting ---

    async def _account(self, script: Script, everybody: dict[UUID, Person], taken: int) -> Outcome:
        rows = await self._everything_said()
        first = {one.message: one for one in reversed(self.log.sent)}
        said: list[Said] = []
        faults: list[str] = []
        for row in rows:
            at = row.sent_at if row.channel == "inbox" else first[row.id].at if row.id in first else None
            if at is None:
                faults.append(f"{row.news} for {row.person} is in a message that was never sent")
                continue
            said.append(Said((row.person, row.about, row.thing, row.channel), row.news, at, row.id))
            person = everybody[row.person]
            if row.channel == "email" and row.kind != "safety" and person.is_quiet(at):
                faults.append(f"{row.news} for {row.person} was mailed in their quiet hours, at {at}")
        faults += [
            f"{fault}; {script.things.get(key[2])}" for key, fault in differences(script.expected, said)
        ]
        faults += self._repeats()
        faults += self._pace()
        if taken != self.log.over_smtp:
            faults.append(f"{taken} mails were taken over SMTP, {self.log.over_smtp} were sent so")
        twice = len(self.log.sent) - len(first)
        return Outcome(len(said), len(self.log.sent), taken, twice, faults, Counter(one.news for one in said))

    async def _everything_said(self) -> Sequence[SimpleNamespace]:
        """Read over a connection that may take its time: the service's own gives up after five seconds."""
        url = self.world.database.engine.url.set(drivername="postgresql").render_as_string(
            hide_password=False
        )
        connection = await asyncpg.connect(url)
        try:
            return [SimpleNamespace(**row) for row in await connection.fetch(_SAID)]
        finally:
            await connection.close()

    def _repeats(self) -> Iterator[str]:
        """A mail comes twice only when the replica was killed, and is the same then."""
        contents: dict[object, set[bytes]] = {}
        for one in self.log.sent:
            contents.setdefault(one.message, set()).add(one.content)
        yield from (
            f"{message} was sent in {len(some)} versions"
            for message, some in contents.items()
            if len(some) > 1
        )
        twice = len(self.log.sent) - len(contents)
        if twice > self.unmarked:
            yield f"{twice} mails were sent twice, {self.unmarked} were not marked when the replica was killed"

    def _pace(self) -> Iterator[str]:
        yield from too_fast([at for at, _ in self.log.tried], RATE, "the mail server")
        for domain in sorted({domain for _, domain in self.log.tried}):
            yield from too_fast([at for at, one in self.log.tried if one == domain], DOMAIN_RATE, domain)


def _contacts(hubs: Sequence[Hub]) -> dict[Place, Contact]:
    return {
        (hub.slug, one.id): Contact(
            hub=hub.slug,
            person=one.id,
            name="Somebody",
            email=one.address,
            language=one.language,
            time_zone=one.zone,
            guest=False,
        )
        for hub in hubs
        for one in hub.people
    }


async def _hear(consumers: Sequence[Consumer], facts: Sequence[Fact]) -> None:
    """As the consumers of the service take facts in."""
    for consumer in consumers:
        heard = [fact for fact in facts if type(fact) in consumer._effects]
        if isinstance(consumer, BatchConsumer):
            for begin in range(0, len(heard), BATCH):
                await consumer.take_in_batch(heard[begin : begin + BATCH])
        else:
            for fact in heard:
                await consumer.take_in(fact)


async def live(world: World, size: Size, seed: int, say: Callable[[str], None] = lambda _: None) -> Outcome:
    """A day in a world in which nothing has happened."""
    started = time.monotonic()
    outcome = await TheDay(world, size, seed, say).run()
    say(
        f"{outcome.notices} notices told, {outcome.mails} mails ({outcome.over_smtp} over SMTP, {outcome.twice} twice), "
        f"{len(outcome.faults)} faults, in {time.monotonic() - started:.0f} s"
    )
    return outcome
