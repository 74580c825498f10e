"""Stating a fact: a row in the same transaction as the change it tells of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.base import Fact
from shared.contracts.streams import stream_of
from shared.kit.telemetry import inject

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


def row_of(fact: Fact) -> Row:
    """The outbox row that states `fact`, carrying the current trace context."""
    return Row(
        stream=stream_of(fact.service),
        fact_id=fact.id,
        subject=fact.subject_for(fact.hub),
        headers=orjson.dumps(inject({})).decode(),
        body=fact.model_dump_json(),
    )


async def emit(session: AsyncSession, *facts: Fact) -> None:
    """State facts: they reach the stream if and only if the caller's transaction commits."""
    await write(session, *(row_of(fact) for fact in facts))


async def write(session: AsyncSession, *rows: Row) -> None:
    """Put ready rows into the outbox; for messages that are not facts, such as occupancy."""
    if rows:
        await session.execute(_INSERT, [vars(row) for row in rows])
