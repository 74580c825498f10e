"""Requests notify answers about a hub's webhooks."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.base import Body, Line, Page, Plain, Request, Slug, View, described
from shared.contracts.notify.words import DeliveryState, WebhookState

TargetUrl = Annotated[Plain, StringConstraints(min_length=8, max_length=2000)]
FactType = Annotated[
    str,
    StringConstraints(pattern=r"^foci\.[a-z]+\.[a-z-]+\.v[0-9]+$", max_length=100),
    Field(examples=["foci.booking.booking-cancelled.v1"]),
]
"""A CloudEvents type: `foci.<service>.<fact>.v<version>`; the catalogue is in the AsyncAPI document."""


class WebhookView(View):
    """A hub's webhook, as its operators see it."""

    id: UUID
    hub: Slug
    url: str
    name: str | None = None
    types: tuple[str, ...] = described("Fact types it is sent; empty for all it may have.")
    state: WebhookState
    because: str | None = described("Why it is not active.", default=None)
    created_at: AwareDatetime
    failing_since: AwareDatetime | None = described("Since when no delivery has succeeded.", default=None)
    version: int


class WebhookSecretView(WebhookView):
    """The same with the secret that deliveries are signed with (Standard Webhooks, `whsec_…`)."""

    secret: str
    previous_until: AwareDatetime | None = described(
        "Until then deliveries carry a signature with the secret before this one as well.", default=None
    )


class WebhookPage(Page):
    """A hub's webhooks."""

    items: tuple[WebhookView, ...]


class NewWebhook(Body):
    """Where to send what."""

    url: TargetUrl = described("https, on the public internet.")
    name: Line | None = None
    types: tuple[FactType, ...] = Field(default=(), max_length=100)


class AddWebhook(NewWebhook, Request[WebhookSecretView]):
    """A hub's operators have their system told."""

    service = "notify"
    operation = "add-webhook"
    reply = WebhookSecretView
    changes = True
    created = True

    hub: Slug


class ListWebhooks(Request[WebhookPage]):
    """A hub's webhooks."""

    service = "notify"
    operation = "list-webhooks"
    reply = WebhookPage

    hub: Slug
    limit: int = Field(default=50, ge=1, le=100)
    cursor: Plain | None = Field(default=None, max_length=100)


class _OneWebhook(Request[WebhookView]):
    service = "notify"
    reply = WebhookView

    hub: Slug
    webhook: UUID


class GetWebhook(_OneWebhook):
    """One webhook."""

    operation = "get-webhook"


class WebhookChange(Body):
    """What shall be otherwise; what is not named stays."""

    url: TargetUrl | None = None
    name: Line | None = None
    types: tuple[FactType, ...] | None = Field(default=None, max_length=100)
    active: bool | None = described("False pauses it, true makes it active again.", default=None)


class ChangeWebhook(WebhookChange, _OneWebhook):
    """Change, pause or resume a webhook."""

    operation = "change-webhook"
    changes = True

    version: int


class RemoveWebhook(_OneWebhook):
    """Nothing is sent any more, and the log of deliveries goes with it."""

    operation = "remove-webhook"
    changes = True


class RotateSecret(Request[WebhookSecretView]):
    """A new secret; for 24 hours deliveries are signed with both."""

    service = "notify"
    operation = "rotate-webhook-secret"
    reply = WebhookSecretView
    changes = True

    hub: Slug
    webhook: UUID


class DeliveryView(View):
    """What became of one message to a webhook."""

    id: UUID = described("Its `webhook-id` is this one's too, however often it is sent.")
    type: str
    fact: UUID
    state: DeliveryState
    attempts: int
    created_at: AwareDatetime
    next_at: AwareDatetime | None = described("When it is tried again.", default=None)
    last_at: AwareDatetime | None = None
    last_status: int | None = described("HTTP status of the last answer.", default=None)
    last_ms: int | None = described("Milliseconds the last answer took.", default=None)
    last_problem: str | None = described("Why the last try failed, for the operator.", default=None)
    body: str | None = described(
        "What is sent, as it is signed; only when one delivery is asked for.", default=None
    )


class TryWebhook(Request[DeliveryView]):
    """Send a small message of type `foci.notify.test.v1` now."""

    service = "notify"
    operation = "try-webhook"
    reply = DeliveryView
    changes = True
    created = True

    hub: Slug
    webhook: UUID


class DeliveryPage(Page):
    """A webhook's deliveries, newest first; kept for 30 days."""

    items: tuple[DeliveryView, ...]


class ListDeliveries(Request[DeliveryPage]):
    """A webhook's deliveries."""

    service = "notify"
    operation = "list-deliveries"
    reply = DeliveryPage

    hub: Slug
    webhook: UUID
    state: DeliveryState | None = None
    limit: int = Field(default=50, ge=1, le=100)
    cursor: Plain | None = Field(default=None, max_length=100)


class _OneDelivery(Request[DeliveryView]):
    service = "notify"
    reply = DeliveryView

    hub: Slug
    webhook: UUID
    delivery: UUID


class GetDelivery(_OneDelivery):
    """One delivery with its body."""

    operation = "get-delivery"


class Redeliver(_OneDelivery):
    """Send it once more now, with the same `webhook-id`."""

    operation = "redeliver"
    changes = True
