"""Stating a fact: a row in the same transaction as the change it tells of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.streams import stream_of
from shared.kit.database import to_be_announced
from shared.kit.tracing import inject

_INSERT = text("""
    INSERT INTO outbox (stream, fact_id, subject, headers, body)
    VALUES (:stream, :fact_id, :subject, :headers, :body)
""")


@dataclass(frozen=True)
class Row:
    """An outbox row before it is written, for statements that insert it themselves."""

    stream: str
    fact_id: Any
    subject: str
    headers: str
    body: str


LARGEST = 512 * 1024
"""Bytes of a message; the bus takes twice that with its headers. A row it refuses would stop the log for good."""


def row_of(fact: Fact) -> Row:
    """The outbox row that states `fact`, carrying the current trace context."""
    body = fact.model_dump_json()
    if len(body) > LARGEST // 4 and len(body.encode()) > LARGEST:
        raise ValueError(f"{type(fact).__name__} is larger than {LARGEST} bytes; state ids, not contents")
    return Row(
        stream=stream_of(fact.service),
        fact_id=fact.id,
        subject=fact.subject_for(fact.hub),
        headers=orjson.dumps(inject({})).decode(),
        body=body,
    )


async def emit(session: AsyncSession, *facts: Fact) -> None:
    """State facts: they reach the stream if and only if the caller's transaction commits."""
    await write(session, *(row_of(fact) for fact in facts))


async def write(session: AsyncSession, *rows: Row) -> None:
    """Put ready rows into the outbox; for messages that are not facts, such as occupancy."""
    if rows:
        to_be_announced(session)
        await session.execute(_INSERT, [vars(row) for row in rows])
