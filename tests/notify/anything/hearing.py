"""What the account makes of facts: whoever must hear of them has a chapter for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.contracts.base import Fact
from shared.contracts.booking import facts as booking
from shared.contracts.directory import facts as directory
from shared.contracts.events import facts as events
from tests.notify.anything.chapters import (
    Chapter,
    OfBooking,
    OfOrganising,
    OfPlace,
    OfProgramme,
    OfReminder,
    OfSpell,
)
from tests.notify.anything.somebody import Somebody
from tests.notify.anything.things import Booked, Happening, Place

CHANNELS = ("email", "inbox")
STAFF = ("host", "operator")
PLACES: dict[type[Fact], str] = {
    events.SignUpPendingV1: "pending",
    events.PlaceTakenV1: "attending",
    events.PlaceAwaitedV1: "waiting",
    events.PlaceOfferedV1: "offered",
    events.OfferDeclinedV1: "declined",
    events.OfferLapsedV1: "lapsed",
    events.PlaceGivenBackV1: "cancelled",
}
EVENTS: dict[type[Fact], str] = {
    events.EventProposedV1: "awaiting",
    events.EventReturnedV1: "draft",
    events.EventPublishedV1: "published",
    events.EventChangedV1: "changed",
    events.EventCancelledV1: "cancelled",
}
Key = tuple[UUID, str, UUID, str]


def _order(fact: Fact) -> int:
    """Members before sign-ups before events, as those are heard that come together."""
    return 2 if _is_of_event(fact) else 1 if isinstance(fact, tuple(PLACES)) else 0


def _is_of_event(fact: Fact) -> bool:
    return isinstance(fact, (*EVENTS, events.EventHiddenV1, events.EventShownV1))


@dataclass
class Hearing:
    """Things as heard so far, and everybody's chapters about them."""

    begun: datetime
    people: dict[UUID, Somebody] = field(default_factory=dict)
    chapters: dict[Key, Chapter] = field(default_factory=dict)
    booked: dict[UUID, Booked] = field(default_factory=dict)
    happenings: dict[UUID, Happening] = field(default_factory=dict)
    places: dict[UUID, Place] = field(default_factory=dict)
    _heard: set[UUID] = field(default_factory=set)

    def hear(self, facts: Iterable[Fact], now: datetime) -> None:
        """The service has heard these."""
        fresh = {fact.id: fact for fact in facts if fact.id not in self._heard}
        self._heard |= set(fresh)
        for fact in sorted(fresh.values(), key=_order):
            if isinstance(fact, (directory.MemberJoinedV1, directory.MemberLeftV1)):
                self.people[fact.person].joined = isinstance(fact, directory.MemberJoinedV1)
            elif _is_of_event(fact):
                self._hear_of_event(fact, now)
            elif type(fact) in PLACES:
                self._hear_of_place(fact, now)
            else:
                self._hear_of_booking(fact, now)

    def _both(self, make: Any, who: UUID, about: str, thing: UUID, now: datetime, **more: Any) -> list[Any]:
        """The chapters of somebody about something, over both channels; a guest has no inbox."""
        channels = CHANNELS if self.people[who].role != "guest" else ("email",)
        found = []
        for channel in channels:
            key = (who, about, thing, channel)
            if key not in self.chapters:
                self.chapters[key] = make(self.people[who], about, thing, channel, now, now, **more)
            found.append(self.chapters[key])
        return found

    # --- bookings ---

    def _hear_of_booking(self, fact: Any, now: datetime) -> None:
        thing = UUID(fact.subject)
        it = self.booked.setdefault(thing, Booked(fact.person))
        chapters = self._both(OfBooking, fact.person, "booking", thing, now, it=it)
        if fact.subject_version > it.version:
            moved = bool(it.version) and it.start != fact.start
            it.was_over |= bool(it.version) and it.end <= now
            it.version, it.start, it.end = fact.subject_version, fact.start, fact.end
            it.status = "cancelled" if isinstance(fact, booking.BookingCancelledV1) else "confirmed"
            it.by_other = fact.by != fact.person
            self._remind(it, thing, now, moved=moved)
        for chapter in chapters:
            chapter.heard(now, urgent=it.status == "cancelled" and it.by_other)

    def _remind(self, it: Booked | Place, thing: UUID, now: datetime, *, moved: bool) -> None:
        for chapter in self._both(OfReminder, it.person, "reminder", thing, now, it=it):
            chapter.set(now, moved=moved)

    # --- sign-ups ---

    def _hear_of_place(self, fact: Any, now: datetime) -> None:
        thing = UUID(fact.subject)
        event = self._happening(fact.event)
        it = self.places.setdefault(thing, Place(fact.person, event, fact.guest))
        chapters = self._both(OfPlace, fact.person, "sign-up", thing, now, it=it)
        if fact.subject_version > it.version:
            it.version, it.status, it.by = fact.subject_version, PLACES[type(fact)], fact.by
            it.until = getattr(fact, "until", None)
            if event.version:
                self._remind(it, thing, now, moved=False)
        lost = it.status == "cancelled" and it.by not in (None, it.person)
        for chapter in chapters:
            chapter.heard(now, urgent=lost or it.status in ("pending", "offered"))

    def _happening(self, event: UUID) -> Happening:
        return self.happenings.setdefault(event, Happening(event))

    # --- events ---

    def _hear_of_event(self, fact: Any, now: datetime) -> None:
        it = self._happening(UUID(fact.subject))
        it.early[fact.subject_version] = fact
        while it.version + 1 in it.early:
            self._happens(it, it.early.pop(it.version + 1), now)

    def _happens(self, it: Happening, fact: Any, now: datetime) -> None:
        before, start, lost = it.status, it.start, it.venue_lost
        first = not it.version
        it.came_back |= not first and it.end <= now < fact.end
        it.version, it.by, it.organisers = fact.subject_version, fact.by, fact.organisers
        it.start, it.end, it.space = fact.start, fact.end, fact.space
        it.status = EVENTS.get(type(fact), it.status)
        if isinstance(fact, (events.EventHiddenV1, events.EventShownV1)):
            it.hidden = isinstance(fact, events.EventHiddenV1)
        if isinstance(fact, events.EventChangedV1):
            it.venue_lost = fact.venue_lost or (lost and "place" not in fact.changed)
        for who in it.organisers:
            for chapter in self._both(OfOrganising, who, "organising", it.id, now, it=it):
                self._to_organiser(chapter, fact, before=before, lost=lost)
                chapter.heard(now, urgent=it.status == "cancelled")
        self._to_staff(it, fact, before, now)
        self._to_members(it, fact, now)
        for thing, place in self.places.items():
            if place.event is it:
                self._remind(place, thing, now, moved=not first and start != it.start)
                for chapter in self._both(OfPlace, place.person, "sign-up", thing, now, it=place):
                    chapter.heard(now, urgent=it.status == "cancelled")

    def _to_organiser(self, chapter: OfOrganising, fact: Any, *, before: str, lost: bool) -> None:
        it = chapter.it
        by_other = fact.by != chapter.who.id
        if isinstance(fact, events.EventCancelledV1):
            chapter.owed = {"event-cancelled"} if by_other else set()
        elif isinstance(fact, events.EventReturnedV1):
            chapter.happens("event-returned")
        elif isinstance(fact, events.EventProposedV1):
            chapter.undone("event-returned")
        elif isinstance(fact, events.EventPublishedV1) and before == "awaiting":
            chapter.happens("event-published")
        elif isinstance(fact, events.EventHiddenV1):
            self._to_and_fro(chapter, "event-hidden", "event-shown")
        elif isinstance(fact, events.EventShownV1):
            self._to_and_fro(chapter, "event-shown", "event-hidden")
        if it.venue_lost and not lost:
            chapter.happens("venue-lost")
        elif lost and not it.venue_lost:
            chapter.undone("venue-lost")

    @staticmethod
    def _to_and_fro(chapter: OfOrganising, news: str, opposite: str) -> None:
        """Who has not been told of the one need not hear of the other."""
        if opposite in chapter.owed:
            chapter.owed.discard(opposite)
        else:
            chapter.owed.add(news)

    def _to_staff(self, it: Happening, fact: Any, before: str, now: datetime) -> None:
        if isinstance(fact, events.EventProposedV1):
            for who in self.people.values():
                if who.role in STAFF and who.joined and who.id != fact.by:
                    more = {"news": "awaits-approval", "it": it}
                    for chapter in self._both(OfSpell, who.id, "approving", it.id, now, **more):
                        chapter.begin(now)
        elif before == "awaiting":
            for (_, about, thing, _), chapter in self.chapters.items():
                if (about, thing) == ("approving", it.id) and isinstance(chapter, OfSpell):
                    chapter.end(now)

    def _to_members(self, it: Happening, fact: Any, now: datetime) -> None:
        seen_now = isinstance(fact, (events.EventPublishedV1, events.EventShownV1))
        if not seen_now or not it.is_open or it.hidden or it.start <= now:
            return
        for who in self.people.values():
            if who.joined and who.id not in it.organisers:
                key = (who.id, "programme", it.id, "email")
                if key not in self.chapters:
                    self.chapters[key] = OfProgramme(who, "programme", it.id, "email", now, now, it=it)
                self.chapters[key].heard(now)

    # --- webhooks ---

    def webhook(self, webhook: UUID, now: datetime, *, paused: bool) -> None:
        """Foci does not send to it any more, or does again."""
        for who in self.people.values():
            if who.role == "operator" and who.joined:
                for chapter in self._both(OfSpell, who.id, "webhook", webhook, now, news="webhook-paused"):
                    if paused:
                        chapter.begin(now)
                        chapter.urgent = True
                    else:
                        chapter.end(now)
