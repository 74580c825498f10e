"""The words of notify: kinds of notice, channels, when somebody wants to hear, and how a message fares."""

from enum import StrEnum


class NoticeKind(StrEnum):
    """What a notice is about; choices are made per kind."""

    BOOKING = "booking"
    """My booking was made, moved or cancelled."""
    PLACE = "place"
    """My place at an event: taken, waiting, given back."""
    OFFER = "offer"
    """A place is kept for me until a deadline, or was."""
    REMINDER = "reminder"
    """What I have booked or go to begins soon."""
    EVENT = "event"
    """An event I go to or run was changed, cancelled, hidden, sent back."""
    PROGRAMME = "programme"
    """There is a new event at one of my hubs."""
    INTRODUCTION = "introduction"
    """Somebody who may help me, or I them: suggested, agreed, come to nothing; and what came of it."""
    ALERT = "alert"
    """For those who run a hub: an event awaits approval, a webhook was paused."""
    CONFIRM = "confirm"
    """A guest's sign-up waits for a click. Always sent, at once."""
    SAFETY = "safety"
    """What I count on today was cancelled by somebody else. Always sent, at once, also in quiet hours."""

    SIGN_IN = "sign-in"
    """The link one has asked for to sign in with. Always sent, at once."""


ALWAYS = frozenset({NoticeKind.CONFIRM, NoticeKind.SAFETY, NoticeKind.SIGN_IN})
"""Kinds nobody can switch off or put off, and that no quiet hours hold back."""


class Channel(StrEnum):
    """How a notice reaches a person."""

    EMAIL = "email"
    INBOX = "inbox"


class Pace(StrEnum):
    """When somebody wants to hear of a kind over a channel."""

    NOW = "now"
    DAILY = "daily"
    WEEKLY = "weekly"
    OFF = "off"


class About(StrEnum):
    """What thing a notice follows, and in which part the person has in it."""

    BOOKING = "booking"
    SIGN_UP = "sign-up"
    ORGANISING = "organising"
    APPROVING = "approving"
    PROGRAMME = "programme"
    REMINDER = "reminder"
    INTRODUCTION = "introduction"
    OUTCOME = "outcome"
    """An introduction again, a while after both said yes."""
    WEBHOOK = "webhook"
    SIGN_IN = "sign-in"


class News(StrEnum):
    """What there is to tell: the difference between what somebody was told last and what is."""

    BOOKED = "booked"
    MOVED = "moved"
    CANCELLED = "cancelled"
    CONFIRM = "confirm"
    PLACE_TAKEN = "place-taken"
    WAITING = "waiting"
    PLACE_OFFERED = "place-offered"
    OFFER_OVER = "offer-over"
    PLACE_GONE = "place-gone"
    EVENT_CHANGED = "event-changed"
    EVENT_CANCELLED = "event-cancelled"
    EVENT_PUBLISHED = "event-published"
    EVENT_RETURNED = "event-returned"
    EVENT_HIDDEN = "event-hidden"
    EVENT_SHOWN = "event-shown"
    VENUE_LOST = "venue-lost"
    AWAITS_APPROVAL = "awaits-approval"
    NEW_EVENT = "new-event"
    SOON = "soon"
    INTRODUCTION_SUGGESTED = "introduction-suggested"
    INTRODUCTION_AGREED = "introduction-agreed"
    INTRODUCTION_OVER = "introduction-over"
    OUTCOME_WANTED = "outcome-wanted"
    WEBHOOK_PAUSED = "webhook-paused"
    SIGN_IN = "sign-in"


class WebhookState(StrEnum):
    """Whether a webhook is sent to."""

    ACTIVE = "active"
    PAUSED = "paused"
    """By an operator, or by Foci after a delivery failed for 24 hours; PATCH makes it active again."""
    GONE = "gone"
    """The target answered 410; PATCH makes it active again."""


class Pausing(StrEnum):
    """Why a webhook is not sent to."""

    BY_OPERATOR = "by-operator"
    FAILING = "failing"
    """No delivery succeeded for 24 hours."""
    GONE = "gone"
    """The target said 410."""


class DeliveryState(StrEnum):
    """How one message to one webhook fares."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    FAILED = "failed"
    """Given up after 24 hours, or the webhook was gone; it can be sent again by hand."""


class Hindrance(StrEnum):
    """Why mail to an address has been stopped."""

    BOUNCED = "bounced"
    REFUSED = "refused"
