"""Telling people: in rounds, what is due is claimed, decided, frozen, sent and marked."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import NamedTuple

from opentelemetry import trace
from prometheus_client import Counter as Counted
from prometheus_client import Gauge, Histogram
from sqlalchemy.exc import DataError, ProgrammingError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.channels.smtp import MailServer, Outcome, Result
from services.notify.commands import lanes, marking
from services.notify.commands.claiming import Claim, claim, give_up, next_due
from services.notify.commands.composing import Letter, Terms, compose_notices
from services.notify.commands.digesting import compose_digests
from services.notify.commands.marking import MOST_TRIES
from services.notify.commands.repeating import compose_again
from services.notify.queries.listeners import Place
from services.notify.senders.letters import Letters, NotMailable
from services.notify.settings import Settings
from shared.contracts.directory.requests import Contact, Contacts, GetContacts, Whom
from shared.contracts.notify.words import Hindrance
from shared.kit.causes import caused
from shared.kit.database import Database, despite_migrations
from shared.kit.errors import FociError
from shared.kit.ids import Clock, Ids
from shared.kit.requester import Requester
from shared.kit.telemetry import logger

log = logger(__name__)
tracer = trace.get_tracer("foci.notify")

_LATE = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 300, 900, 3600)
NOTICES = Counted("foci_notify_notices_total", "Notices judged, by what became of them.", ("outcome",))
MAILS = Counted("foci_notify_mails_total", "Mails handed to the mail server, by result.", ("result",))
LATENESS = Histogram("foci_notify_lateness_seconds", "From due to judged.", buckets=_LATE)
LANES = Gauge("foci_notify_lane_wait_seconds", "How far away the latest mail's turn was.")

LONGEST_SLEEP, BREATH = 2.0, 0.1
AWAY = timedelta(seconds=5)
"""So long nothing is tried while directory cannot be asked."""
LOOPS = 2
"""Rounds at once: one mail server that thinks for long must not keep everybody waiting."""
ASKED_AT_ONCE = 500
MARK_EVERY = 0.2
"""Seconds: mails taken meanwhile are marked in one transaction. So many go twice, as the same, when the process is killed."""
MARK_AT_MOST = 200
"""Times that marking is tried, while the database is away or newer notices come in between."""

Ask = Callable[[Collection[Place]], Awaitable[Mapping[Place, Contact]]]
"""How these people are reached now; FociError when nobody can say."""
Pause = Callable[[float], Awaitable[None]]
Compose = Callable[[AsyncSession, Claim, Terms], Awaitable[list[Letter]]]


def asks_directory(requester: Requester, cell: str) -> Ask:
    """Ask directory, over the bus."""

    async def ask(places: Collection[Place]) -> Mapping[Place, Contact]:
        people = [Whom(hub=hub, person=person) for hub, person in sorted(places)]
        known: dict[Place, Contact] = {}
        for begin in range(0, len(people), ASKED_AT_ONCE):
            request = GetContacts(people=tuple(people[begin : begin + ASKED_AT_ONCE]))
            reply = await requester.send(request, cell=cell, seconds=3.0)
            contacts = Contacts.model_validate_json(reply.body)
            known |= {(one.hub, one.person): one for one in contacts.items}
        return known

    return ask


class Ended(NamedTuple):
    """What became of one letter."""

    letter: Letter
    outcome: Outcome


class People:
    """Sends people what is due; any number may, over any number of replicas."""

    def __init__(
        self,
        database: Database,
        ask: Ask,
        server: MailServer,
        settings: Settings,
        *,
        clock: Clock,
        ids: Ids,
        pause: Pause = asyncio.sleep,
    ) -> None:
        self._database = database
        self._ask = ask
        self._server = server
        self._letters = Letters(settings)
        self._secret = settings.secret_key.get_secret_value()
        self._rates = lanes.Rates(settings.mail_rate, settings.mail_domain_rate)
        self._clock = clock
        self._ids = ids
        self._pause = pause
        self._kicked = asyncio.Event()
        self._stopping = asyncio.Event()
        self._rounds = 0
        self._rested = asyncio.Event()
        self._rested.set()

    def kick(self) -> None:
        """Something may be due: look."""
        self._kicked.set()

    async def run(self) -> None:
        """Send what falls due; ends only when cancelled."""
        async with asyncio.TaskGroup() as loops:
            for _ in range(LOOPS):
                loops.create_task(self._loop())

    async def stop(self) -> None:
        """Begin nothing more, and return when what was begun is done with."""
        self._stopping.set()
        await self._rested.wait()
        await self._server.close()

    async def round(self) -> int:
        """Handle what is due now, up to some hundreds of it; how many that were."""
        self._rounds += 1
        self._rested.clear()
        try:
            return await self._round()
        finally:
            self._rounds -= 1
            if not self._rounds:
                self._rested.set()

    async def _loop(self) -> None:
        while not self._stopping.is_set():
            self._kicked.clear()
            try:
                while not self._stopping.is_set() and await self.round():
                    pass
                pause = await self._until_next()
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                log.warning("sending interrupted; again shortly", error=type(error).__name__)
                pause = LONGEST_SLEEP
            except Exception:
                # What was claimed comes back by itself when the claim has run out.
                log.exception("a round of sending failed")
                pause = LONGEST_SLEEP
            await self._sleep(pause)
        await asyncio.Event().wait()  # until cancelled: whoever keeps this going takes an end for a failure

    async def _round(self) -> int:
        now = self._clock()
        claimed = await despite_migrations(lambda: self._claim(now))
        if not claimed:
            return 0
        for notice in claimed.notices:
            LATENESS.observe(max(0.0, (now - notice.due_at).total_seconds()))
        try:
            contacts = await self._ask(claimed.people)
        except FociError as error:
            log.warning("nobody says how people are reached", error=error.code, waiting=len(claimed))
            async with self._database.transaction() as session:
                await give_up(session, claimed, later=now + AWAY)
            NOTICES.labels("directory-away").inc(len(claimed.notices))
            return len(claimed)
        await self._send(await self._compose(claimed, contacts))
        return len(claimed)

    async def _claim(self, now: datetime) -> Claim:
        async with self._database.transaction() as session:
            return await claim(session, now=now)

    async def _compose(self, claimed: Claim, contacts: Mapping[Place, Contact]) -> list[Letter]:
        terms = Terms(
            now=self._clock(),
            contacts=contacts,
            secret=self._secret,
            rates=self._rates,
            longest=timedelta(seconds=self._server.waits.longest),
            ids=self._ids,
            tally=Counter(),
        )
        letters: list[Letter] = []
        # Apart: who holds digests waits for nobody who wants to put something into one.
        for compose in (compose_notices, compose_digests, compose_again):
            # Given up, all of it would wait until the claim has run out.
            letters += await despite_migrations(partial(self._composed, compose, claimed, terms))
        for outcome, number in terms.tally.items():
            NOTICES.labels(outcome).inc(number)
        return letters

    async def _composed(self, compose: Compose, claimed: Claim, terms: Terms) -> list[Letter]:
        counted = replace(terms, tally=Counter())
        async with self._database.transaction() as session:
            letters = await compose(session, claimed, counted)
        terms.tally.update(counted.tally)
        return letters

    async def _send(self, letters: Sequence[Letter]) -> None:
        """Send all of these at their times, and mark each group of those that have ended together."""
        sending = {asyncio.create_task(self._deliver(letter)) for letter in letters}
        try:
            while sending:
                done, sending = await asyncio.wait(sending, timeout=MARK_EVERY)
                if done:
                    await self._mark([task.result() for task in done])
        finally:
            for task in sending:
                task.cancel()

    async def _deliver(self, letter: Letter) -> Ended:
        LANES.set(max(0.0, (letter.at - self._clock()).total_seconds()))
        if not await self._has_turn(letter.at):
            return Ended(letter, Outcome(Result.LATER, "stopping"))
        try:
            mail = self._letters.write(letter)
        except NotMailable:
            return Ended(letter, Outcome(Result.BAD_ADDRESS, "address cannot be written"))
        except Exception as error:  # noqa: BLE001  # what cannot be written now must not keep others from their mail
            news, name = sorted({item.news for item in letter.sending.items}), type(error).__name__
            # Not the error itself: its text may hold names.
            log.error("mail cannot be written", message=letter.sending.id, news=news, error=name)  # noqa: TRY400
            return Ended(letter, Outcome(Result.LATER, "cannot be written"))
        last = letter.sending.lease - timedelta(seconds=self._server.waits.end)
        with caused(tracer, "tell by mail", letter.traces) as current:
            current.set_attribute("foci.late_ms", int((self._clock() - letter.at).total_seconds() * 1000))
            outcome = await self._server.send(mail, still=lambda: self._clock() < last)
        return Ended(letter, outcome)

    async def _has_turn(self, at: datetime) -> bool:
        """Wait until `at`; false when everything is to end instead."""
        seconds = (at - self._clock()).total_seconds()
        if seconds > 0:
            waits = {asyncio.ensure_future(self._pause(seconds)), asyncio.create_task(self._stopping.wait())}
            try:
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for one in waits:
                    one.cancel()
        return not self._stopping.is_set()

    async def _mark(self, ended: Sequence[Ended]) -> None:
        """Write down what became of these, as long as they are ours; what is not marked then goes once more."""
        for one in ended:
            MAILS.labels(one.outcome.result).inc()
            if one.outcome.result is not Result.ACCEPTED:
                log.info(
                    "mail not accepted",
                    message=one.letter.sending.id,
                    result=one.outcome.result,
                    reason=one.outcome.reason,
                )
        until = max(one.letter.sending.lease for one in ended)
        for again in itertools.count():
            try:
                async with self._database.transaction() as session:
                    await mark(session, ended, now=self._clock())
                return
            except (SQLAlchemyError, OSError, TimeoutError) as error:
                # A newer notice of the same may have come in between: now it is seen.
                hopeless = isinstance(error, ProgrammingError | DataError) or again >= MARK_AT_MOST
                if hopeless or self._clock() >= until:
                    raise
                log.warning("not marked yet; again shortly", mails=len(ended), error=type(error).__name__)
            await self._pause(BREATH * 5)

    async def _until_next(self) -> float:
        async with self._database.reading() as session:
            due_at = await next_due(session)
        if due_at is None:
            return LONGEST_SLEEP
        return min(LONGEST_SLEEP, max(BREATH, (due_at - self._clock()).total_seconds()))

    async def _sleep(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self._kicked.wait()
                await asyncio.sleep(BREATH)
        except TimeoutError:
            return


async def mark(session: AsyncSession, ended: Sequence[Ended], *, now: datetime) -> None:
    """What became of these letters, each by its outcome."""
    sent, failed, unsure, unsent = [], [], [], []
    for letter, outcome in ended:
        sending, result = letter.sending, outcome.result
        if result is Result.ACCEPTED:
            sent.append(sending)
        elif result in {Result.NEVER, Result.BAD_ADDRESS} or sending.tries >= MOST_TRIES:
            failed.append((sending, outcome.reason))
        elif result is Result.UNKNOWN or sending.attempts:
            # An earlier try may have arrived: it can only be the same once more.
            unsure.append((sending, outcome.reason))
        else:
            unsent.append(sending)
        if result is Result.BAD_ADDRESS:
            await marking.stop(session, sending.address_hash, Hindrance.REFUSED, now=now)
    await marking.sent(session, sent, now=now)
    await marking.failed(session, failed, now=now)
    await marking.unsure(session, unsure, now=now)
    await marking.unsent(session, unsent, now=now)
