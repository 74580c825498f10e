"""Forgetting a person: what every service answers when directory has stated that somebody is erased."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Audience, Fact, Slug, View, described


class Deed(StrEnum):
    """What became of something that was held of a person."""

    ERASED = "erased"
    ANONYMISED = "anonymised"
    KEPT = "kept"


class Told(View):
    """What became of one kind of thing a service held of a person."""

    what: Slug = described("The kind of thing, for example `bookings`.")
    deed: Deed
    count: int | None = Field(
        default=None, ge=0, description="How many of them; null where that is not counted."
    )
    because: Slug | None = described("Why it was kept, as a word docs/erasure.md explains.", default=None)


class PersonForgotten(Fact):
    """Base of the services' answers: the service holds nothing of the person any more but what it says it kept.

    A service may answer more than once, when something of the person was still on its way: what it says adds up.
    """

    audience = Audience.PERSONS

    person: UUID
    erased: dict[Slug, int] = described("How many of each kind are gone.", default={})
    anonymised: dict[Slug, int] = described("How many of each kind go on with nobody in them.", default={})
    kept: dict[Slug, Slug] = described(
        "What is kept, with a word for why; docs/erasure.md explains.", default={}
    )

    @property
    def told(self) -> tuple[Told, ...]:
        """The same, a line for each kind."""
        return (
            *(Told(what=what, deed=Deed.ERASED, count=count) for what, count in self.erased.items()),
            *(Told(what=what, deed=Deed.ANONYMISED, count=count) for what, count in self.anonymised.items()),
            *(Told(what=what, deed=Deed.KEPT, because=why) for what, why in self.kept.items()),
        )
