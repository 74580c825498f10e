"""Facts of events."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.base import Audience, Fact, Language, Slug, Snapshot, described
from shared.contracts.events.words import EventKind, EventPart, EventStatus, SignUpStatus, Visibility, Way
from shared.contracts.forgetting import PersonForgotten


class _EventFact(Fact):
    """An event as it is after what happened. Reasons, addresses, links and drafts are never part of it."""

    service = "events"
    audience = Audience.MEMBERS

    kind: EventKind = described("`other` for a member's own word.")
    visibility: Visibility
    start: AwareDatetime
    end: AwareDatetime
    space: Slug | None = None
    online: bool = False
    capacity: int | None = described("Places in the room; null for no limit.", default=None)
    capacity_online: int | None = None
    series: UUID | None = None
    organisers: tuple[UUID, ...] = described("The persons who run it.", default=())
    by: UUID | None = described("Who did it; null when time did.", default=None)


class _Titled(Fact):
    titles: dict[Language, str] = described("As published, per language; empty while hidden.", default={})


class EventPublishedV1(_EventFact, _Titled):
    """People can see the event and sign up."""

    fact = "event-published"


class EventChangedV1(_EventFact, _Titled):
    """A published event reads differently now, or has lost its room."""

    fact = "event-changed"

    changed: tuple[EventPart, ...]
    previous_start: AwareDatetime | None = None
    previous_end: AwareDatetime | None = None
    previous_space: Slug | None = None
    venue_lost: bool = False


class EventCancelledV1(_EventFact, _Titled):
    """The event does not take place; everybody's place is gone with it."""

    fact = "event-cancelled"


class EventHeldV1(_EventFact):
    """The event is over."""

    fact = "event-held"

    signed_up: int
    came: int
    walk_ins: int
    participants: int


class EventProposedV1(_EventFact):
    """A member's event waits for the hub's approval."""

    fact = "event-proposed"
    audience = Audience.HOSTS


class EventReturnedV1(_EventFact):
    """The hub has not approved; the author can change it and ask again."""

    fact = "event-returned"
    audience = Audience.HOSTS


class _Seen(_EventFact):
    audience = Audience.HOSTS

    @property
    def aspect(self) -> str:
        """Whether it can be seen."""
        return "seen"


class EventHiddenV1(_Seen):
    """The hub has hidden a published event; its author sees why and can answer."""

    fact = "event-hidden"


class EventShownV1(_Seen):
    """A hidden event can be seen again."""

    fact = "event-shown"


class EventSnapshotV1(_EventFact, _Titled, Snapshot):
    """The event as it is; stated by `foci republish events events`."""

    fact = "event-snapshot"

    status: EventStatus
    hidden: bool


class _VenueWish(Fact):
    """The event's part of the agreement on its room. `subject` is `<event>/venue`."""

    service = "events"
    audience = Audience.HOSTS

    event: UUID
    edition: int = described("Counts the wishes; every answer names the one it answers.", ge=1)


class VenueWantedV1(_VenueWish):
    """The event wants this room, in place of any it has: booking keeps it, moves its booking, or refuses."""

    fact = "venue-wanted"

    space: Slug
    start: AwareDatetime
    end: AwareDatetime
    seats: int | None = described("How many people; null for the whole space.", default=None, ge=1)
    person: UUID = described("For whom it is booked: who started the event.")


class VenueAcceptedV1(_VenueWish):
    """The event takes the room that is held for it."""

    fact = "venue-accepted"


class VenueReleasedV1(_VenueWish):
    """The event needs no room any more."""

    fact = "venue-released"


class VenueWishSnapshotV1(_VenueWish, Snapshot):
    """What the event wants; stated now and then, so that both sides can compare."""

    fact = "venue-wish-snapshot"

    wants: bool
    accepted: bool
    answered: int = described("The last version of booking's venue facts that was acted on.", ge=0)
    space: Slug | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    seats: int | None = None
    person: UUID | None = None


class _SignUpFact(Fact):
    """Somebody's place at an event. `subject` is the sign-up's id; codes and names are never part of it."""

    service = "events"
    audience = Audience.PERSONS

    event: UUID
    person: UUID
    guest: bool
    way: Way
    start: AwareDatetime = described("When the event begins.")
    number: int | None = described("The place in the order of signing up.", default=None)
    by: UUID | None = None


class SignUpPendingV1(_SignUpFact):
    """A guest has signed up and must follow a link until `until`."""

    fact = "sign-up-pending"

    until: AwareDatetime


class PlaceTakenV1(_SignUpFact):
    """The person attends."""

    fact = "place-taken"


class PlaceAwaitedV1(_SignUpFact):
    """The person stands in line, for the first time or again after losing a place."""

    fact = "place-awaited"


class PlaceOfferedV1(_SignUpFact):
    """A place is kept for the person until `until`."""

    fact = "place-offered"

    until: AwareDatetime


class OfferDeclinedV1(_SignUpFact):
    """The person does not want the offered place."""

    fact = "offer-declined"


class OfferLapsedV1(_SignUpFact):
    """Nobody answered in time: an offer, or a guest's sign-up."""

    fact = "offer-lapsed"


class PlaceGivenBackV1(_SignUpFact):
    """The person does not come after all; the place is free."""

    fact = "place-given-back"


class AttendeeCameV1(_SignUpFact):
    """The person is there."""

    fact = "attendee-came"


class SignUpSnapshotV1(_SignUpFact, Snapshot):
    """The sign-up as it is; stated by `foci republish events sign-ups`."""

    fact = "sign-up-snapshot"

    status: SignUpStatus


class ParticipantForgottenV1(PersonForgotten):
    """Places ahead are given back, and whoever came, organised or decided is nobody. `subject` is the person."""

    service = "events"
    fact = "participant-forgotten"
