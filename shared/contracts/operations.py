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


class Mended(View):
    """How far mending has come, and what this chunk found."""

    forgotten: int
    """Facts the world was told and this database does not know."""
    mended: int
    """Entities stated again as they are, or as gone."""
    cursor: int | None = None
    """Where to go on; null when everything has been looked at."""


class Mend(_Operation):
    """Mend what is apart after this service's database went back in time, a chunk of its stream at a time.

    What was stated and is forgotten is stated again as it is now, with versions after those the world has heard; and the
    service hears again what others stated. With nothing forgotten only the latter is done.
    """

    operation = "mend"
    reply = Mended
    changes = True

    cursor: int | None = Field(default=None, ge=0)
