"""Reading API tokens: for a hub's operators, and for the gateway at each request."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.directory.rules.api_tokens import refused
from shared.contracts.directory.api_tokens import (
    ApiTokenAccess,
    ApiTokenPage,
    ApiTokenView,
    CheckApiToken,
    ListApiTokens,
)
from shared.kit.errors import Invalid

# Ids are made in the order of time (RFC 9562, version 7).
_OF_HUB = text("""
    SELECT id, hub, name, purpose, created_by, created_at, expires_at, revoked_at FROM api_token
    WHERE hub = :hub AND (CAST(:after AS uuid) IS NULL OR id < CAST(:after AS uuid)) ORDER BY id DESC LIMIT :most
""")
_CHECK = text("""
    SELECT id, hub, purpose FROM api_token WHERE hash = :hash AND revoked_at IS NULL AND expires_at > :now
""")


def view_of(row: Any) -> ApiTokenView:
    """A token, ORM object or plain, as the hub's operators see it."""
    return ApiTokenView(
        id=row.id,
        hub=row.hub,
        name=row.name,
        purpose=row.purpose,
        created_by=row.created_by,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


async def of_hub(session: AsyncSession, request: ListApiTokens) -> ApiTokenPage:
    """A page of a hub's tokens, the newest first."""
    try:
        after = None if request.cursor is None else UUID(request.cursor)
    except ValueError:
        raise Invalid("This cursor is not from this list; start again without it.", field="cursor") from None
    rows = (
        await session.execute(_OF_HUB, {"hub": request.hub, "after": after, "most": request.limit + 1})
    ).all()
    items = tuple(view_of(row) for row in rows[: request.limit])
    return ApiTokenPage(items=items, cursor=str(items[-1].id) if len(rows) > request.limit else None)


async def check(session: AsyncSession, request: CheckApiToken, *, now: datetime) -> ApiTokenAccess:
    """What the token is good for; Unauthenticated when it is none, revoked or over."""
    row = (await session.execute(_CHECK, {"hash": bytes.fromhex(request.hash), "now": now})).first()
    if row is None:
        raise refused()
    return ApiTokenAccess(id=row.id, hub=row.hub, purpose=row.purpose)
