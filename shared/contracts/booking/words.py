"""The words of booking: kinds of space and states of a booking."""

from enum import StrEnum


class SpaceKind(StrEnum):
    """What a space is, which decides how it is claimed."""

    ROOM = "room"
    FLEX = "flex"
    DESK = "desk"
    EVENT = "event"
    EQUIPMENT = "equipment"
    ADVISOR = "advisor"


BY_SEAT = frozenset({SpaceKind.FLEX, SpaceKind.DESK, SpaceKind.EQUIPMENT})
"""Kinds whose units are taken one by one; the others are claimed whole."""


class BookingStatus(StrEnum):
    """Where a booking is in its life."""

    HELD = "held"
    CONFIRMED = "confirmed"
    CHECKED_IN = "checked_in"
    CHECKED_OUT = "checked_out"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


LIVE = frozenset({BookingStatus.HELD, BookingStatus.CONFIRMED, BookingStatus.CHECKED_IN})
"""States in which a booking claims its units."""


class VenueRefusal(StrEnum):
    """Why booking cannot give an event its room; the problem codes' words."""

    SPACE_TAKEN = "space-taken"
    CLOSED = "closed"
    TOO_SHORT = "too-short"
    TOO_LONG = "too-long"
    IN_THE_PAST = "in-the-past"
    TOO_FAR_AHEAD = "too-far-ahead"
    TOO_SMALL = "too-small"
    NO_SUCH_SPACE = "no-such-space"


class VenueLoss(StrEnum):
    """How an event's booking was lost."""

    CANCELLED = "cancelled"
    LAPSED = "lapsed"
