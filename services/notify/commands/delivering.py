"""Messages to webhooks on their way: claimed by one process for a while, and marked with what became of the try."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.commands.webhooks import FAILING, GONE, pause
from services.notify.rules.backoff import GIVE_UP_AFTER, next_try
from services.notify.tables import Webhook
from shared.contracts.notify.words import DeliveryState, WebhookState
from shared.kit.ids import Ids

LEASE = timedelta(seconds=60)
"""How long a claim holds. A process that is killed marks nothing: when this is over, another sends it again."""
LOOKED_THROUGH = 1000
"""Due messages that are looked through for those to claim, the longest due first."""
NEARLY = timedelta(minutes=30)
"""The first failure is marked a little after the first try began; so much may be missing from the day without success."""

# In turns: the first of each webhook, then the second, so that one with many does not crowd the others out. The rows are
# looked at again under their lock: another process may have had them meanwhile.
_CLAIM = text("""
    WITH due AS (
        SELECT d.id, d.due_at, d.failing, row_number() OVER (PARTITION BY d.webhook ORDER BY d.due_at, d.id) AS place
        FROM (
            SELECT d.id, d.webhook, d.due_at, w.failing_since IS NOT NULL AS failing
            FROM delivery d JOIN webhook w ON w.id = d.webhook
            WHERE d.state = 'waiting' AND d.due_at <= :now AND (d.claimed_until IS NULL OR d.claimed_until <= :now)
              AND d.webhook <> ALL(CAST(:busy AS uuid[]))
              AND (w.failing_since IS NULL OR CAST(:with_failing AS boolean))
            ORDER BY d.due_at LIMIT :looked_through
        ) d
    ), wanted AS (
        SELECT id FROM due WHERE place <= CASE WHEN failing THEN :each_failing ELSE CAST(:each AS int) END
        ORDER BY place, due_at LIMIT :most
    ), mine AS (
        SELECT d.id FROM delivery d
        WHERE d.id IN (SELECT id FROM wanted) AND d.state = 'waiting' AND d.due_at <= :now
          AND (d.claimed_until IS NULL OR d.claimed_until <= :now)
        FOR UPDATE SKIP LOCKED
    )
    UPDATE delivery d SET claimed_until = :until FROM mine, webhook w
    WHERE d.id = mine.id AND w.id = d.webhook
    RETURNING d.id, d.webhook, d.body, d.attempts, d.since, w.url, w.generation, w.previous_until, w.state,
              w.failing_since IS NOT NULL AS failing
""")
# A webhook is not active: its messages wait until their day is over, should it become so.
_PUT_OFF = text("""
    UPDATE delivery SET claimed_until = NULL,
        state = CASE WHEN since + CAST(:day AS interval) <= :now THEN 'failed' ELSE 'waiting' END,
        due_at = CASE WHEN since + CAST(:day AS interval) > :now THEN since + CAST(:day AS interval) END,
        last_problem = 'The webhook is not active.'
    WHERE id = ANY(:ids) AND state = 'waiting'
""")
_GIVE_BACK = text("""
    UPDATE delivery SET claimed_until = NULL WHERE id = ANY(:ids) AND state = 'waiting' AND claimed_until = :until
""")
# Delivered is delivered. A failure counts only while the claim is this process's own: another may be trying now.
_MARK = text("""
    UPDATE delivery d SET attempts = d.attempts + 1, state = one.state, due_at = one.due_at, claimed_until = NULL,
           last_at = one.at, last_status = one.status, last_ms = one.ms, last_problem = one.problem
    FROM unnest(CAST(:ids AS uuid[]), CAST(:states AS text[]), CAST(:dues AS timestamptz[]), CAST(:ats AS timestamptz[]),
                CAST(:statuses AS int[]), CAST(:mss AS int[]), CAST(:problems AS text[]),
                CAST(:claims AS timestamptz[])) one (id, state, due_at, at, status, ms, problem, claimed_until)
    WHERE d.id = one.id AND d.state = 'waiting'
      AND (one.state = 'delivered' OR d.claimed_until = one.claimed_until)
""")


@dataclass(frozen=True)
class Claimed:
    """A message that is this process's to send until `until`."""

    id: UUID
    webhook: UUID
    url: str
    generation: int
    previous_until: datetime | None
    body: str
    attempts: int
    since: datetime
    failing: bool
    until: datetime


