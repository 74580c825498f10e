"""Requests about erasing a person and its receipt, and about who has looked at a person's data."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.base import Body, Line, Page, Plain, Request, Slug, View, described
from shared.contracts.forgetting import Told

Number = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{32}$")]
"""The number of an erasure: 192 bits that nobody can guess; only its hash is kept."""


class Confirmation(Body):
    """That one really wants it."""

    confirmation: Number | None = described(
        "The number the first answer gave; without it nothing is erased.", default=None
    )


class ErasureStep(View):
    """What was asked for, and the number it goes by: it confirms the erasure, and is the receipt's afterwards."""

    number: Number
    confirmed: bool = described("False while it waits to be confirmed, with nothing erased.")
    confirm_by: AwareDatetime | None = described("Until when the number confirms.", default=None)


class EraseMe(Confirmation, Request[ErasureStep]):
    """Be erased: asked once it answers with a number, asked again with that number it is done, at once and for good."""

    service = "directory"
    operation = "erase-me"
    reply = ErasureStep
    changes = True


class ServiceReceipt(View):
    """What one service says it has forgotten."""

    service: Slug
    answered_at: AwareDatetime | None = described("Null while it has not answered.", default=None)
    told: tuple[Told, ...] = ()


class Receipt(View):
    """What became of everything that was held of a person. It names nobody."""

    erased_at: AwareDatetime
    complete: bool = described("True when every service has answered.")
    completed_at: AwareDatetime | None = None
    services: tuple[ServiceReceipt, ...]


class GetReceipt(Request[Receipt]):
    """The receipt of an erasure, for whoever has its number."""

    service = "directory"
    operation = "get-receipt"
    reply = Receipt

    number: Number


class OpenErasure(View):
    """An erasure that some services have not answered yet."""

    person: UUID
    erased_at: AwareDatetime
    waiting_for: tuple[Slug, ...]


class OpenErasures(View):
    """The oldest first."""

    items: tuple[OpenErasure, ...]


class ListOpenErasures(Request[OpenErasures]):
    """Which erasures are not complete, and who has not answered."""

    service = "directory"
    operation = "list-open-erasures"
    reply = OpenErasures
    admin = True

    limit: int = Field(default=50, ge=1, le=200)


class ErasePerson(Request[ErasureStep]):
    """Erase somebody who cannot ask here: a guest, or who has written a letter."""

    service = "directory"
    operation = "erase-person"
    reply = ErasureStep
    changes = True
    admin = True

    person: UUID


class Erased(View):
    """An erasure as it is noted outside the databases, so that a backup brings nobody back."""

    person: UUID
    erased_at: AwareDatetime
    receipt: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] = described(
        "Hash of the receipt's number, hexadecimal: with it the number goes on being good."
    )


class ErasedPage(View):
    """The oldest first."""

    items: tuple[Erased, ...]


class ListErased(Request[ErasedPage]):
    """Who has been erased in the last 400 days, for a list that no backup takes back; after the last one that is known."""

    service = "directory"
    operation = "list-erased"
    reply = ErasedPage
    admin = True

    since: AwareDatetime | None = described("Erased then or later; null for all.", default=None)
    after: UUID | None = described("Of those erased at `since`, only people after this one.", default=None)
    limit: int = Field(default=500, ge=1, le=500)


class ErasedAgain(View):
    """What has been done about people who were erased before."""

    here: int = described("So many were here again, and are not any more.")


class EraseAgain(Request[ErasedAgain]):
    """After a backup was brought back: erase again whom it brought back, under their old receipts. It may be repeated."""

    service = "directory"
    operation = "erase-again"
    reply = ErasedAgain
    changes = True
    admin = True

    people: tuple[Erased, ...] = Field(max_length=100)


class LookView(View):
    """Somebody was shown the person's name or address, once or more within an hour."""

    hour: AwareDatetime = described("The hour it was in, UTC.")
    hub: Slug
    what: Slug = described(
        "Where: `sign-ups`, `introductions`, `members`, `contacts` with the address, too, or `hub-export`: all the hub "
        "knows of its people was written out."
    )
    role: Slug = described(
        "What they were in the hub then; `none` for somebody without a role there, `platform` for who runs Foci."
    )
    viewer: UUID
    viewer_name: Line | None = described(
        "As they are called now; null when they are here no more, and for who runs Foci.", default=None
    )


class LookPage(Page):
    """Newest first."""

    items: tuple[LookView, ...]


class ListMyLooks(Request[LookPage]):
    """Who was shown the name or address of the person who asks, in the last year."""

    service = "directory"
    operation = "list-my-looks"
    reply = LookPage

    limit: int = Field(default=50, ge=1, le=200)
    cursor: Annotated[Plain, StringConstraints(max_length=100)] | None = None
