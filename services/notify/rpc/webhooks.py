"""Requests in about a hub's webhooks and their deliveries: its operators' alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from services.notify.channels.http import Outside
from services.notify.commands import deliveries, webhooks
from services.notify.queries import webhooks as queries
from services.notify.rules.signing import secret_of
from services.notify.tables import Webhook
from shared.contracts.base import Request
from shared.contracts.directory.words import OPERATORS
from shared.contracts.notify.webhooks import (
    AddWebhook,
    ChangeWebhook,
    DeliveryPage,
    DeliveryView,
    GetDelivery,
    GetWebhook,
    ListDeliveries,
    ListWebhooks,
    Redeliver,
    RemoveWebhook,
    RotateSecret,
    TryWebhook,
    WebhookPage,
    WebhookSecretView,
    WebhookView,
)
from shared.kit.database import Database
from shared.kit.idempotency import Answer
from shared.kit.ids import Ids
from shared.kit.principal import Principal, require_role
from shared.kit.rpc import Call, Direct, Handler, carry_out

Handlers = Mapping[type[Request[Any]], Handler]


def _operator(call: Call, hub: str) -> Principal:
    return require_role(call.principal, hub, OPERATORS, "Running a hub's webhooks")


def handlers(outside: Outside, ids: Ids) -> Handlers:
    """Everything about webhooks that is answered without a secret."""
    return {**_questions(), **_orders(outside, ids), **_about_deliveries(ids)}


def _questions() -> Handlers:
    async def list_webhooks(session: AsyncSession, request: ListWebhooks, call: Call) -> WebhookPage:
        _operator(call, request.hub)
        return await queries.list_webhooks(session, request)

    async def get_webhook(session: AsyncSession, request: GetWebhook, call: Call) -> WebhookView:
        _operator(call, request.hub)
        return await queries.get_webhook(session, request.hub, request.webhook)

    async def list_deliveries(session: AsyncSession, request: ListDeliveries, call: Call) -> DeliveryPage:
        _operator(call, request.hub)
        return await queries.list_deliveries(session, request)

    async def get_delivery(session: AsyncSession, request: GetDelivery, call: Call) -> DeliveryView:
        _operator(call, request.hub)
        return await queries.get_delivery(session, request.hub, request.webhook, request.delivery)

    return {
        ListWebhooks: list_webhooks,
        GetWebhook: get_webhook,
        ListDeliveries: list_deliveries,
        GetDelivery: get_delivery,
    }


def _orders(outside: Outside, ids: Ids) -> Handlers:
    async def change(session: AsyncSession, request: ChangeWebhook, call: Call) -> WebhookView:
        _operator(call, request.hub)
        url = None if request.url is None else (await outside.look_at(request.url)).url
        return queries.view_of(await webhooks.change(session, request, url, now=call.now, ids=ids))

    async def remove(session: AsyncSession, request: RemoveWebhook, call: Call) -> WebhookView:
        _operator(call, request.hub)
        return queries.view_of(await webhooks.remove(session, request.hub, request.webhook))

    return {ChangeWebhook: change, RemoveWebhook: remove}


class _Kept(WebhookView):
    """An answer as it is kept for a repeat of the order: which secret, not the secret."""

    generation: int
    previous_until: datetime | None


def _kept(webhook: Webhook, now: datetime) -> _Kept:
    until = webhook.previous_until
    return _Kept(
        **queries.view_of(webhook).model_dump(),
        generation=webhook.generation,
        previous_until=until if until is not None and until > now else None,
    )


def secret_handlers(
    database: Database, outside: Outside, key: str, ids: Ids
) -> Mapping[type[Request[Any]], Direct]:
    """What is answered with a secret: it is put into the answer on its way out, so that no table ever holds it."""

    async def add(session: AsyncSession, request: AddWebhook, call: Call) -> _Kept:
        who = _operator(call, request.hub)
        target = await outside.look_at(request.url)
        made = await webhooks.add(session, request, target.url, by=who.person, now=call.now, ids=ids)
        return _kept(made, call.now)

    async def rotate(session: AsyncSession, request: RotateSecret, call: Call) -> _Kept:
        _operator(call, request.hub)
        return _kept(await webhooks.rotate(session, request.hub, request.webhook, now=call.now), call.now)

    def with_secret(handler: Handler) -> Direct:
        async def answer(request: Request[Any], call: Call) -> Answer:
            kept = await carry_out(database, handler, request, call)
            return kept if kept.status >= 400 else replace(kept, body=_told(kept.body, key))

        return answer

    return {AddWebhook: with_secret(add), RotateSecret: with_secret(rotate)}


def _told(kept: str, key: str) -> str:
    made = _Kept.model_validate_json(kept)
    secret = secret_of(key, made.id, made.generation)
    return WebhookSecretView(**made.model_dump(exclude={"generation"}), secret=secret).model_dump_json()


def _about_deliveries(ids: Ids) -> Handlers:
    async def try_out(session: AsyncSession, request: TryWebhook, call: Call) -> DeliveryView:
        _operator(call, request.hub)
        await webhooks.load_active(session, request.hub, request.webhook)
        made = await deliveries.try_out(session, request.hub, request.webhook, now=call.now, ids=ids)
        return await queries.get_delivery(session, request.hub, request.webhook, made)

    async def redeliver(session: AsyncSession, request: Redeliver, call: Call) -> DeliveryView:
        _operator(call, request.hub)
        await webhooks.load_active(session, request.hub, request.webhook)
        named = (request.hub, request.webhook, request.delivery)
        await deliveries.redeliver(session, *named, now=call.now)
        return await queries.get_delivery(session, *named)

    return {TryWebhook: try_out, Redeliver: redeliver}
