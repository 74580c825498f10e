"""Requests every service answers for the platform's operator: dead letters and republishing."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.base import Page, Request, View


class DeadLetter(View):
    """A fact that a consumer has given up on, with the reason."""

    id: UUID
    consumer: str
    subject: str
    reason: str
    attempts: int
    failed_at: AwareDatetime
    replayed_at: AwareDatetime | None = None
    body: str | None = None


class DeadLetterPage(Page):
    """Dead letters, newest first."""

    items: tuple[DeadLetter, ...]


class _Operation(Request):  # type: ignore[type-arg]
    """Sent to `rpc.<cell>.<service>.admin.<operation>`; which service is said at the call."""

    service: ClassVar[str] = "*"
    admin = True


class ListDeadLetters(_Operation):
    """What has been given up on and not yet replayed."""

    operation = "dead-letters-list"
    reply = DeadLetterPage

    limit: int = Field(default=50, ge=1, le=200)
    cursor: str | None = None
    replayed: bool = False


class ShowDeadLetter(_Operation):
    """One dead letter with its body."""

    operation = "dead-letters-show"
    reply = DeadLetter

    id: UUID


class ReplayDeadLetter(_Operation):
    """Hand the fact to its consumer once more, now."""

    operation = "dead-letters-replay"
    reply = DeadLetter
    changes = True

    id: UUID


class Republished(View):
    """How many snapshots this chunk put into the outbox."""

    entity: str
    stated: int
    cursor: str | None = None
    """Where to go on; null when everything has been stated."""


class Republish(_Operation):
    """State snapshots of one kind the service owns, a chunk at a time: a long transaction would hold back the relay."""

    operation = "republish"
    reply = Republished
    changes = True

    entity: str = Field(max_length=50)
    cursor: str | None = Field(default=None, max_length=200)
