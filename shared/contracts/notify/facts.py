"""Facts of notify."""

from __future__ import annotations

from uuid import UUID

from shared.contracts.base import Audience, Fact
from shared.contracts.forgetting import PersonForgotten
from shared.contracts.notify.words import Pausing


class WebhookPausedV1(Fact):
    """A webhook is not sent to any more, until an operator makes it active again. `subject` is the webhook's id."""

    service = "notify"
    fact = "webhook-paused"
    audience = Audience.OPERATORS

    webhook: UUID
    because: Pausing


class WebhookResumedV1(Fact):
    """A webhook is sent to again. `subject` is the webhook's id."""

    service = "notify"
    fact = "webhook-resumed"
    audience = Audience.OPERATORS

    webhook: UUID


class RecipientForgottenV1(PersonForgotten):
    """Choices, notices and messages are gone. `subject` is the person."""

    service = "notify"
    fact = "recipient-forgotten"
