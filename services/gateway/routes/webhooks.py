"""`/v1/hubs/{hub}/webhooks`: a hub's operators have their own systems told, and see what became of it."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, Listing, refusals
from services.gateway.responses import answer, expected_version, id_in, listing
from services.gateway.routes.parts import (
    SIGN_IN,
    Ask,
    Base,
    Cursor,
    Few,
    HubId,
    IdempotencyKey,
    IfMatch,
    Somebody,
    StrictRoute,
)
from shared.contracts.notify.webhooks import (
    AddWebhook,
    ChangeWebhook,
    DeliveryView,
    GetDelivery,
    GetWebhook,
    ListDeliveries,
    ListWebhooks,
    NewWebhook,
    Redeliver,
    RemoveWebhook,
    RotateSecret,
    TryWebhook,
    WebhookChange,
    WebhookSecretView,
    WebhookView,
)
from shared.contracts.notify.words import DeliveryState

router = APIRouter(
    route_class=StrictRoute, prefix="/v1/hubs/{hub}/webhooks", tags=["webhooks"], dependencies=SIGN_IN
)

WebhookId = Annotated[UUID, Path(description="The webhook's id.")]
DeliveryId = Annotated[UUID, Path(description="The delivery's id.")]


@router.get("", response_model=Listing[WebhookView], responses=NOT_MODIFIED | refusals(403))
async def list_webhooks(
    request: Request,
    ask: Ask,
    base: Base,
    person: Somebody,
    hub: HubId,
    limit: Few = 50,
    cursor: Cursor = None,
) -> Response:
    """The hub's webhooks, without their secrets. For operators and admins, like everything about webhooks."""
    wanted = ListWebhooks(hub=hub, limit=limit, cursor=cursor)
    return listing(request, await ask.ask_in(hub, wanted, person=person), base)


@router.post("", status_code=201, response_model=WebhookSecretView, responses=refusals(403, 409))
async def add_webhook(request: Request, ask: Ask, person: Somebody, hub: HubId, body: NewWebhook) -> Response:
    """Have a system told what happens in the hub; the answer shows the secret its deliveries are signed with.

    It takes no Idempotency-Key: answers under keys are kept for a day, and a secret is not to be kept.
    """
    given = {name: getattr(body, name) for name in body.model_fields_set}
    reply = await ask.ask_in(hub, AddWebhook(hub=hub, **given), person=person)
    return answer(request, reply, location=f"/v1/hubs/{hub}/webhooks/{id_in(reply)}")


@router.get("/{webhook}", response_model=WebhookView, responses=NOT_MODIFIED | refusals(403))
async def get_webhook(
    request: Request, ask: Ask, person: Somebody, hub: HubId, webhook: WebhookId
) -> Response:
    """One webhook, and why it is not active if it is not."""
    wanted = GetWebhook(hub=hub, webhook=webhook)
    return answer(request, await ask.ask_in(hub, wanted, person=person), counted=True)


@router.patch("/{webhook}", response_model=WebhookView, responses=refusals(403, 409, 412, 428))
async def change_webhook(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    webhook: WebhookId,
    body: WebhookChange,
    if_match: IfMatch = None,
) -> Response:
    """Change its target or what it is sent; `active` pauses and resumes it."""
    changes = {name: getattr(body, name) for name in body.model_fields_set}
    wanted = ChangeWebhook(hub=hub, webhook=webhook, version=expected_version(if_match), **changes)
    return answer(request, await ask.ask_in(hub, wanted, person=person), counted=True)


@router.delete("/{webhook}", response_model=WebhookView, responses=refusals(403))
async def remove_webhook(
    request: Request, ask: Ask, person: Somebody, hub: HubId, webhook: WebhookId
) -> Response:
    """Send it nothing any more; the log of its deliveries goes with it."""
    wanted = RemoveWebhook(hub=hub, webhook=webhook)
    return answer(request, await ask.ask_in(hub, wanted, person=person))


@router.post("/{webhook}/rotate-secret", response_model=WebhookSecretView, responses=refusals(403))
async def rotate_webhook_secret(
    request: Request, ask: Ask, person: Somebody, hub: HubId, webhook: WebhookId
) -> Response:
    """A new secret, shown this once; for 24 hours deliveries are signed with the one before as well.

    It takes no Idempotency-Key: answers under keys are kept for a day, and a secret is not to be kept.
    """
    wanted = RotateSecret(hub=hub, webhook=webhook)
    return answer(request, await ask.ask_in(hub, wanted, person=person))


@router.post("/{webhook}/test", status_code=201, response_model=DeliveryView, responses=refusals(403, 409))
async def try_webhook(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    webhook: WebhookId,
    key: IdempotencyKey = None,
) -> Response:
    """Send it a small message of type `foci.notify.test.v1`; what became of that stands where `Location` says."""
    wanted = TryWebhook(hub=hub, webhook=webhook)
    reply = await ask.ask_in(hub, wanted, person=person, key=key)
    return answer(request, reply, location=f"/v1/hubs/{hub}/webhooks/{webhook}/deliveries/{id_in(reply)}")


@router.get(
    "/{webhook}/deliveries", response_model=Listing[DeliveryView], responses=NOT_MODIFIED | refusals(403)
)
async def list_deliveries(
    request: Request,
    ask: Ask,
    base: Base,
    person: Somebody,
    hub: HubId,
    webhook: WebhookId,
    state: DeliveryState | None = None,
    limit: Few = 50,
    cursor: Cursor = None,
) -> Response:
    """What was sent in the last 30 days and what became of it, newest first."""
    wanted = ListDeliveries(hub=hub, webhook=webhook, state=state, limit=limit, cursor=cursor)
    return listing(request, await ask.ask_in(hub, wanted, person=person), base)


@router.get(
    "/{webhook}/deliveries/{delivery}", response_model=DeliveryView, responses=NOT_MODIFIED | refusals(403)
)
async def get_delivery(
    request: Request, ask: Ask, person: Somebody, hub: HubId, webhook: WebhookId, delivery: DeliveryId
) -> Response:
    """One delivery with its body, as it was signed."""
    wanted = GetDelivery(hub=hub, webhook=webhook, delivery=delivery)
    return answer(request, await ask.ask_in(hub, wanted, person=person))


@router.post(
    "/{webhook}/deliveries/{delivery}/redeliver",
    response_model=DeliveryView,
    responses=refusals(403, 409),
)
async def redeliver(
    request: Request,
    ask: Ask,
    person: Somebody,
    hub: HubId,
    webhook: WebhookId,
    delivery: DeliveryId,
    key: IdempotencyKey = None,
) -> Response:
    """Send it once more, with the same `webhook-id`: a receiver that had it already can tell."""
    wanted = Redeliver(hub=hub, webhook=webhook, delivery=delivery)
    return answer(request, await ask.ask_in(hub, wanted, person=person, key=key))
