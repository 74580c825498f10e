"""Requests every service answers for the platform's operator: dead letters and republishing."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.base import Page, Request, Slug, View


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


class HubEntity(View):
    """One kind of thing a service keeps for a hub, and how many there are."""

    entity: str
    count: int
    fields: tuple[str, ...]
    key: tuple[str, ...]
    says: str
    passing: bool = False
    """Whether it goes by itself, as a timer does."""


class HubInventory(View):
    """What a service keeps for a hub, in the order in which it can be taken in elsewhere."""

    items: tuple[HubEntity, ...]
    mark: int
    """A digest of everything of it that lasts: the same before and after means that what was read between is as of one moment,
    unless something changed and changed back."""


class TakeInventory(_Operation):
    """What the service keeps for a hub."""

    operation = "hub-inventory"
    reply = HubInventory

    hub: Slug


class HubRows(View):
    """Some of what a service keeps for a hub."""

    entity: str
    rows: tuple[dict[str, Any], ...]
    cursor: tuple[str, ...] | None = None
    """Where to go on; null when this is all."""


class ExportHub(_Operation):
    """Things of one kind that the hub owns, a page at a time, in the order of their keys.

    An order: whose name goes out is told so, in the log of who looked at their data.
    """

    operation = "hub-export"
    reply = HubRows
    changes = True

    hub: Slug
    entity: str = Field(max_length=50)
    cursor: tuple[Annotated[str, Field(max_length=200)], ...] | None = None
    people: tuple[UUID, ...] = Field(default=(), max_length=200)
    """Whom it is about, where the service that is asked does not know who has to do with the hub: guests."""


class HubImported(View):
    """What became of some rows."""

    entity: str
    written: int
    same: int
    """Were there already, just so."""


class ImportHub(_Operation):
    """Take in things of a hub that comes from another cell; refused whole when one is there and different.

    With `only_look` nothing is written: it says whether it would be refused.
    """

    operation = "hub-import"
    reply = HubImported
    changes = True

    hub: Slug
    entity: str = Field(max_length=50)
    rows: tuple[dict[str, Any], ...] = Field(max_length=500)
    only_look: bool = False


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
