"""Who sends on the simulated day: notify's own senders, with a mail server that is real for some of the mail."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.notify.channels.smtp import MailServer, Outcome, Result, Server, Waits
from services.notify.queries.listeners import Place
from services.notify.rules.mail import Mail
from services.notify.senders.people import People
from services.notify.settings import Settings
from shared.contracts.directory.requests import Contact
from shared.kit.database import Database
from shared.kit.ids import Ids
from tests.notify.day.account import Day
from tests.notify.day.clock import DayClock

EVERY = 5
"""Every so many addresses are mailed to over SMTP."""


@dataclass(frozen=True)
class Sent:
    """A mail that was accepted."""

    at: datetime
    to: str
    message: UUID
    content: bytes
    """Its digest: a repeat must be the same."""


@dataclass
class Log:
    """What was sent, by whoever; `hurt` is called with the number of each."""

    tried: list[tuple[datetime, str]] = field(default_factory=list)
    sent: list[Sent] = field(default_factory=list)
    over_smtp: int = 0


class Post(MailServer):
    """The way to the mail server: counts, and hands a sample on to a real one; away when the day says so."""

    def __init__(self, server: Server, clock: DayClock, day: Day, log: Log) -> None:
        # A mail waits for no answer here: in simulated time a lease must outlast the slots alone.
        super().__init__(server, connections=4, waits=Waits(turn=60, begin=10, end=10))
        self._clock, self._day, self._log = clock, day, log
        self.after_each: Callable[[], None] = lambda: None

    async def send(self, mail: Mail, *, still: Callable[[], bool] = lambda: True) -> Outcome:
        """Accepted, unless the server is away or it is no longer ours."""
        at = self._clock.now
        self._log.tried.append((at, mail.to.rpartition("@")[2]))
        if self._day.away_from <= at < self._day.away_until:
            return Outcome(Result.LATER, "away")
        if int(mail.to[:8], 16) % EVERY == 0:
            # While a real mail server answers no simulated time passes: else a lease could run out under an answer.
            self._clock.holds += 1
            try:
                outcome = await super().send(mail, still=still)
            finally:
                self._clock.holds -= 1
            self._log.over_smtp += 1
        else:
            outcome = Outcome(Result.ACCEPTED, "end 250") if still() else Outcome(Result.LATER, "too late")
        if outcome.result is Result.ACCEPTED:
            message = UUID(mail.message_id.strip("<>").partition("@")[0])
            self._log.sent.append(Sent(at, mail.to, message, hashlib.sha256(mail.content).digest()))
            self.after_each()
        return outcome


class Replica:
    """One process that sends; `contacts` is what directory knows."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        contacts: Mapping[Place, Contact],
        post: Post,
        clock: DayClock,
        ids: Ids,
    ) -> None:
        self.post = post
        self._contacts = contacts
        self._clock = clock
        self._holding = False
        self._people = People(
            database, self._ask, post, settings, clock=clock.read, ids=ids, pause=self._pause
        )

    async def round(self) -> int:
        """One round; from the claim until the first mail waits for its turn no time passes."""
        try:
            return await self._people.round()
        finally:
            self._let_go()

    async def _ask(self, places: Collection[Place]) -> Mapping[Place, Contact]:
        self._holding = True
        self._clock.holds += 1
        return {place: self._contacts[place] for place in places if place in self._contacts}

    async def _pause(self, seconds: float) -> None:
        self._let_go()
        await self._clock.pause(seconds)

    def _let_go(self) -> None:
        if self._holding:
            self._holding = False
            self._clock.holds -= 1


async def leave(posts: Sequence[Post]) -> None:
    """Close the connections of all of them."""
    for post in posts:
        await post.close()
