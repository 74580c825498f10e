"""Requests booking answers."""

from __future__ import annotations

from uuid import UUID

from pydantic import AwareDatetime, ConfigDict, Field

from shared.contracts.base import Body, Line, Origin, Page, Plain, Request, Slug, View, When, described
from shared.contracts.booking.space_rules import GivenRules, SpaceRules
from shared.contracts.booking.words import BookingStatus, SpaceKind


class SpaceView(View):
    """A space as everybody sees it."""

    id: Slug
    hub: Slug
    name: Line
    kind: SpaceKind
    capacity: int = described("How many people it takes.")
    units: tuple[int, ...] = described("The units it is made of, numbered per hub.")
    seats: int = described("Units that can be taken one by one; 1 for a space that is claimed whole.")
    made_of: tuple[Slug, ...] = described(
        "The spaces it combines; empty when it has units of its own.", default=()
    )
    time_zone: str
    rules: SpaceRules
    active: bool = described("False when it cannot be booked any more.", default=True)
    version: int


class SpacePage(Page):
    """Spaces in order of their slug."""

    items: tuple[SpaceView, ...]


class ListSpaces(Request[SpacePage]):
    """The spaces of a hub; open to everybody."""

    service = "booking"
    operation = "list-spaces"
    reply = SpacePage

    hub: Slug
    kind: SpaceKind | None = None
    limit: int = Field(default=100, ge=1, le=200)
    cursor: Plain | None = Field(default=None, max_length=200)


class _OneSpace(Request[SpaceView]):
    service = "booking"
    reply = SpaceView

    hub: Slug
    space: Slug


class GetSpace(_OneSpace):
    """One space; open to everybody."""

    operation = "get-space"


class NewSpace(Body):
    """A space to be opened: of new units, or of other spaces' units."""

    id: Slug
    name: Line
    kind: SpaceKind
    seats: int | None = described(
        "How many units it gets, for kinds taken seat by seat (flex, desk, equipment); others get one.",
        default=None,
        ge=1,
        le=2000,
    )
    capacity: int | None = described(
        "How many people it takes; the number of seats when not said.", default=None, ge=1, le=100_000
    )
    made_of: tuple[Slug, ...] = described(
        "Combine these spaces instead of adding units.", default=(), max_length=100
    )
    rules: GivenRules = GivenRules()


class OpenSpace(NewSpace, Request[SpaceView]):
    """Make a new space. For operators and admins."""

    service = "booking"
    operation = "open-space"
    reply = SpaceView
    changes = True
    created = True

    hub: Slug


class SpaceChange(Body):
    """What shall be different about a space; what is left out stays."""

    name: Line | None = None
    capacity: int | None = Field(default=None, ge=1, le=100_000)
    rules: GivenRules | None = described("Replaces all rules.", default=None)
    active: bool | None = None


class ChangeSpace(SpaceChange, _OneSpace):
    """Change a space. For operators and admins."""

    operation = "change-space"
    changes = True

    version: int


class BusyTime(View):
    """A stretch of time in which something is in the way; never says who or what for."""

    space: Slug
    start: AwareDatetime
    end: AwareDatetime


class SpaceAvailability(View):
    """Whether a space can be booked for the time asked about."""

    space: Slug
    name: Line
    kind: SpaceKind
    free: bool
    seats: int = described("Units that can be taken.")
    free_seats: int = described("Units free during the whole time.")
    reason: str | None = described(
        "Why it is not free, as a problem code such as `space-taken` or `closed`.", default=None
    )
    in_the_way: tuple[BusyTime, ...] = ()


class AvailabilityView(Page):
    """Availability of a hub's spaces for one time."""

    start: AwareDatetime
    end: AwareDatetime
    time_zone: str
    items: tuple[SpaceAvailability, ...]


class GetAvailability(Request[AvailabilityView]):
    """What is free in a hub from `start` to `end`; open to everybody."""

    service = "booking"
    operation = "get-availability"
    reply = AvailabilityView

    hub: Slug
    start: When
    end: When
    kind: SpaceKind | None = None
    seats: int = Field(default=1, ge=1, le=2000)


class Source(Origin):
    """Where an imported booking comes from; unique per hub among live bookings."""


