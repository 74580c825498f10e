"""Facts a consumer has given up on: kept in its own database until somebody replays them."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.operations import DeadLetter, DeadLetterPage
from shared.kit.errors import NotFound

_KEEP = text("""
    INSERT INTO dead_letter (id, consumer, fact_id, subject, headers, body, reason, attempts)
    SELECT :id, CAST(:consumer AS text), CAST(:fact_id AS uuid), :subject, :headers, :body, :reason, :attempts
    WHERE NOT EXISTS (
        SELECT 1 FROM dead_letter
        WHERE consumer = CAST(:consumer AS text) AND fact_id = CAST(:fact_id AS uuid) AND replayed_at IS NULL)
""")
_COUNT = text("""
    INSERT INTO fact_failure (consumer, key) VALUES (:consumer, :key)
    ON CONFLICT (consumer, key) DO UPDATE SET attempts = fact_failure.attempts + 1, failed_at = now()
    RETURNING attempts
""")
# ruff: noqa: S608  # the statements are put together from constants
_COLUMNS = "id, consumer, subject, reason, attempts, failed_at, replayed_at"
_LIST = text(f"""
    SELECT {_COLUMNS} FROM dead_letter
    WHERE (:replayed OR replayed_at IS NULL) AND (CAST(:before AS uuid) IS NULL OR id < CAST(:before AS uuid))
    ORDER BY id DESC LIMIT :limit
""")
_SHOW = text(f"SELECT {_COLUMNS}, body FROM dead_letter WHERE id = :id FOR UPDATE")
_REPLAYED = text(f"UPDATE dead_letter SET replayed_at = now() WHERE id = :id RETURNING {_COLUMNS}, body")


async def count_failure(session: AsyncSession, consumer: str, key: str) -> int:
    """Note that a consumer has failed at a fact; how often it has by now."""
    counted = await session.execute(_COUNT, {"consumer": consumer, "key": key})
    return int(counted.scalar_one())


async def keep(
    session: AsyncSession,
    *,
    id: UUID,
    consumer: str,
    fact_id: UUID | None,
    subject: str,
    headers: Mapping[str, str],
    body: str,
    reason: str,
    attempts: int,
) -> None:
    """Keep a fact nobody will be handed again, with the reason; once, however often the message comes."""
    values = {
        "id": id,
        "consumer": consumer,
        "fact_id": fact_id,
        "subject": subject,
        "headers": orjson.dumps(dict(headers)).decode(),
        "body": body,
        "reason": reason[:2000].replace("\x00", "\ufffd"),
        "attempts": attempts,
    }
    await session.execute(_KEEP, values)


async def page(session: AsyncSession, *, limit: int, before: str | None, replayed: bool) -> DeadLetterPage:
    """Dead letters, newest first; `before` is the id the last page ended with."""
    rows = (
        (await session.execute(_LIST, {"limit": limit + 1, "before": before, "replayed": replayed}))
        .mappings()
        .all()
    )
    items = tuple(DeadLetter(**row) for row in rows[:limit])
    return DeadLetterPage(items=items, cursor=str(items[-1].id) if len(rows) > limit else None)


async def show(session: AsyncSession, id: UUID) -> DeadLetter:
    """One dead letter with its body, locked for the caller's transaction."""
    row = (await session.execute(_SHOW, {"id": id})).mappings().first()
    if row is None:
        raise NotFound(f"There is no dead letter {id}.")
    return DeadLetter(**row)


async def mark_replayed(session: AsyncSession, id: UUID) -> DeadLetter:
    """Note that it has been handed to its consumer again, with success."""
    row = (await session.execute(_REPLAYED, {"id": id})).mappings().one()
    return DeadLetter(**row)
