"""The words of matching: what people offer and need, who may see it, and how an introduction goes."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints


class Side(StrEnum):
    """Whether a statement of a profile gives or asks."""

    OFFER = "offer"
    NEED = "need"


class Level(StrEnum):
    """How well somebody knows a thing, or how well it must be known to be of help."""

    BEGINNER = "beginner"
    PRACTISED = "practised"
    EXPERT = "expert"


class Visibility(StrEnum):
    """Who may be shown a profile at all; a hub's people only where the person has consented for that hub."""

    NOBODY = "nobody"
    HUB = "hub"
    """The people of hubs the person belongs to and has consented for."""
    FEDERATION = "federation"
    """The people of every hub, as long as one consent stands."""


class OwnerKind(StrEnum):
    """Whose profile it is."""

    PERSON = "person"
    ORGANISATION = "organisation"


class ProfileChange(StrEnum):
    """Which part of a profile is another one now."""

    PROFILE = "profile"
    """What it says in general: fields, languages, words."""
    OFFERS = "offers"
    NEEDS = "needs"
    VISIBILITY = "visibility"
    PAUSED = "paused"
    """The person wants no suggestions, or wants them again."""
    ERASED = "erased"
    """Nothing is left of it."""


class IntroductionStatus(StrEnum):
    """How an introduction fares."""

    SUGGESTED = "suggested"
    AGREED = "agreed"
    """Both said yes; from here on each is shown the other's name."""
    MET = "met"
    CLOSED = "closed"
    """Somebody said what came of it."""
    DECLINED = "declined"
    LAPSED = "lapsed"
    """Nobody answered in time."""
    WITHDRAWN = "withdrawn"
    """One of the two took back a consent, left or was erased."""


class Reply(StrEnum):
    """What somebody says to a suggested introduction."""

    YES = "yes"
    NO = "no"


class Outcome(StrEnum):
    """What came of a meeting, from the least to the most."""

    NOTHING = "nothing"
    HELP = "help"
    COLLABORATION = "collaboration"
    COMPANY = "company"


CONCEPT_PATTERN = (
    r"^(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?|esco:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$"
)

ConceptId = Annotated[str, StringConstraints(pattern=CONCEPT_PATTERN)]
"""A concept of the vocabulary: a slug of our own, or `esco:` and the UUID of the European classification."""
