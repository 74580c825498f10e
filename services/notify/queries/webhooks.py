"""Reading webhooks and what became of their messages, for a hub's operators."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.tables import Webhook
from shared.contracts.notify.webhooks import (
    DeliveryPage,
    DeliveryView,
    ListDeliveries,
    ListWebhooks,
    WebhookPage,
    WebhookView,
)
from shared.kit.errors import Invalid, NotFound

# ruff: noqa: S608  # the statements are put together from constants

_WEBHOOK = "id, hub, url, name, types, state, because, created_at, failing_since, version"
_ONE = text(f"SELECT {_WEBHOOK} FROM webhook WHERE id = :webhook AND hub = :hub")
_PAGE = text(f"SELECT {_WEBHOOK} FROM webhook WHERE hub = :hub AND id > :after ORDER BY id LIMIT :limit")
_DELIVERY = """
    id, type, fact, state, attempts, created_at, due_at, last_at, last_status, last_ms, last_problem
"""
_LOG = text(f"""
    SELECT w.id AS webhook, d.* FROM webhook w LEFT JOIN LATERAL (
        SELECT {_DELIVERY} FROM delivery
        WHERE webhook = w.id AND id < :before AND (CAST(:state AS text) IS NULL OR state = :state)
        ORDER BY id DESC LIMIT :limit
    ) d ON true
    WHERE w.id = :webhook AND w.hub = :hub
""")
_ONE_DELIVERY = text(
    f"SELECT {_DELIVERY}, body FROM delivery WHERE id = :delivery AND webhook = :webhook AND hub = :hub"
)
_LISTENING = text("SELECT DISTINCT hub FROM webhook WHERE hub = ANY(:hubs) AND state = 'active'")
_FIRST = UUID(int=0)
_LAST = UUID(int=2**128 - 1)


def view_of(row: Webhook | Any) -> WebhookView:
    """A webhook, row or object; its secret is no part of it."""
    return WebhookView(
        id=row.id,
        hub=row.hub,
        url=row.url,
        name=row.name,
        types=tuple(row.types),
        state=row.state,
        because=row.because,
        created_at=row.created_at,
        failing_since=row.failing_since,
        version=row.version,
    )


async def listening(session: AsyncSession, hubs: Collection[str]) -> set[str]:
    """Those of the hubs that have a webhook which is sent to."""
    return set((await session.execute(_LISTENING, {"hubs": sorted(hubs)})).scalars())


async def list_webhooks(session: AsyncSession, request: ListWebhooks) -> WebhookPage:
    """The hub's webhooks, in the order they were made."""
    asked = {"hub": request.hub, "after": _place(request.cursor, _FIRST), "limit": request.limit + 1}
    rows = (await session.execute(_PAGE, asked)).all()
    items = tuple(view_of(row) for row in rows[: request.limit])
    return WebhookPage(items=items, cursor=str(items[-1].id) if len(rows) > request.limit else None)


async def get_webhook(session: AsyncSession, hub: str, webhook: UUID) -> WebhookView:
    """One of the hub's webhooks; NotFound."""
    row = (await session.execute(_ONE, {"hub": hub, "webhook": webhook})).first()
    if row is None:
        raise NotFound(f"There is no webhook {webhook} here.")
    return view_of(row)


async def list_deliveries(session: AsyncSession, request: ListDeliveries) -> DeliveryPage:
    """A webhook's messages, newest first; NotFound when the hub has no such webhook."""
    asked = {
        "hub": request.hub,
        "webhook": request.webhook,
        "state": request.state,
        "before": _place(request.cursor, _LAST),
        "limit": request.limit + 1,
    }
    rows = (await session.execute(_LOG, asked)).all()
    if not rows:
        raise NotFound(f"There is no webhook {request.webhook} here.")
    there = [row for row in rows if row.id is not None]  # one row of nothing when it has no messages
    items = tuple(_delivery_of(row) for row in there[: request.limit])
    return DeliveryPage(items=items, cursor=str(items[-1].id) if len(there) > request.limit else None)


async def get_delivery(session: AsyncSession, hub: str, webhook: UUID, delivery: UUID) -> DeliveryView:
    """One message with its body; NotFound."""
    asked = {"hub": hub, "webhook": webhook, "delivery": delivery}
    row = (await session.execute(_ONE_DELIVERY, asked)).first()
    if row is None:
        raise NotFound(f"There is no delivery {delivery} here.")
    return _delivery_of(row, body=row.body)


def _delivery_of(row: Any, body: str | None = None) -> DeliveryView:
    return DeliveryView(
        id=row.id,
        type=row.type,
        fact=row.fact,
        state=row.state,
        attempts=row.attempts,
        created_at=row.created_at,
        next_at=row.due_at,
        last_at=row.last_at,
        last_status=row.last_status,
        last_ms=row.last_ms,
        last_problem=row.last_problem,
        body=body,
    )


def _place(cursor: str | None, start: UUID) -> UUID:
    try:
        return start if cursor is None else UUID(cursor)
    except ValueError:
        raise Invalid("This cursor is not one of ours; start again without it.", field="cursor") from None
