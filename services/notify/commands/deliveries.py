"""Messages to webhooks: made of facts, of an operator's wish to try, and sent once more by hand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.rules.envelopes import LARGEST_BODY, TEST_TYPE, body_of, is_too_large, trial_body
from services.notify.rules.targets import MessageTooLarge
from shared.contracts.audiences import type_of
from shared.contracts.base import Fact
from shared.kit.database import to_be_announced
from shared.kit.errors import NotFound
from shared.kit.ids import Ids

TOO_LARGE = f"The message is larger than {LARGEST_BODY // 1024} KiB and is not sent."

_LISTENING = text("SELECT id, hub, types FROM webhook WHERE hub = ANY(:hubs) AND state = 'active'")
# A webhook that is removed just now is left out; a fact that is heard again is there already.
_PUT = text("""
    INSERT INTO delivery (id, webhook, hub, fact, type, body, state, created_at, since, due_at, last_problem)
    SELECT one.id, one.webhook, one.hub, one.fact, one.type, coalesce(one.body, ''),
           CASE WHEN one.body IS NULL THEN 'failed' ELSE 'waiting' END, CAST(:now AS timestamptz), CAST(:now AS timestamptz),
           CASE WHEN one.body IS NOT NULL THEN CAST(:now AS timestamptz) END,
           CASE WHEN one.body IS NULL THEN CAST(:too_large AS text) END
    FROM unnest(CAST(:ids AS uuid[]), CAST(:webhooks AS uuid[]), CAST(:hubs AS text[]), CAST(:facts AS uuid[]),
                CAST(:types AS text[]), CAST(:bodies AS text[])) one (id, webhook, hub, fact, type, body)
    WHERE EXISTS (SELECT 1 FROM webhook w WHERE w.id = one.webhook)
    ON CONFLICT (webhook, fact) DO NOTHING
""")
_AGAIN = text("""
    UPDATE delivery SET state = 'waiting', due_at = CAST(:now AS timestamptz), since = CAST(:now AS timestamptz), attempts = 0
    WHERE id = :delivery AND webhook = :webhook AND hub = :hub AND body <> '' RETURNING id
""")
_IS_THERE = text("SELECT 1 FROM delivery WHERE id = :delivery AND webhook = :webhook AND hub = :hub")


async def hand_on(session: AsyncSession, facts: Sequence[Fact], *, now: datetime, ids: Ids) -> int:
    """Put these facts on the way to those webhooks of their hubs that want them; how many messages that makes.

    The same fact twice is one message. A hub without webhooks costs its part of one look.
    """
    hubs = sorted({fact.hub for fact in facts})
    listening: dict[str, list[Any]] = defaultdict(list)
    for row in await session.execute(_LISTENING, {"hubs": hubs}):
        listening[row.hub].append(row)
    rows: list[tuple[UUID, UUID, str, UUID, str, str | None]] = []
    for fact in facts if listening else ():
        kind = type_of(type(fact))
        wanting = [one.id for one in listening[fact.hub] if not one.types or kind in one.types]
        if wanting:
            body = body_of(fact)
            kept = None if is_too_large(body) else body
            rows += [(ids(), webhook, fact.hub, fact.id, kind, kept) for webhook in wanting]
    await _put(session, rows, now=now)
    return len(rows)


async def _put(
    session: AsyncSession, rows: Sequence[tuple[UUID, UUID, str, UUID, str, str | None]], *, now: datetime
) -> None:
    if rows:
        names = ("ids", "webhooks", "hubs", "facts", "types", "bodies")
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
        await session.execute(_PUT, {**columns, "now": now, "too_large": TOO_LARGE})
        to_be_announced(session)


async def try_out(session: AsyncSession, hub: str, webhook: UUID, *, now: datetime, ids: Ids) -> UUID:
    """Put a test message on the way; its id."""
    delivery, said = ids(), ids()
    body = trial_body(said, hub, webhook, now)
    await _put(session, [(delivery, webhook, hub, said, TEST_TYPE, body)], now=now)
    return delivery


async def redeliver(session: AsyncSession, hub: str, webhook: UUID, delivery: UUID, *, now: datetime) -> None:
    """Send it once more from now on, with the same `webhook-id` and a day of its own; NotFound, MessageTooLarge."""
    named = {"hub": hub, "webhook": webhook, "delivery": delivery}
    if (await session.execute(_AGAIN, named | {"now": now})).first() is None:
        if (await session.execute(_IS_THERE, named)).first() is not None:
            raise MessageTooLarge(TOO_LARGE)
        raise no_such_delivery(delivery)
    to_be_announced(session)


def no_such_delivery(delivery: UUID) -> NotFound:
    """Said alike when there is none and when it is another hub's."""
    return NotFound(f"There is no delivery {delivery} here.")
