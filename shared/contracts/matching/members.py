"""Requests matching answers about the members of a hub: who says what of themselves, as far as they allow it."""

from __future__ import annotations

from uuid import UUID

from pydantic import Field

from shared.contracts.base import Language, Page, Plain, Request, Slug, View, described
from shared.contracts.matching.profiles import StatementView
from shared.contracts.matching.words import OwnerKind


class MemberView(View):
    """What somebody lets the people of a hub read; who they are only after an introduction."""

    match: UUID = described("By this id one asks to be introduced; it is another for everybody who asks.")
    kind: OwnerKind
    named: bool = described("True for those one has been introduced to, and for organisations.")
    person: UUID | None = described("Their id, once named.", default=None)
    name: str | None = described("Their name, once named.", default=None)
    about: str
    talk_about: tuple[str, ...]
    fields: tuple[Slug, ...]
    languages: tuple[Language, ...]
    offers: tuple[StatementView, ...]
    needs: tuple[StatementView, ...]


class MemberPage(Page):
    """Those who fit best first; without a text in an order that is the same every time and means nothing."""

    items: tuple[MemberView, ...]


class SearchMembers(Request[MemberPage]):
    """Members of the hub by what they say of themselves, but oneself; for those who belong to the hub."""

    service = "matching"
    operation = "search-members"
    reply = MemberPage

    hub: Slug
    text: Plain | None = described(
        "All of its words must be found, whole, inflected or inside others.", default=None, max_length=100
    )
    language: Language | None = described("Of the words; null: all there are rules for.", default=None)
    shown_in: Language | None = described("In which language skills are named.", default=None)
    limit: int = Field(default=50, ge=1, le=100)
    cursor: Plain | None = Field(default=None, max_length=200)
