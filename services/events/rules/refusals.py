"""What events says no with: each a kind of error with a code and a sentence."""

from __future__ import annotations

from shared.kit.errors import Conflict, Forbidden, Invalid


class NotOpen(Conflict):
    """Nobody can sign up for it, or not any more."""

    code = "not-open"
    title = "Not open for signing up"


class EventFull(Conflict):
    """All places are taken and there is no waiting line."""

    code = "event-full"
    title = "All places are taken"


class AlreadySignedUp(Conflict):
    """The person takes part, waits or has been offered a place already."""

    code = "already-signed-up"
    title = "Signed up already"


class OfferLapsed(Conflict):
    """The offered place has gone to the next in line."""

    code = "offer-lapsed"
    title = "The offer has lapsed"


class CapacityBelow(Conflict):
    """More people hold a place than there would be; somebody has to say who loses theirs."""

    code = "capacity-below-sign-ups"
    title = "More people have a place than there would be"


class WrongEvent(Conflict):
    """The code is for another event."""

    code = "wrong-event"
    title = "The code is for another event"


class NotAttending(Conflict):
    """The person has no place, so they cannot be checked in."""

    code = "not-attending"
    title = "Has no place at this event"


class EventState(Conflict):
    """The event or sign-up is not in a state in which this can be done."""

    code = "wrong-state"
    title = "Not possible in this state"


class AlreadyImportedEvent(Conflict):
    """An event that is not cancelled carries that source already."""

    code = "already-imported"
    title = "That calendar entry is there already"


class LinkUsed(Conflict):
    """What the link does has been done, or something else has been done since."""

    code = "link-used"
    title = "The link has been used"


class NotAMember(Forbidden):
    """It is for those who belong to the hub."""

    code = "not-a-member"
    title = "Join the hub first"


class RuleNotUnderstood(Invalid):
    """The repeat rule is none this release can follow."""

    code = "rule-not-understood"
    title = "The rule cannot be followed"


class RuleWithoutDates(Invalid):
    """The repeat rule gives no date within its horizon."""

    code = "rule-without-dates"
    title = "The rule gives no date"


class TooManyDates(Invalid):
    """The repeat rule gives more dates than a series takes."""

    code = "too-many-dates"
    title = "The rule gives too many dates"
