"""Requests matching answers about matches: who might be of use to the signed-in person, why, and "not this one"."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from pydantic import Field

from shared.contracts.base import Language, Page, Request, Slug, View, described

MOST_MATCHES = 20


class Way(StrEnum):
    """Who would be of use to whom."""

    BOTH = "both"
    TO_ME = "to-me"
    TO_THEM = "to-them"


class Nearness(StrEnum):
    """Where somebody is found, from the reader's hubs."""

    HUB = "hub"
    MUNICIPALITY = "municipality"
    REGION = "region"
    FEDERATION = "federation"


class Input(StrEnum):
    """Something of two people that a match rests on. There is nothing else."""

    OFFERS = "offers"
    """What the two offer, and how well they know it."""
    NEEDS = "needs"
    """What the two need, and how well it has to be known."""
    LANGUAGES = "languages"
    HUBS = "hubs"
    """Where the two belong."""
    CONSENTS = "consents"
    """Which hubs' people may find the other."""
    VISIBILITY = "visibility"
    """Whether the other is open to all hubs."""
    PAST = "past"
    """Whether the two were suggested to each other, introduced or put aside before."""
    OUTCOMES = "outcomes"
    """What everybody together said came of meetings over the same skills."""
    EXPOSURE = "exposure"
    """How often the other was suggested to anybody of late."""


class MatchView(View):
    """Somebody who might be of use, or to whom one might be. Names are told when both have said yes to meeting."""

    id: UUID = described(
        "Stands for them towards the reader alone, to ask for an introduction or to say: not this one."
    )
    way: Way
    reasons: tuple[str, ...] = described("Why, in the reader's language, the weightiest first.")
    near: Nearness
    named: bool = described("False: nobody is named here.", default=False)


class MatchPage(Page):
    """The best matches, best first; there is no next page."""

    items: tuple[MatchView, ...]
    why: tuple[Input, ...] = described("All that these matches rest on.")
    paused: bool = described("True: the reader wants no suggestions, so there are none.", default=False)


class ListMyMatches(Request[MatchPage]):
    """Who suits the signed-in person best, among those they may be shown. Who is shown counts as suggested."""

    service = "matching"
    operation = "list-my-matches"
    reply = MatchPage

    hub: Slug | None = described("Only people found at this hub.", default=None)
    language: Language | None = None
    limit: int = Field(default=10, ge=1, le=MOST_MATCHES)
    ahead: bool = described(
        "True when it is fetched before anybody looks: it counts as no suggestion.", default=False
    )


class StoppedView(View):
    """The match that will not come again."""

    id: UUID


class StopMatch(Request[StoppedView]):
    """Not this one: neither is shown the other any more. Twice changes nothing."""

    service = "matching"
    operation = "stop-match"
    reply = StoppedView
    changes = True

    match: UUID
