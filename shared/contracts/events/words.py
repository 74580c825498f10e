"""The words of events: kinds, states, who may see, ways to take part."""

from enum import StrEnum


class EventKind(StrEnum):
    """What sort of event it is; `other` for a member's own word."""

    TALK = "talk"
    TRAINING = "training"
    BREAKFAST = "breakfast"
    INFORMATION = "information"
    CELEBRATION = "celebration"
    CULTURE = "culture"
    WORK_SESSION = "work-session"
    OTHER = "other"


def known_kind(word: str) -> EventKind:
    """The known kind of that name; OTHER for a member's own word."""
    return EventKind(word) if word in set(EventKind) else EventKind.OTHER


class EventStatus(StrEnum):
    """Where an event is in its life; `awaiting` the hub's approval, `publishing` until its room is confirmed."""

    DRAFT = "draft"
    AWAITING = "awaiting"
    PUBLISHING = "publishing"
    PUBLISHED = "published"
    CHANGED = "changed"
    CANCELLED = "cancelled"
    HELD = "held"


OPEN = frozenset({EventStatus.PUBLISHED, EventStatus.CHANGED})
"""States in which people see it and sign up."""


class Visibility(StrEnum):
    """Who may see a published event: the hub's people, everybody signed in, everybody."""

    HUB = "hub"
    FEDERATION = "federation"
    PUBLIC = "public"


class Way(StrEnum):
    """How somebody takes part; each has its own places and its own line."""

    ROOM = "room"
    ONLINE = "online"


class SignUpStatus(StrEnum):
    """Where a sign-up is in its life; `pending` until a guest has followed the link."""

    PENDING = "pending"
    ATTENDING = "attending"
    OFFERED = "offered"
    WAITING = "waiting"
    DECLINED = "declined"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"


HOLDING = frozenset({SignUpStatus.ATTENDING, SignUpStatus.OFFERED})
"""States that hold a place."""


class VenueState(StrEnum):
    """How far the agreement with booking on the event's room is."""

    WANTED = "wanted"
    HELD = "held"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    LOST = "lost"
    RELEASED = "released"


class OrganiserKind(StrEnum):
    """Who can organise."""

    PERSON = "person"
    ORGANISATION = "organisation"
    HUB = "hub"


class EventPart(StrEnum):
    """What was changed."""

    TIME = "time"
    PLACE = "place"
    TEXTS = "texts"
    CAPACITY = "capacity"
    ORGANISERS = "organisers"
    DETAILS = "details"
