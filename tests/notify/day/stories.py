"""What happens on the simulated day: facts of bookings and events at random moments, and what has to be told of them."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from shared.contracts.base import Fact
from shared.contracts.booking import facts as booking
from shared.contracts.booking.words import SpaceKind
from shared.contracts.directory import facts as directory
from shared.contracts.events import facts as events
from tests.notify.day.account import GATHER, HEARD_AFTER, Change, Day, Key, Line, Thing, Unclear
from tests.notify.day.people import Hub, Person
from tests.notify.world import World

BEGINS = datetime(2027, 3, 27, 10, tzinfo=UTC)
"""A Saturday; that night the clocks go forward in most of the zones."""
FACTS_UNTIL = BEGINS + timedelta(hours=24)
ENDS = BEGINS + timedelta(hours=50)
"""By then it is Monday noon in the zone that is farthest behind: digests and mornings are over."""
DAY = Day(
    away_from=datetime(2027, 3, 27, 14, 0, tzinfo=UTC),
    away_until=datetime(2027, 3, 27, 15, 0, tzinfo=UTC),
    ends=ENDS,
)
SECOND = timedelta(seconds=1)
LASTS = AN_HOUR = timedelta(hours=1)
TRIES = 12
_STATUS: dict[str, type[Fact]] = {
    "attending": events.PlaceTakenV1,
    "waiting": events.PlaceAwaitedV1,
    "offered": events.PlaceOfferedV1,
    "cancelled": events.PlaceGivenBackV1,
}


@dataclass
class Script:
    """Facts in the order they happen, and what has to be told because of them."""

    world: World
    chance: random.Random
    facts: list[Fact] = field(default_factory=list)
    things: dict[UUID, Thing] = field(default_factory=dict)
    expected: dict[Key, list[Line]] = field(default_factory=lambda: defaultdict(list))

    def write(self, hubs: Sequence[Hub], bookings: int, at_events: int, programme: int) -> None:
        """So many bookings, and so many events with so many sign-ups, in each hub."""
        for hub in hubs:
            for _ in range(bookings):
                self._booking(hub)
            for _ in range(programme):
                self._event(hub, at_events // programme)
        self.facts.sort(key=lambda fact: fact.occurred_at)

    def settling(self, hubs: Sequence[Hub]) -> list[Fact]:
        """What had been heard of the hubs before."""
        made: list[Fact] = []
        for hub in hubs:
            at: dict[str, Any] = {"hub": hub.slug, "occurred_at": BEGINS}
            name = hub.slug.title()
            made.append(
                self.world.fact(directory.HubRegisteredV1, hub.slug, name=name, time_zone=hub.zone, **at)
            )
            made.append(
                self.world.fact(
                    booking.SpaceOpenedV1, f"{hub.slug}/studio", space="studio", name="Studion", kind=SpaceKind.ROOM, **at
                )
            )  # fmt: skip
            made += [
                self.world.fact(
                    directory.MemberJoinedV1, f"{hub.slug}/{one.id}", person=one.id, role="member", **at
                )
                for one in hub.people
                if one.member
            ]
        return made

    def _sometime(self, first: datetime = BEGINS, last: datetime = FACTS_UNTIL) -> datetime:
        seconds = max(int((last - first).total_seconds()), 1)
        return first + SECOND * self.chance.randrange(seconds)

    def _begin(self, zone: str) -> datetime:
        """The beginning of something on one of the days from the Sunday on, by day."""
        day = self.chance.choices((28, 29, 30, 31), (4, 4, 1, 3))[0]
        wall = datetime(
            2027, 3, day, self.chance.randint(8, 20), 15 * self.chance.randrange(4), tzinfo=ZoneInfo(zone)
        )
        return wall.astimezone(UTC)

    # --- bookings ---

    def _booking(self, hub: Hub) -> None:
        person = self.chance.choice(hub.people)
        for _ in range(TRIES):
            begins = self._begin(hub.zone)
            first = self._sometime(last=min(FACTS_UNTIL, begins - timedelta(hours=1)))
            changes = self._changes(first, begins, hub.zone)
            if all(
                one.at < min(FACTS_UNTIL, one.begins - timedelta(hours=1)) for one in changes
            ) and self._take(Thing(person, hub.zone, "booking", self.world.ids(), changes)):
                return

    def _changes(self, first: datetime, begins: datetime, zone: str) -> tuple[Change, ...]:
        """One of the ways bookings go."""
        made = Change(first, "on", begins)
        way = self.chance.choices(range(5), (9, 3, 2, 1, 3))[0]
        soon = [first + SECOND * 15 * (number + 1) for number in range(self.chance.randint(1, 3))]
        later = self._sometime(first + timedelta(minutes=30))
        if way == 1:  # edits in quick succession
            return (
                made,
                *(Change(at, "on", begins + timedelta(minutes=15 * (1 + n))) for n, at in enumerate(soon)),
            )
        if way == 2:
            return (made, Change(later, "on", self._begin(zone)))
        if way == 3:  # overtaken before it is told
            return (made, Change(first + SECOND * 5, "off", begins))
        if way == 4:
            other = self.chance.random() < 0.5
            return (made, Change(later, "off", begins, by_other=other, urgent=other))
        return (made,)

    def _take(self, thing: Thing) -> bool:
        """The thing happens, unless nobody can say what has to be told of it."""
        reminder = replace(thing, about="reminder")
        try:
            lines = {
                (one.person.id, one.about, one.id, channel): tell(one, channel)
                for one, tell in ((thing, DAY.lines), (reminder, DAY.reminders))
                for channel in ("email", "inbox")
            }
        except Unclear:
            return False
        if any(line.latest >= ENDS for some in lines.values() for line in some):
            return False
        self.things[thing.id] = thing
        self.expected.update({key: some for key, some in lines.items() if some})
        if thing.about == "booking":
            self.facts += [self._booked(thing, number) for number in range(len(thing.changes))]
        return True

    def _booked(self, thing: Thing, number: int) -> Fact:
        now = thing.changes[number]
        kind: type[Fact] = booking.BookingMovedV1 if number else booking.BookingConfirmedV1
        if now.status == "off":
            kind = booking.BookingCancelledV1
        return self._fact(
            kind,
            thing.id,
            at=now.at,
            hub=thing.person.hub,
            space="studio",
            start=now.begins,
            end=now.begins + LASTS,
            person=thing.person.id,
            by=UUID(int=1) if now.by_other else thing.person.id,
        )

    def _fact(self, kind: type[Fact], thing: UUID, *, at: datetime, **said: Any) -> Fact:
        known = {name: value for name, value in said.items() if name in kind.model_fields}
        return self.world.fact(kind, thing, occurred_at=at, **known)

    # --- events ---

    def _event(self, hub: Hub, sign_ups: int) -> None:
        organiser, event = self.chance.choice(hub.people), self.world.ids()
        begins = self._begin(hub.zone) + timedelta(days=self.chance.choice((0, 2)))
        published = self._sometime(last=min(BEGINS + timedelta(hours=12), begins - timedelta(hours=3)))
        fate = self._fate(published, begins)
        for one in (Change(published, "", begins), *fate):
            kind: type[Fact] = events.EventPublishedV1 if one.at == published else events.EventChangedV1
            if one.status == "called-off":
                kind = events.EventCancelledV1
            self.facts.append(
                self._fact(
                    kind,
                    event,
                    at=one.at,
                    hub=hub.slug,
                    organisers=(organiser.id,),
                    by=organiser.id,
                    start=one.begins,
                    end=one.begins + LASTS,
                    space="studio",
                    online=False,
                    series=None,
                    titles={"sv": "Frukost", "en": "Breakfast"},
                    changed=("time",),
                    venue_lost=False,
                )
            )
        self._announce(hub, organiser, event, published, begins, fate)
        for _ in range(sign_ups):
            self._sign_up(hub, organiser, event, published, begins, fate)

    def _fate(self, published: datetime, begins: datetime) -> tuple[Change, ...]:
        """What becomes of an event: mostly nothing."""
        at = self._sometime(
            published + timedelta(hours=1), max(begins - timedelta(hours=1), published + timedelta(hours=2))
        )
        way = self.chance.choices(range(3), (6, 2, 2))[0]
        if way == 0 or at >= FACTS_UNTIL:
            return ()
        if way == 1:
            return (Change(at, "", begins + timedelta(minutes=30)),)
        return (Change(at, "called-off", begins, by_other=True, urgent=True),)

    def _announce(
        self,
        hub: Hub,
        organiser: Person,
        event: UUID,
        published: datetime,
        begins: datetime,
        fate: tuple[Change, ...],
    ) -> None:
        """Its hub's members hear of it in their weekly digests, if it still takes place then."""
        for one in hub.people:
            moment = one.after_quiet(one.next_digest(published + GATHER, "weekly"))
            off = any(change.status == "called-off" and change.at <= moment for change in fate)
            if (
                not one.member
                or one.id == organiser.id
                or moment + AN_HOUR / 2 > ENDS
                or off
                or begins <= moment
            ):
                continue
            digest = f"{hub.slug} {one.id} weekly {moment.isoformat()}"
            line = Line("new-event", moment, moment + AN_HOUR / 2, digest=digest)
            self.expected[one.id, "programme", event, "email"] = [line]

    def _sign_up(
        self,
        hub: Hub,
        organiser: Person,
        event: UUID,
        published: datetime,
        begins: datetime,
        fate: tuple[Change, ...],
    ) -> None:
        person = self.chance.choice(hub.people)
        last = min([FACTS_UNTIL, begins - timedelta(hours=1), *(one.at for one in fate)])
        first = self._sometime(published + timedelta(minutes=2), last)
        if person is organiser or first >= last - 2 * HEARD_AFTER:
            return
        own = [one for one in self._place(first, begins) if one.at < last - 2 * HEARD_AFTER]
        after = [
            replace(one, status=one.status or own[-1].status, at=one.at)
            for one in fate
            if own[-1].status != "cancelled"
        ]
        thing = Thing(person, hub.zone, "sign-up", self.world.ids(), (*own, *after))
        if self._take(thing):
            self.facts += [self._signed_up(thing, event, one) for one in own]

    def _place(self, first: datetime, begins: datetime) -> list[Change]:
        """One of the ways sign-ups go."""
        at = [
            first,
            *sorted(
                self._sometime(first + timedelta(minutes=30), FACTS_UNTIL + timedelta(hours=1))
                for _ in range(2)
            ),
        ]
        way = self.chance.choices(
            (("attending",), ("attending", "cancelled"), ("waiting",), ("waiting", "offered", "attending")),
            (6, 2, 2, 2),
        )[0]
        return [Change(at[n], status, begins, urgent=status == "offered") for n, status in enumerate(way)]

    def _signed_up(self, thing: Thing, event: UUID, change: Change) -> Fact:
        return self._fact(
            _STATUS[change.status],
            thing.id,
            at=change.at,
            event=event,
            hub=thing.person.hub,
            person=thing.person.id,
            guest=False,
            way="room",
            start=change.begins,
            number=1,
            by=thing.person.id,
            until=change.at + timedelta(hours=24),
        )
