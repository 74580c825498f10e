"""Facts of notify."""

from __future__ import annotations

from uuid import UUID

from shared.contracts.base import Audience, Fact, described


class WebhookPausedV1(Fact):
    """A webhook is not sent to any more, until an operator makes it active again. `subject` is the webhook's id."""

    service = "notify"
    fact = "webhook-paused"
    audience = Audience.OPERATORS

    webhook: UUID
    because: str = described(
        "A word: `by-operator`, `failing` for 24 hours, or `gone` (the target said 410)."
    )


class WebhookResumedV1(Fact):
    """A webhook is sent to again. `subject` is the webhook's id."""

    service = "notify"
    fact = "webhook-resumed"
    audience = Audience.OPERATORS

    webhook: UUID
