"""Facts of booking, and the occupancy stream for operators."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from shared.contracts.base import Audience, Fact, Slug, Snapshot, described
from shared.contracts.booking.words import BookingStatus, SpaceKind, VenueLoss, VenueRefusal
from shared.contracts.forgetting import PersonForgotten


class _BookingFact(Fact):
    """A claim of units for a time. Titles and door codes are private and never part of it."""

    service = "booking"
    audience = Audience.PERSONS

    space: Slug
    units: tuple[int, ...] = described("The units claimed, numbered per hub.")
    seats: int = described("How many people the claim is for.", ge=1)
    start: AwareDatetime
    end: AwareDatetime
    person: UUID = described("Who it is for.")
    by: UUID = described("Who did it.")
    for_event: UUID | None = described("The event whose room it is.", default=None)
    imported: bool = described("True when it was taken over from another calendar.", default=False)


class BookingHeldV1(_BookingFact):
    """Units are kept for somebody until `expires_at`; nobody else can take them meanwhile."""

    fact = "booking-held"

    expires_at: AwareDatetime


class BookingConfirmedV1(_BookingFact):
    """The units are booked."""

    fact = "booking-confirmed"


class BookingMovedV1(_BookingFact):
    """The booking has another time or other units now."""

    fact = "booking-moved"

    previous_space: Slug
    previous_units: tuple[int, ...]
    previous_start: AwareDatetime
    previous_end: AwareDatetime


class BookingCancelledV1(_BookingFact):
    """The units are free again; a cancelled booking is never a no-show."""

    fact = "booking-cancelled"


class BookingExpiredV1(_BookingFact):
    """A hold was not confirmed in time; the units are free again."""

    fact = "booking-expired"


class BookingCheckedInV1(_BookingFact):
    """The person is there."""

    fact = "booking-checked-in"


class BookingCheckedOutV1(_BookingFact):
    """The person has gone; the units are free again."""

    fact = "booking-checked-out"


class BookingSnapshotV1(_BookingFact, Snapshot):
    """The booking as it is; stated by `foci republish booking bookings`."""

    fact = "booking-snapshot"

    status: BookingStatus


class _VenueAnswer(Fact):
    """Booking's part of the agreement on an event's room. `subject` is `<event>/venue`."""

    service = "booking"
    audience = Audience.HOSTS

    event: UUID
    edition: int = described("The edition of the wish this answers.", ge=1)
    booking: UUID | None = described("The booking, if there is one.", default=None)


class _VenueRoom(_VenueAnswer):
    space: Slug
    start: AwareDatetime
    end: AwareDatetime


class VenueHeldV1(_VenueRoom):
    """The room is kept for the event until `expires_at`; the event has to accept it."""

    fact = "venue-held"

    expires_at: AwareDatetime


class VenueConfirmedV1(_VenueRoom):
    """The room is the event's."""

    fact = "venue-confirmed"


class VenueRefusedV1(_VenueAnswer):
    """The event cannot have that room then; with the nearest free times of the same length."""

    fact = "venue-refused"

    because: VenueRefusal
    kept: bool = described("True when the booking it had before stands as it was.")
    free_starts: tuple[AwareDatetime, ...] = ()
    free_spaces: tuple[Slug, ...] = described("Free at the wanted time.", default=())
    bookable_from: AwareDatetime | None = described(
        "For a time too far ahead: when to ask again.", default=None
    )


class VenueMovedV1(_VenueRoom):
    """Somebody moved the event's booking."""

    fact = "venue-moved"

    by: UUID


class VenueLostV1(_VenueAnswer):
    """The event's booking is gone without the event having given it up."""

    fact = "venue-lost"

    because: VenueLoss
    by: UUID | None = None


class VenueFreedV1(_VenueAnswer):
    """The room has been given back as the event wished."""

    fact = "venue-freed"


class VenueSnapshotV1(_VenueAnswer, Snapshot):
    """What booking holds for the event; stated now and then, so that both sides can compare."""

    fact = "venue-snapshot"

    live: bool
    heard: int = described("The last version of the event's venue facts that was acted on.", ge=0)
    space: Slug | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None


class _SpaceFact(Fact):
    service = "booking"
    audience = Audience.PUBLIC

    space: Slug
    name: str
    kind: SpaceKind
    units: tuple[int, ...]
    capacity: int = described("How many people it takes.", ge=1)


class SpaceOpenedV1(_SpaceFact):
    """A space can be booked. `subject` is `<hub>/<space>`."""

    fact = "space-opened"


class SpaceRulesChangedV1(_SpaceFact):
    """The space, its opening hours or its rules read differently now."""

    fact = "space-rules-changed"


class SpaceSnapshotV1(_SpaceFact, Snapshot):
    """The space as it is; stated by `foci republish booking spaces`."""

    fact = "space-snapshot"


class Occupancy(BaseModel):
    """How full a space, or a whole hub, is at one moment."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    hub: Slug
    space: Slug = described("The space's slug, or `all` for the hub.")
    capacity: int = Field(ge=0, description="Units there are.")
    booked: int = Field(ge=0, description="Units claimed by live bookings at this moment, holds included.")
    present: int = Field(ge=0, description="People checked in.")
    free: int = Field(ge=0, description="Units nobody has claimed: capacity minus booked.")
    at: AwareDatetime = Field(description="The moment the figures hold from.")
    version: int = Field(ge=1, description="Counts the changes of this space's figures.")


class OccupancyChangedV1(BaseModel):
    """CloudEvents 1.0 envelope (structured mode, JSON) around `Occupancy`, on the OCCUPANCY stream.

    The stream keeps the latest message per subject, so a consumer that starts with the last message of each
    subject has a snapshot first and every change after it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    fact: ClassVar[str] = "occupancy-changed"
    audience: ClassVar[Audience] = Audience.OPERATORS
    content_type: ClassVar[str] = "application/cloudevents+json"

    specversion: str = "1.0"
    id: UUID
    source: str = described("`/hubs/<hub>/booking`", examples=["/hubs/nordviken/booking"])
    type: str = "foci.booking.occupancy.v1"
    subject: Slug = described("The space's slug, or `all`.")
    time: AwareDatetime
    datacontenttype: str = "application/json"
    data: Occupancy

    @classmethod
    def subject_for(cls, hub: str, space: str) -> str:
        """The NATS subject of one space's figures."""
        return f"occupancy.{hub}.{space}.v1"


class BookerForgottenV1(PersonForgotten):
    """Bookings ahead are cancelled, and whoever had booked or been booked for is nobody. `subject` is the person."""

    service = "booking"
    fact = "booker-forgotten"