class BookingView(View):
    """A booking as those see it who may: its person, who made it, and the hub's staff."""

    id: UUID
    hub: Slug
    space: Slug
    units: tuple[int, ...]
    seats: int
    start: AwareDatetime = described("In the hub's zone.")
    end: AwareDatetime
    time_zone: str
    status: BookingStatus
    title: str | None = None
    person: UUID
    booked_by: UUID
    source: Source | None = None
    expires_at: AwareDatetime | None = described("For a hold: when it lapses.", default=None)
    cancel_reason: str | None = None
    rules_version: int = described("The version of the space whose rules are frozen into this booking.")
    event: UUID | None = described("The event whose room it is.", default=None)
    version: int
    created_at: AwareDatetime


class BookingPage(Page):
    """Bookings in order of their start."""

    items: tuple[BookingView, ...]


class GivenSource(Source):
    """A source as somebody gives it: unknown members are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class NewBooking(Body):
    """A booking asked for: a space, or any seat of one; with `hold` it is only kept for a while."""

    space: Slug
    start: When
    end: When
    seats: int = Field(default=1, ge=1, le=2000)
    title: Line | None = None
    person: UUID | None = described(
        "Whom it is for; null means the person who asks. Only staff may book for others.", default=None
    )
    hold: bool = False
    source: GivenSource | None = None


class Reserve(NewBooking, Request[BookingView]):
    """Book a space, or any seat of one."""

    service = "booking"
    operation = "reserve"
    reply = BookingView
    changes = True
    created = True

    hub: Slug


class ListBookings(Request[BookingPage]):
    """A hub's bookings by time; for its staff."""

    service = "booking"
    operation = "list-bookings"
    reply = BookingPage

    hub: Slug
    start: When | None = described("Only bookings that end after this.", default=None)
    end: When | None = described("Only bookings that start before this.", default=None)
    space: Slug | None = None
    status: tuple[BookingStatus, ...] = ()
    person: UUID | None = None
    calendar: Plain | None = described(
        "Only bookings imported from this calendar.", default=None, max_length=200
    )
    limit: int = Field(default=50, ge=1, le=200)
    cursor: Plain | None = Field(default=None, max_length=200)


class ListMyBookings(Request[BookingPage]):
    """The signed-in person's bookings in all hubs of this cell, by time."""

    service = "booking"
    operation = "list-my-bookings"
    reply = BookingPage

    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    status: tuple[BookingStatus, ...] = ()
    limit: int = Field(default=50, ge=1, le=200)
    cursor: Plain | None = Field(default=None, max_length=200)


class _OneBooking(Request[BookingView]):
    service = "booking"
    reply = BookingView

    hub: Slug
    booking: UUID


class GetBooking(_OneBooking):
    """One booking."""

    operation = "get-booking"


class BookingChange(Body):
    """Another time, space, number of seats or title; what is left out stays."""

    space: Slug | None = None
    start: When | None = None
    end: When | None = None
    seats: int | None = Field(default=None, ge=1, le=2000)
    title: Line | None = None


class MoveBooking(BookingChange, _OneBooking):
    """Give a booking another time, space, number of seats or title."""

    operation = "move-booking"
    changes = True

    version: int


class ConfirmBooking(_OneBooking):
    """Turn a hold into a booking."""

    operation = "confirm-booking"
    changes = True


class Cancellation(Body):
    """Why a booking is cancelled."""

    reason: Line | None = None


class CancelBooking(Cancellation, _OneBooking):
    """Give the units back. Cancelling twice changes nothing."""

    operation = "cancel-booking"
    changes = True


class CheckIn(_OneBooking):
    """The person is there."""

    operation = "check-in"
    changes = True


class CheckOut(_OneBooking):
    """The person goes; the units are free for the rest of the time."""

    operation = "check-out"
    changes = True


class OccupancyFigures(View):
    """How full a space is. For the public `present` is a band, or null while it is below 5."""

    space: Slug
    capacity: int
    booked: int
    free: int
    present: int | str | None = described(
        "A number for staff; for the public a band such as `5-9`, and null when fewer than 5 are there.",
        default=None,
    )
    at: AwareDatetime


class OccupancyView(Page):
    """Occupancy of a hub and of each of its spaces."""

    hub: Slug
    total: OccupancyFigures
    items: tuple[OccupancyFigures, ...]


class GetOccupancy(Request[OccupancyView]):
    """How full is the hub now? Staff see numbers, the public protected figures."""

    service = "booking"
    operation = "get-occupancy"
    reply = OccupancyView

    hub: Slug
