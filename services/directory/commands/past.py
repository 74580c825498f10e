"""Forgetting what is past its time, some rows at a time: a transaction is short, however much there is."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.kit.database import changed_rows

AT_ONCE = 5000


def past(table: str, condition: str) -> TextClause:
    """SQL that forgets some rows of a table; the condition says which are older than `:before`."""
    return text(
        f"DELETE FROM {table} WHERE ctid = ANY(ARRAY(SELECT ctid FROM {table} t WHERE {condition} LIMIT :most))"  # noqa: S608  # constants
    )


async def forget_some(session: AsyncSession, statement: TextClause, before: datetime) -> bool:
    """Forget some rows; whether there may be more."""
    gone = changed_rows(await session.execute(statement, {"before": before, "most": AT_ONCE}))
    return gone >= AT_ONCE
