"""Requests matching answers about introductions: asking to meet, answering, having met, what came of it."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.contracts.base import Body, Language, Page, Plain, Request, Slug, View, described
from shared.contracts.matching.words import Outcome, Reply


class Standing(StrEnum):
    """How an introduction stands, as far as the two are told."""

    SUGGESTED = "suggested"
    AGREED = "agreed"
    """Both said yes; each is shown the other's name."""
    MET = "met"
    CLOSED = "closed"
    """Somebody said what came of it."""
    OVER = "over"
    """It did not come about. Whether somebody said no, nobody answered or somebody went is nobody's to know."""


class AskedBy(StrEnum):
    """Who wanted it."""

    ME = "me"
    OTHER = "other"
    HOST = "host"


class IntroductionView(View):
    """An introduction as one of the two sees it. What the other has said is not part of it."""

    id: UUID
    hub: Slug
    status: Standing
    asked_by: AskedBy
    i_said: Reply | None = None
    named: bool = described("True from both yeses on: only then is the other's name told.")
    person: UUID | None = described("The other's id, once named.", default=None)
    name: str | None = described("The other's name, once named.", default=None)
    reasons: tuple[str, ...] = described("Why, in the reader's language, by what both say now.", default=())
    lapses_at: AwareDatetime | None = described("Until when both may say yes.", default=None)
    met_at: AwareDatetime | None = None
    outcome: Outcome | None = described("What the one who asks said came of it.", default=None)
    created_at: AwareDatetime
    version: int


class IntroductionPage(Page):
    """The signed-in person's introductions, newest first."""

    items: tuple[IntroductionView, ...]


class ListMyIntroductions(Request[IntroductionPage]):
    """The introductions the signed-in person is one of the two of."""

    service = "matching"
    operation = "list-my-introductions"
    reply = IntroductionPage

    status: tuple[Standing, ...] = Field(default=(), max_length=5)
    language: Language | None = None
    limit: int = Field(default=50, ge=1, le=100)
    cursor: Plain | None = Field(default=None, max_length=200)


class _OfMine(Request[IntroductionView]):
    service = "matching"
    reply = IntroductionView

    language: Language | None = None


class _OneOfMine(_OfMine):
    introduction: UUID


class GetMyIntroduction(_OneOfMine):
    """One introduction, for the two of it."""

    operation = "get-my-introduction"


class NewIntroduction(Body):
    """Whom to meet: somebody by the id they have among one's matches, or in the search of a hub's members."""

    match: UUID


class AskIntroduction(NewIntroduction, _OfMine):
    """Ask to meet somebody: the asker's yes is said with it, and the other is asked."""

    operation = "ask-introduction"
    changes = True
    created = True


class IntroductionReply(Body):
    """Yes or no; a no stands, and a yes may become a no until both have said yes."""

    answer: Reply


class ReplyToIntroduction(IntroductionReply, _OneOfMine):
    """Answer an introduction; the same again changes nothing."""

    operation = "reply-to-introduction"
    changes = True


class SayMet(_OneOfMine):
    """The two have met; either may say so, twice changes nothing."""

    operation = "say-met"
    changes = True


class MeetingOutcome(Body):
    """What came of a meeting."""

    outcome: Outcome


class SayOutcome(MeetingOutcome, _OneOfMine):
    """Say what came of it, each for oneself; what was said before may be said otherwise."""

    operation = "say-outcome"
    changes = True


class HostSuggestion(Body):
    """Two people of the hub who should meet."""

    one: UUID
    other: UUID


class SuggestedView(View):
    """That both have been asked; what they answer is theirs."""

    id: UUID
    hub: Slug
    lapses_at: AwareDatetime


class SuggestIntroduction(HostSuggestion, Request[SuggestedView]):
    """Suggest that two people of the hub meet; for its staff. Both are asked."""

    service = "matching"
    operation = "suggest-introduction"
    reply = SuggestedView
    changes = True

    hub: Slug