@dataclass(frozen=True)
class Outcome:
    """What became of one try: `status` is HTTP's, None without an answer; `problem` is for the operator."""

    claimed: Claimed
    at: datetime
    status: int | None
    ms: int
    problem: str | None = None
    retry_after: timedelta | None = None

    @property
    def is_delivered(self) -> bool:
        """The target has taken it."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def is_gone(self) -> bool:
        """The target wants no more of them."""
        return self.status == 410


@dataclass(frozen=True)
class Room:
    """How many more messages a process can take: altogether, of one webhook, of one that fails; of whom none now."""

    most: int
    each: int
    each_failing: int
    with_failing: bool = True
    busy: Sequence[UUID] = ()


async def claim(session: AsyncSession, room: Room, *, now: datetime) -> list[Claimed]:
    """Take messages that are due, in turns of their webhooks; those of webhooks that are not active are put off."""
    until = now + LEASE
    asked = {
        "now": now,
        "until": until,
        "busy": list(room.busy),
        "with_failing": room.with_failing,
        "looked_through": LOOKED_THROUGH,
        "each": room.each,
        "each_failing": room.each_failing,
        "most": room.most,
    }
    rows = (await session.execute(_CLAIM, asked)).all()
    idle = [row.id for row in rows if row.state != WebhookState.ACTIVE]
    if idle:
        await session.execute(_PUT_OFF, {"ids": idle, "now": now, "day": GIVE_UP_AFTER})
    return [_claimed(row, until) for row in rows if row.state == WebhookState.ACTIVE]


def _claimed(row: Any, until: datetime) -> Claimed:
    return Claimed(
        id=row.id,
        webhook=row.webhook,
        url=row.url,
        generation=row.generation,
        previous_until=row.previous_until,
        body=row.body,
        attempts=row.attempts,
        since=row.since,
        failing=row.failing,
        until=until,
    )


async def give_back(session: AsyncSession, claims: Sequence[Claimed]) -> None:
    """Let others have what was claimed and not begun."""
    for until in sorted({one.until for one in claims}):
        ids = sorted(one.id for one in claims if one.until == until)
        await session.execute(_GIVE_BACK, {"ids": ids, "until": until})


async def mark(
    session: AsyncSession, outcomes: Sequence[Outcome], *, now: datetime, chance: random.Random, ids: Ids
) -> None:
    """Write down what became of tries: delivered, to be tried again, given up; and what that says of their webhooks."""
    # Webhooks before their messages: the order in which everybody locks them.
    webhooks = await _lock(session, outcomes)
    rows = [_row(one, chance) for one in outcomes]
    names = ("ids", "states", "dues", "ats", "statuses", "mss", "problems", "claims")
    columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    await session.execute(_MARK, columns)
    given_up = {row[0] for row in rows if row[1] == DeliveryState.FAILED}
    for webhook in webhooks:
        mine = [one for one in outcomes if one.claimed.webhook == webhook.id]
        await _judge(session, webhook, mine, given_up, now=now, ids=ids)
    await session.flush()


async def _lock(session: AsyncSession, outcomes: Sequence[Outcome]) -> Sequence[Webhook]:
    """The webhooks something may change for; none while all is well."""
    concerned = {one.claimed.webhook for one in outcomes if one.claimed.failing or not one.is_delivered}
    if not concerned:
        return ()
    wanted = select(Webhook).where(Webhook.id.in_(concerned)).order_by(Webhook.id)
    found = await session.scalars(
        wanted.with_for_update(key_share=True).execution_options(populate_existing=True)
    )
    return found.all()


def _row(one: Outcome, chance: random.Random) -> tuple[Any, ...]:
    due_at = None
    if one.is_delivered:
        state = DeliveryState.DELIVERED
    else:
        if not one.is_gone:
            attempts = one.claimed.attempts + 1
            due_at = next_try(
                attempts, since=one.claimed.since, now=one.at, chance=chance, retry_after=one.retry_after
            )
        state = DeliveryState.FAILED if due_at is None else DeliveryState.WAITING
    problem = None if one.is_delivered else one.problem
    return (
        one.claimed.id,
        state.value,
        due_at,
        one.at,
        one.status,
        one.ms,
        problem,
        one.claimed.until,
    )


async def _judge(
    session: AsyncSession,
    webhook: Webhook,
    outcomes: Sequence[Outcome],
    given_up: set[UUID],
    *,
    now: datetime,
    ids: Ids,
) -> None:
    """What these tries say of the webhook: well again, failing, paused after a day of it, gone."""
    if any(one.is_delivered for one in outcomes):
        webhook.failing_since = None
    elif webhook.failing_since is None:
        webhook.failing_since = min(one.at for one in outcomes)
    if webhook.state != WebhookState.ACTIVE:
        return
    if any(one.is_gone for one in outcomes):
        await pause(session, webhook, because=GONE, now=now, ids=ids)
        return
    since = webhook.failing_since
    a_day = since is not None and now - since >= GIVE_UP_AFTER - NEARLY
    if a_day and any(one.claimed.id in given_up for one in outcomes):
        await pause(session, webhook, because=FAILING, now=now, ids=ids)
