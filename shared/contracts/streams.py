"""The JetStream streams and durable consumers, declared once; provisioning makes the server match."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.contracts.base import Fact, Snapshot
from shared.contracts.booking import facts as booking
from shared.contracts.catalogue import FACTS
from shared.contracts.directory import facts as directory
from shared.contracts.events import facts as events
from shared.contracts.forgetting import PersonForgotten
from shared.contracts.matching import facts as matching
from shared.contracts.notify import facts as notify

RETENTION = timedelta(days=30)
"""How long facts stay in the streams; the outbox keeps as long, so either can rebuild the other."""


@dataclass(frozen=True)
class Stream:
    """One JetStream stream.

    `owner` is the only service that writes it. `latest_only` keeps one message per subject: a table of what
    is, not a history.
    """

    name: str
    owner: str
    subjects: tuple[str, ...]
    max_age: timedelta = RETENTION
    latest_only: bool = False
    no_ack: bool = False


@dataclass(frozen=True)
class Consumer:
    """One durable pull consumer, `<service>__<what it does>`."""

    durable: str
    stream: str
    filters: tuple[str, ...]
    ack_wait: timedelta = timedelta(seconds=15)
    max_ack_pending: int = 2000

    @property
    def service(self) -> str:
        """The service that consumes."""
        return self.durable.split("__", 1)[0]


def stream_of(service: str) -> str:
    """The stream that carries a service's facts."""
    return service.upper()


OCCUPANCY = "OCCUPANCY"

STREAMS: tuple[Stream, ...] = (
    *(Stream(stream_of(service), service, (f"hubs.*.{service}.>",)) for service in FACTS),
    Stream(OCCUPANCY, "booking", ("occupancy.>",), max_age=timedelta(0), latest_only=True),
    # Backstop: should a message ever run out of deliveries without a dead letter, this is where it is seen.
    Stream("ADVISORIES", "admin", ("$JS.EVENT.ADVISORY.CONSUMER.MAX_DELIVERIES.>",), no_ack=True),
)


def _filters(*facts: type[Fact]) -> tuple[str, ...]:
    return tuple(fact.subject_for("*") for fact in facts)


VENUE_WISHES: tuple[type[Fact], ...] = (
    events.VenueWantedV1,
    events.VenueAcceptedV1,
    events.VenueReleasedV1,
    events.VenueWishSnapshotV1,
)
"""What events says about the room an event wants."""

VENUE_ANSWERS: tuple[type[Fact], ...] = (
    booking.VenueHeldV1,
    booking.VenueConfirmedV1,
    booking.VenueRefusedV1,
    booking.VenueMovedV1,
    booking.VenueLostV1,
    booking.VenueFreedV1,
    booking.VenueSnapshotV1,
)
"""What booking answers."""

HUB_FACTS: tuple[type[Fact], ...] = (
    directory.HubRegisteredV1,
    directory.HubProfileChangedV1,
    directory.HubSnapshotV1,
)
"""What becomes of a hub."""

MEMBER_FACTS: tuple[type[Fact], ...] = (
    directory.MemberJoinedV1,
    directory.RoleChangedV1,
    directory.MemberLeftV1,
)
"""What becomes of somebody's membership."""

SIGN_IN_FACTS: tuple[type[Fact], ...] = (directory.SignInRequestedV1,)
"""Who wants to sign in."""

SPACE_FACTS: tuple[type[Fact], ...] = (
    booking.SpaceOpenedV1,
    booking.SpaceRulesChangedV1,
    booking.SpaceSnapshotV1,
)
"""What becomes of a space."""

BOOKING_FACTS: tuple[type[Fact], ...] = (
    booking.BookingHeldV1,
    booking.BookingConfirmedV1,
    booking.BookingMovedV1,
    booking.BookingCancelledV1,
    booking.BookingExpiredV1,
    booking.BookingCheckedInV1,
    booking.BookingCheckedOutV1,
    booking.BookingSnapshotV1,
)
"""What becomes of a booking."""

EVENT_FACTS: tuple[type[Fact], ...] = (
    events.EventPublishedV1,
    events.EventChangedV1,
    events.EventCancelledV1,
    events.EventHeldV1,
    events.EventProposedV1,
    events.EventReturnedV1,
    events.EventHiddenV1,
    events.EventShownV1,
    events.EventSnapshotV1,
)
"""What becomes of an event."""

SIGN_UP_FACTS: tuple[type[Fact], ...] = (
    events.SignUpPendingV1,
    events.PlaceTakenV1,
    events.PlaceAwaitedV1,
    events.PlaceOfferedV1,
    events.OfferDeclinedV1,
    events.OfferLapsedV1,
    events.PlaceGivenBackV1,
    events.AttendeeCameV1,
    events.SignUpSnapshotV1,
)
"""What becomes of somebody's place at an event."""

INTRODUCTION_FACTS: tuple[type[Fact], ...] = (
    matching.IntroductionSuggestedV1,
    matching.IntroductionAgreedV1,
    matching.IntroductionDeclinedV1,
    matching.IntroductionLapsedV1,
    matching.IntroductionWithdrawnV1,
    matching.IntroductionMetV1,
    matching.OutcomeSaidV1,
    matching.IntroductionSnapshotV1,
)
"""What becomes of an introduction."""

