"""Requests matching answers about the signed-in person's own profile, its consents, and their organisations'."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from shared.contracts.base import Body, Language, Page, Request, ShownLine, ShownText, Slug, View, described
from shared.contracts.matching.words import ConceptId, Level, OwnerKind, Side, Visibility

MOST_STATEMENTS = 100
"""Offers, and as many needs, one profile may hold: who offers everything is found for nothing."""

Topics = Annotated[tuple[ShownLine, ...], Field(max_length=20)]
Fields = Annotated[tuple[Slug, ...], Field(max_length=10)]
Languages = Annotated[tuple[Language, ...], Field(max_length=10)]


class StatementView(View):
    """One thing somebody offers or needs."""

    concept: ConceptId
    label: str = described("The concept's name in the reader's language.")
    level: Level
    words: str | None = described("In the person's own words.", default=None)
    until: date | None = described("The last day it holds; null: until it is taken back.", default=None)


class ConsentView(View):
    """Whether a hub's people may find the profile."""

    hub: Slug
    given_at: AwareDatetime
    counts: bool = described("False while the person does not belong to the hub.")


class ProfileView(View):
    """A profile as its owner sees it."""

    id: UUID = described("The person's id, or the organisation's.")
    kind: OwnerKind
    name: str | None = described(
        "What an organisation is called; a person's name stands in the directory alone.", default=None
    )
    about: str = described("In their own words.")
    talk_about: tuple[str, ...] = described("What they like to talk about.")
    fields: tuple[Slug, ...] = described("Fields of work.")
    languages: tuple[Language, ...] = described("Languages they can work in.")
    visibility: Visibility
    paused: bool = described("True: no suggestions, to nobody and of nobody.")
    offers: tuple[StatementView, ...]
    needs: tuple[StatementView, ...]
    consents: tuple[ConsentView, ...]
    changed_at: AwareDatetime | None = described("Null before anything has been said.", default=None)
    version: int


class _OfOwner(Request[ProfileView]):
    """About the signed-in person's own profile, or that of an organisation they keep."""

    service = "matching"
    reply = ProfileView

    organisation: UUID | None = described("Null: the person's own.", default=None)
    language: Language | None = None


class GetMyProfile(_OfOwner):
    """The profile with everything it says; empty before anything has been said."""

    operation = "get-my-profile"


class ProfileEdit(Body):
    """What shall be otherwise; what is not named stays."""

    about: ShownText | None = None
    talk_about: Topics | None = None
    fields: Fields | None = None
    languages: Languages | None = None
    visibility: Visibility | None = None
    paused: bool | None = None

    @model_validator(mode="after")
    def _nothing_is_null(self) -> Self:
        said = self.model_fields_set & ProfileEdit.model_fields.keys()
        nothing = [name for name in sorted(said) if getattr(self, name) is None]
        if nothing:
            raise ValueError(f"{nothing[0]} cannot be null; leave it out to keep it")
        return self


class ChangeMyProfile(ProfileEdit, _OfOwner):
    """Say something in general, who may see it, or that there shall be no suggestions."""

    operation = "change-my-profile"
    changes = True

    version: int


class EraseMyProfile(_OfOwner):
    """Everything matching knows of the person or the organisation goes; what is left is an empty profile."""

    operation = "erase-my-profile"
    changes = True


class NewStatement(Body):
    """How well, in which words, until when."""

    level: Level = Level.PRACTISED
    words: ShownLine | None = None
    until: date | None = described("The last day it holds; null: until it is taken back.", default=None)


class _OneStatement(_OfOwner):
    side: Side
    concept: ConceptId


class State(NewStatement, _OneStatement):
    """Offer or need something, or say it otherwise; the same again changes nothing."""

    operation = "state"
    changes = True


class TakeBack(_OneStatement):
    """Offer or need it no longer; twice changes nothing."""

    operation = "take-back"
    changes = True


class _OneConsent(_OfOwner):
    hub: Slug


class GiveConsent(_OneConsent):
    """The hub's people may find the profile, as far as its visibility allows; for hubs one belongs to."""

    operation = "give-consent"
    changes = True


class WithdrawConsent(_OneConsent):
    """They may no longer: at once, everywhere."""

    operation = "withdraw-consent"
    changes = True


class OrganisationPage(Page):
    """Profiles of organisations."""

    items: tuple[ProfileView, ...]


class ListMyOrganisations(Request[OrganisationPage]):
    """Profiles of the organisations the signed-in person keeps."""

    service = "matching"
    operation = "list-my-organisations"
    reply = OrganisationPage

    language: Language | None = None


class NewOrganisation(Body):
    """An organisation whose profile somebody will keep."""

    hub: Slug = described("A hub they belong to, at which the profile is made.")
    name: ShownLine


class MakeOrganisation(NewOrganisation, Request[ProfileView]):
    """Make an organisation's profile and keep it; nobody sees it before consents are given."""

    service = "matching"
    operation = "make-organisation"
    reply = ProfileView
    changes = True
    created = True

    language: Language | None = None
