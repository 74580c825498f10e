"""Reading sessions, and the keys that access tokens are checked with."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from shared.contracts.directory.sessions import ListMySessions, SessionPage, SessionView, TokenKey, TokenKeys
from shared.kit.errors import Invalid
from shared.kit.moments import storable

_MINE = text("""
    SELECT id, started_at, seen_at, ends_at, agent, via FROM session
    WHERE person = :person AND ended_at IS NULL AND ends_at > :now
      AND (CAST(:seen_at AS timestamptz) IS NULL OR (seen_at, id) < (CAST(:seen_at AS timestamptz), CAST(:id AS uuid)))
    ORDER BY seen_at DESC, id DESC LIMIT :most
""")
_KEYS = text("""
    SELECT kid, x, until FROM token_key WHERE until IS NULL OR until > :now ORDER BY signs_from DESC, kid
""")


def view_of(row: Any) -> SessionView:
    """A session, ORM object or plain, as its person sees it."""
    return SessionView(
        id=row.id,
        started_at=row.started_at,
        seen_at=row.seen_at,
        ends_at=row.ends_at,
        agent=row.agent,
        via=row.via,
    )


async def list_mine(
    session: AsyncSession, request: ListMySessions, person: UUID, *, now: datetime
) -> SessionPage:
    """Somebody's own sessions."""
    after = {"seen_at": None, "id": None} if request.cursor is None else _place(request.cursor)
    asked = {"person": person, "now": now, "most": request.limit + 1, **after}
    rows = (await session.execute(_MINE, asked)).all()
    items = tuple(view_of(row) for row in rows[: request.limit])
    more = len(rows) > request.limit
    return SessionPage(
        items=items, cursor=f"{items[-1].seen_at.isoformat()} {items[-1].id}" if more else None
    )


def _place(cursor: str) -> dict[str, Any]:
    written, _, last = cursor.partition(" ")
    try:
        seen_at, session = datetime.fromisoformat(written), UUID(last)
    except ValueError:
        raise _not_ours() from None
    if seen_at.tzinfo is None:
        raise _not_ours()
    return {"seen_at": storable(seen_at, "cursor"), "id": session}


def _not_ours() -> Invalid:
    return Invalid("This cursor is not from this list; start again without it.", field="cursor")


async def token_keys(session: AsyncSession, *, now: datetime) -> TokenKeys:
    """The keys that may be met now."""
    rows = await session.execute(_KEYS, {"now": now})
    return TokenKeys(items=tuple(TokenKey(kid=row.kid, x=row.x, until=row.until) for row in rows))
