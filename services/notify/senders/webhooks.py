"""Sending to webhooks: claim what is due, post it signed, mark what became of it; a slow target waits for itself alone."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from prometheus_client import Counter as Metric
from prometheus_client import Histogram
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from services.notify.channels.http import LONGEST, Answer, Outside
from services.notify.commands.delivering import Claimed, Outcome, Room, claim, give_back, mark
from services.notify.rules.backoff import wished_pause
from services.notify.rules.signing import signed_headers
from shared.kit.database import Database
from shared.kit.ids import Clock, Ids
from shared.kit.telemetry import logger

log = logger(__name__)

AT_ONCE = 64
"""Posts going on at a time, in a process."""
AT_ONCE_FAILING = 32
"""Of them to webhooks whose last try failed: however many are down, the others have the rest."""
PER_WEBHOOK = 4
PER_PLACE = 16
"""To one `host:port`, which many webhooks may share."""
AHEAD = 64
"""Messages of one webhook that are claimed at a time, so that claiming is worth its transaction."""
IN_HAND = 512
FAILING_IN_HAND = 128
TOO_LATE = timedelta(seconds=LONGEST + 5)
"""A claim with less left than this is let go: the try might outlast it."""
GATHER = 0.02
"""Seconds in which outcomes gather: each turn is a transaction."""
BREATH = 0.1
"""Kicks come with every commit of the service; looking ten times a second is soon enough."""
ENOUGH = 100
"""Outcomes that are marked without waiting for more."""
LONGEST_SLEEP = 2.0

DELIVERIES = Metric(
    "foci_webhook_deliveries_total", "Tries to deliver to a webhook, by outcome.", ("outcome",)
)
DELIVERY_TIME = Histogram(
    "foci_webhook_seconds", "Time a webhook's target took.", buckets=(0.01, 0.03, 0.1, 0.3, 1, 3, 10)
)

# What is due and was not claimed is in another replica's hands.
_NEXT = text("SELECT min(due_at) FROM delivery WHERE state = 'waiting' AND due_at > :now")


@dataclass
class _Line:
    """What is to be posted to one webhook by this process, in order."""

    webhook: UUID
    place: str
    failing: bool
    waiting: deque[Claimed] = field(default_factory=deque)
    busy: int = 0

    @property
    def in_hand(self) -> int:
        return len(self.waiting) + self.busy


class WebhookSender:
    """Posts webhooks' messages; any number of replicas may, each message is claimed by one at a time."""

    def __init__(
        self, database: Database, outside: Outside, *, key: str, clock: Clock, ids: Ids, chance: random.Random
    ) -> None:
        self._database = database
        self._outside = outside
        self._key = key
        self._clock = clock
        self._ids = ids
        self._chance = chance
        self._lines: dict[UUID, _Line] = {}
        self._places: Counter[str] = Counter()
        self._posts: set[asyncio.Task[None]] = set()
        self._posting_to_failing = 0
        self._crowded = False
        self._outcomes: list[Outcome] = []
        self._left: list[Claimed] = []
        self._something = asyncio.Event()
        self._enough = asyncio.Event()
        self._stopping = False
        self._rested = asyncio.Event()

    def kick(self) -> None:
        """There may be something to send: look."""
        self._something.set()

    async def round(self) -> int:
        """Send everything that is due, and everything that falls due meanwhile; how many tries that took."""
        done = 0
        try:
            while True:
                marked, claimed = await self._turn()
                done += marked
                if self._is_idle(claimed):
                    return done
                await self._progress(LONGEST)
        finally:
            await self._end_posts()

    async def run(self) -> None:
        """Send what falls due; ends only when cancelled."""
        try:
            while True:
                pause = LONGEST_SLEEP
                try:
                    _, claimed = await self._turn()
                    if self._is_idle(claimed):
                        if self._stopping:
                            self._rested.set()
                        pause = await self._until_next()
                except (SQLAlchemyError, OSError, TimeoutError) as error:
                    # What has been posted is kept and marked in the next turn.
                    log.warning("sending to webhooks interrupted; again shortly", error=error)
                await self._progress(pause)
        finally:
            await self._end_posts()
            await self._outside.hang_up()

    async def stop(self) -> None:
        """Begin nothing more, and return when what was begun is marked; for while `run` goes on."""
        self._stopping = True
        for line in self._lines.values():
            self._left.extend(line.waiting)
            line.waiting.clear()
        self._something.set()
        await self._rested.wait()

    async def _turn(self) -> tuple[int, int]:
        """One transaction: mark what has been tried, take what there is room for; then post. How many of each."""
        outcomes, left = list(self._outcomes), list(self._left)
        room = self._room()
        async with self._database.transaction() as session:
            if outcomes:
                await mark(session, outcomes, now=self._clock(), chance=self._chance, ids=self._ids)
            if left:
                await give_back(session, left)
            claimed = (
                await claim(session, room, now=self._clock()) if room.most and not self._stopping else []
            )
        del self._outcomes[: len(outcomes)], self._left[: len(left)]
        if self._stopping:
            self._left.extend(claimed)
        else:
            self._take(claimed)
            self._start()
        return len(outcomes), len(claimed)

    def _is_idle(self, claimed: int) -> bool:
        return not (claimed or self._posts or self._outcomes or self._left)

    def _room(self) -> Room:
        in_hand = sum(line.in_hand for line in self._lines.values())
        failing = sum(line.in_hand for line in self._lines.values() if line.failing)
        busy = [
            line.webhook
            for line in self._lines.values()
            if line.in_hand > AHEAD or (line.failing and line.in_hand)
        ]
        return Room(
            most=max(IN_HAND - in_hand, 0),
            each=AHEAD,
            each_failing=PER_WEBHOOK,
            with_failing=failing < FAILING_IN_HAND,
            busy=busy,
        )

    def _take(self, claimed: Sequence[Claimed]) -> None:
        for one in claimed:
            line = self._lines.get(one.webhook)
            if line is None:
                line = _Line(one.webhook, self._outside.place_of(one.url), one.failing)
                self._lines[one.webhook] = line
            line.waiting.append(one)

    def _start(self) -> None:
        """Begin as many posts as may go on at once, a line's first before another's second."""
        self._crowded = False
        began = True
        while began:
            began = False
            for line in list(self._lines.values()):
                if not line.in_hand:
                    del self._lines[line.webhook]
                elif line.waiting and line.busy < PER_WEBHOOK:
                    if self._may_begin(line):
                        self._begin(line)
                        began = True
                    else:
                        self._crowded = True

    def _may_begin(self, line: _Line) -> bool:
        if line.failing and self._posting_to_failing >= AT_ONCE_FAILING:
            return False
        return len(self._posts) < AT_ONCE and self._places[line.place] < PER_PLACE

    def _begin(self, line: _Line) -> None:
        failing = line.failing
        line.busy += 1
        # The last in turn now: where there is room for one, it is another's.
        self._lines[line.webhook] = self._lines.pop(line.webhook)
        self._places[line.place] += 1
        self._posting_to_failing += failing
        task = asyncio.create_task(self._post_in_turn(line))
        self._posts.add(task)

        def ended(done: asyncio.Task[None]) -> None:
            line.busy -= 1
            self._places[line.place] -= 1
            if not self._places[line.place]:
                del self._places[line.place]
            self._posting_to_failing -= failing
            self._posts.discard(done)
            self._start()
            if not self._posts:
                self._something.set()
                self._enough.set()

        task.add_done_callback(ended)

    async def _post_in_turn(self, line: _Line) -> None:
        """Post what waits in the line, one after the other, until others wait for the room this takes."""
        while line.waiting:
            one = line.waiting.popleft()
            if one.until - self._clock() < TOO_LATE:
                self._left.append(one)
                continue
            outcome = await self._post(one)
            self._outcomes.append(outcome)
            DELIVERIES.labels("delivered" if outcome.is_delivered else "failed").inc()
            DELIVERY_TIME.observe(outcome.ms / 1000)
            if not outcome.is_delivered:
                # What it would do to the others it did to this one: they are taken up again as a failing webhook's are.
                line.failing = True
                self._left.extend(line.waiting)
                line.waiting.clear()
            self._something.set()
            if len(self._outcomes) >= ENOUGH:
                self._enough.set()
            if self._crowded:
                return

    async def _post(self, one: Claimed) -> Outcome:
        try:
            answer = await self._outside.post(one.url, self._headers(one), one.body.encode())
        except Exception as error:
            # The edge: one message that nobody can post must not stop the others, and is given up after its day.
            log.exception("a webhook's message could not be posted", delivery=str(one.id), error=error)
            answer = Answer(None, 0, "It could not be sent.")
        at = self._clock()
        return Outcome(
            claimed=one,
            at=at,
            status=answer.status,
            ms=answer.ms,
            problem=answer.problem or _problem_of(answer.status),
            retry_after=wished_pause(answer.retry_after, at),
        )

    def _headers(self, one: Claimed) -> dict[str, str]:
        return signed_headers(
            one.id,
            one.body,
            key=self._key,
            webhook=one.webhook,
            generation=one.generation,
            previous_until=one.previous_until,
            now=self._clock(),
        )

    async def _progress(self, pause: float) -> None:
        """Return when there is something to mark or to claim, a little later so that more of it gathers."""
        await _wait(self._something, pause)
        self._something.clear()
        if self._posts:
            await _wait(self._enough, GATHER)
        elif not (self._outcomes or self._left):
            await _wait(self._enough, BREATH)
        self._enough.clear()

    async def _until_next(self) -> float:
        now = self._clock()
        async with self._database.reading() as session:
            due_at: datetime | None = (await session.execute(_NEXT, {"now": now})).scalar()
        if due_at is None:
            return LONGEST_SLEEP
        return min((due_at - now).total_seconds(), LONGEST_SLEEP)

    async def _end_posts(self) -> None:
        """End the posts that go on; what was claimed is free again when its claim has run out."""
        self._lines.clear()
        posts = list(self._posts)
        for post in posts:
            post.cancel()
        await asyncio.gather(*posts, return_exceptions=True)


def _problem_of(status: int | None) -> str | None:
    if status is None or 200 <= status < 300:
        return None
    if 300 <= status < 400:
        return f"The target answered {status}; redirects are not followed. Give the webhook the new URL."
    return f"The target answered {status}."


async def _wait(event: asyncio.Event, seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return
