"""Facts of matching: that something of a person's changed, never what the profile says."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.base import Audience, Fact, Snapshot, described
from shared.contracts.forgetting import PersonForgotten
from shared.contracts.matching.introductions import Standing
from shared.contracts.matching.words import Outcome, ProfileChange


class _Profile(Fact):
    service = "matching"
    audience = Audience.PERSONS

    person: UUID = described("Whose profile: a person's id, or an organisation's.")


class ProfileChangedV1(_Profile):
    """A part of somebody's profile is another one now. `subject` is the profile's owner; `hub` where it was made."""

    fact = "profile-changed"

    change: ProfileChange

    @property
    def aspect(self) -> str:
        """The part that is another one."""
        return self.change


class _Consent(Fact):
    service = "matching"
    audience = Audience.PERSONS

    person: UUID


class ConsentGivenV1(_Consent):
    """A person lets the hub's people find their profile. `subject` is `<hub>/<person>`."""

    fact = "consent-given"


class ConsentWithdrawnV1(_Consent):
    """A person took that back; it acts from the moment it was said. `subject` is `<hub>/<person>`."""

    fact = "consent-withdrawn"


class _Introduction(Fact):
    service = "matching"
    audience = Audience.PERSONS

    introduction: UUID
    one: UUID = described("One of the two: a person, for an organisation's profile who keeps it.")
    other: UUID = described("The other of the two, alike.")


class IntroductionSuggestedV1(_Introduction):
    """Two people might meet; neither is told who the other is. `subject` is the introduction."""

    fact = "introduction-suggested"

    by_host: bool = described(
        "True when somebody of the hub's staff suggested it, false when one of the two asked."
    )
    asked_by: UUID | None = described("Which of the two asked, and has said yes with it.", default=None)
    lapses_at: AwareDatetime = described("When it lapses, unless both have said yes by then.")


class IntroductionAgreedV1(_Introduction):
    """Both said yes: each may now be shown the other's name. `subject` is the introduction."""

    fact = "introduction-agreed"


class IntroductionDeclinedV1(_Introduction):
    """One of the two said no; nobody hears who. `subject` is the introduction."""

    fact = "introduction-declined"


class IntroductionLapsedV1(_Introduction):
    """Nobody answered in time. `subject` is the introduction."""

    fact = "introduction-lapsed"


class IntroductionWithdrawnV1(_Introduction):
    """It ended because one of the two took a consent back, left or was erased. `subject` is the introduction."""

    fact = "introduction-withdrawn"


class IntroductionMetV1(_Introduction):
    """The two have met. `subject` is the introduction."""

    fact = "introduction-met"


class OutcomeSaidV1(_Introduction):
    """One of the two said what came of it; nobody hears who. `subject` is the introduction."""

    fact = "outcome-said"

    outcome: Outcome


class IntroductionSnapshotV1(_Introduction, Snapshot):
    """The introduction as it is; stated by `foci republish matching introductions`. `subject` is the introduction."""

    fact = "introduction-snapshot"

    standing: Standing
    by_host: bool = described("True when somebody of the hub's staff suggested it.")
    asked_by: UUID | None = described("Which of the two asked, if one did.", default=None)
    lapses_at: AwareDatetime = described("When it lapses, or lapsed, unless both said yes by then.")


class HubPlacedV1(Fact):
    """Matching has heard where a hub is, or that it is somewhere else now. `subject` is the hub."""

    service = "matching"
    fact = "hub-placed"
    audience = Audience.PUBLIC


class LessonsDrawnV1(Fact):
    """What came of introductions teaches something else about skills now. `subject` is `lessons`; `hub` stands for all."""

    service = "matching"
    fact = "lessons-drawn"
    audience = Audience.PUBLIC

    lessons: int = described("Counts how often that was so; the same as `subject_version`.")


class ConceptsChangedV1(Fact):
    """The vocabulary of skills is another one now. `subject` is `vocabulary`; `hub` stands for all of them."""

    service = "matching"
    fact = "concepts-changed"
    audience = Audience.PUBLIC

    vocabulary: int = described("Counts the vocabulary's versions; the same as `subject_version`.")


class ProfileForgottenV1(PersonForgotten):
    """Profiles, consents and what was shown are gone, and whoever met somebody is nobody. `subject` is the person."""

    service = "matching"
    fact = "profile-forgotten"
