"""What can be followed live: the topics a reader chooses from, and the facts each of them is made of."""

from __future__ import annotations

from shared.contracts.base import Fact, Snapshot
from shared.contracts.directory import facts as directory
from shared.contracts.matching import facts as matching
from shared.contracts.notify import facts as notify
from shared.contracts.streams import (
    BOOKING_FACTS,
    EVENT_FACTS,
    HUB_FACTS,
    INTRODUCTION_FACTS,
    MEMBER_FACTS,
    OCCUPANCY,
    SIGN_UP_FACTS,
    SPACE_FACTS,
    stream_of,
)

OCCUPANCY_TOPIC = "occupancy"
"""Figures of how full it is; numbers for staff, protected figures for everybody else."""
PUBLIC_OCCUPANCY_TYPE = "foci.booking.public-occupancy.v1"


def _told(*facts: type[Fact]) -> tuple[type[Fact], ...]:
    return tuple(fact for fact in facts if not issubclass(fact, Snapshot))


TOPICS: dict[str, tuple[type[Fact], ...]] = {
    OCCUPANCY_TOPIC: (),
    "hub": _told(*HUB_FACTS),
    "organisations": (directory.OrganisationRegisteredV1,),
    "members": _told(*MEMBER_FACTS),
    "spaces": _told(*SPACE_FACTS),
    "bookings": _told(*BOOKING_FACTS),
    "events": _told(*EVENT_FACTS),
    "sign-ups": _told(*SIGN_UP_FACTS),
    "introductions": _told(*INTRODUCTION_FACTS),
    "profiles": (matching.ProfileChangedV1, matching.ConsentGivenV1, matching.ConsentWithdrawnV1),
    "api-tokens": (directory.ApiTokenMadeV1, directory.ApiTokenRevokedV1),
    "webhooks": (notify.WebhookPausedV1, notify.WebhookResumedV1),
}
"""Facts by topic. One that stands in none is told to nobody live."""

TOPIC_OF: dict[type[Fact], str] = {fact: topic for topic, facts in TOPICS.items() for fact in facts}


def streams_for(topic: str) -> frozenset[str]:
    """The streams a topic's facts travel in."""
    if topic == OCCUPANCY_TOPIC:
        return frozenset({OCCUPANCY})
    return frozenset(stream_of(fact.service) for fact in TOPICS[topic])


LIVE_STREAMS: tuple[str, ...] = tuple(sorted({stream for topic in TOPICS for stream in streams_for(topic)}))
"""The streams each replica of the gateway follows."""
