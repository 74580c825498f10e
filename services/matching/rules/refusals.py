"""What matching refuses, with a code and a sentence for the person."""

from __future__ import annotations

from shared.kit.errors import Conflict, Forbidden


class TooManyStatements(Conflict):
    """A profile offers, or needs, as much as one may."""

    code = "too-many-statements"
    title = "The profile says too much"


class TooManyOrganisations(Conflict):
    """Somebody keeps as many organisations' profiles as one may."""

    code = "too-many-organisations"
    title = "Nobody keeps more organisations"


class BelongsNowhere(Forbidden):
    """Only who belongs to a hub can be found by its people."""

    code = "belongs-nowhere"
    title = "Join a hub first"


class NotAMember(Forbidden):
    """It is for those who belong to the hub."""

    code = "not-a-member"
    title = "Join the hub first"


class NotOpenYourself(Conflict):
    """Who wants to meet others must let them see who asks."""

    code = "not-open-yourself"
    title = "Let others see your profile first"


class TooManyIntroductions(Conflict):
    """Somebody waits for as many answers as one may."""

    code = "too-many-introductions"
    title = "Too many introductions wait for an answer"


class CannotIntroduce(Conflict):
    """These two cannot be asked now; why is nobody's to know."""

    code = "cannot-introduce"
    title = "These two cannot be introduced now"


class IntroductionOver(Conflict):
    """It did not come about."""

    code = "introduction-over"
    title = "The introduction did not come about"


class IntroductionState(Conflict):
    """The introduction is not in a state in which this can be done."""

    code = "wrong-state"
    title = "Not possible in this state"