FORGETTING: tuple[type[Fact], ...] = (
    directory.PersonErasedV1,
    booking.BookerForgottenV1,
    events.ParticipantForgottenV1,
    matching.ProfileForgottenV1,
    notify.RecipientForgottenV1,
)
"""What services say among themselves when a person is erased."""

FORGETS: dict[str, type[PersonForgotten]] = {
    fact.service: fact for fact in FORGETTING if issubclass(fact, PersonForgotten)
}
"""The services that hold something of people, with what each answers when one is erased."""

HANDED_ON: dict[str, tuple[type[Fact], ...]] = {
    service: tuple(
        fact
        for fact in FACTS[service]
        if fact not in (*VENUE_WISHES, *VENUE_ANSWERS, *FORGETTING, *SIGN_IN_FACTS)
        and not issubclass(fact, Snapshot)
        # Who opens a profile to whom, and who meets whom, is between them and Foci.
        and service != "matching"
    )
    for service in FACTS
}
"""What outside systems are told, by service: neither snapshots, nor what two services agree between them, nor matching's,
nor that somebody signs in."""

CONSUMERS: tuple[Consumer, ...] = (
    Consumer(
        "booking__mirrors_hubs",
        stream_of("directory"),
        _filters(*HUB_FACTS),
    ),
    # In order means hearing every fact of the entity: one that is filtered away would be a gap that never closes.
    Consumer(
        "booking__frees_what_leavers_booked",
        stream_of("directory"),
        _filters(*MEMBER_FACTS),
    ),
    Consumer(
        "booking__measures_occupancy",
        stream_of("booking"),
        # What booking tells events about a room says nothing its own facts about the booking do not.
        _filters(
            *(
                fact
                for fact in FACTS["booking"]
                if "event" not in fact.model_fields and fact not in FORGETTING
            )
        ),
    ),
    Consumer("booking__keeps_venues", stream_of("events"), _filters(*VENUE_WISHES)),
    # The order of an entity drops what it has heard before; these hear it too, and mend what is apart.
    Consumer("booking__compares_venues", stream_of("events"), _filters(events.VenueWishSnapshotV1)),
    Consumer(
        "events__mirrors_hubs",
        stream_of("directory"),
        _filters(*HUB_FACTS),
    ),
    Consumer(
        "events__mirrors_spaces",
        stream_of("booking"),
        _filters(*SPACE_FACTS),
    ),
    Consumer(
        "events__frees_leavers_places",
        stream_of("directory"),
        _filters(*MEMBER_FACTS),
    ),
    Consumer("events__follows_venues", stream_of("booking"), _filters(*VENUE_ANSWERS)),
    Consumer("events__compares_venues", stream_of("booking"), _filters(booking.VenueSnapshotV1)),
    Consumer("matching__mirrors_hubs", stream_of("directory"), _filters(*HUB_FACTS)),
    Consumer("matching__mirrors_members", stream_of("directory"), _filters(*MEMBER_FACTS)),
    Consumer(
        "notify__mirrors_hubs",
        stream_of("directory"),
        _filters(*HUB_FACTS),
    ),
    Consumer(
        "notify__mirrors_members",
        stream_of("directory"),
        _filters(*MEMBER_FACTS),
    ),
    Consumer("notify__follows_sign_ins", stream_of("directory"), _filters(*SIGN_IN_FACTS)),
    Consumer(
        "notify__mirrors_spaces",
        stream_of("booking"),
        _filters(*SPACE_FACTS),
    ),
    Consumer("notify__follows_bookings", stream_of("booking"), _filters(*BOOKING_FACTS)),
    Consumer("notify__follows_events", stream_of("events"), _filters(*EVENT_FACTS)),
    Consumer("notify__follows_sign_ups", stream_of("events"), _filters(*SIGN_UP_FACTS)),
    Consumer("notify__follows_introductions", stream_of("matching"), _filters(*INTRODUCTION_FACTS)),
    # Webhooks are sent every fact that is not only between services; the service's own are handed on where they arise.
    *(
        Consumer(f"notify__hands_on_{service}", stream_of(service), _filters(*HANDED_ON[service]))
        for service in ("directory", "booking", "events")
    ),
    # Whoever holds something of a person hears that they are erased, and directory hears that it has been forgotten.
    *(
        Consumer(f"{service}__forgets_people", stream_of("directory"), _filters(directory.PersonErasedV1))
        for service in FORGETS
    ),
    *(
        Consumer(f"directory__hears_{service}_forgot", stream_of(service), _filters(fact))
        for service, fact in FORGETS.items()
    ),
)


FOLLOWED = frozenset({"matching"})
"""Services whose every replica also hears the service's own facts, to keep what it has in memory like its tables.

Each replica has an ordered consumer for as long as it is connected, which the server forgets with the connection: a durable
one would give each replica a part.
"""


def streams_written_by(service: str) -> tuple[Stream, ...]:
    """The streams a service's relay fills."""
    return tuple(stream for stream in STREAMS if stream.owner == service)


def consumer(durable: str) -> Consumer:
    """The declared consumer of that name."""
    return next(found for found in CONSUMERS if found.durable == durable)


def facts_heard_by(durable: str) -> tuple[type[Fact], ...]:
    """The fact classes a consumer listens to."""
    filters = consumer(durable).filters
    return tuple(fact for facts in FACTS.values() for fact in facts if fact.subject_for("*") in filters)
