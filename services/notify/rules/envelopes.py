"""A fact as a webhook is sent it: a CloudEvents 1.0 message that names nobody it must not."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from shared.contracts.audiences import kept_back, type_of
from shared.contracts.base import Fact
from shared.contracts.catalogue import FACTS
from shared.contracts.streams import HANDED_ON
from shared.kit.envelopes import fact_message, message

LARGEST_BODY = 256 * 1024
"""Bytes of a message; no fact comes near, and a receiver may count on it."""
TEST_TYPE = "foci.notify.test.v1"


def handed_on_types() -> frozenset[str]:
    """Every type a webhook can be sent, the test message aside."""
    return frozenset(type_of(fact) for service in FACTS for fact in HANDED_ON[service])


def body_of(fact: Fact) -> str:
    """The message that tells of a fact: the fact's id is the message's, so the same fact is the same message."""
    return fact_message(fact, kept_back(type(fact)))


def trial_body(id: UUID, hub: str, webhook: UUID, now: datetime) -> str:
    """The message an operator tries a webhook with."""
    return message(
        id=id,
        source=f"/hubs/{hub}/notify",
        type=TEST_TYPE,
        subject=str(webhook),
        time=now,
        data={"hub": hub, "webhook": webhook},
    )


def is_too_large(body: str) -> bool:
    """Whether a message is beyond what is sent."""
    return len(body) > LARGEST_BODY // 4 and len(body.encode()) > LARGEST_BODY
