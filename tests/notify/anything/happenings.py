"""Everything that happens to bookings, events, sign-ups, choices and people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import rule
from sqlalchemy import text

from services.notify.commands import webhooks
from services.notify.tables import Webhook
from shared.contracts.base import Fact
from shared.contracts.booking import facts as booking
from shared.contracts.directory import facts as directory
from shared.contracts.directory.words import Role
from shared.contracts.events import facts as events
from shared.contracts.events.words import EventPart
from shared.contracts.notify.notices import QuietHours
from shared.contracts.notify.webhooks import ChangeWebhook, GetWebhook
from shared.contracts.notify.words import NoticeKind, Pace
from tests.notify.anything.machine import BEGINS, Machine
from tests.notify.world import HUB, World

FIRST_DAY = BEGINS + timedelta(days=9)
ARRIVAL = st.sampled_from(("now", "now", "now", "twice", "late", "late"))
MEMBERS = st.sampled_from(("ann", "bo"))
ANYBODY = st.sampled_from(("ann", "bo", "gun"))
CHOOSERS = st.sampled_from(("ann", "ann", "bo", "eva", "olga", "olle"))
NUMBER = st.integers(0, 2)
SELDOM = st.sampled_from((True, *[False] * 4))
PACES = st.sampled_from((*[Pace.NOW] * 2, *[Pace.DAILY] * 4, *[Pace.WEEKLY] * 3, Pace.OFF))
KINDS = st.sampled_from(
    [
        kind
        for kind in NoticeKind
        if kind not in (NoticeKind.CONFIRM, NoticeKind.SAFETY, NoticeKind.SIGN_IN, NoticeKind.REMINDER)
    ]
)
QUIET = st.sampled_from(((21, 7), (0, 0), (7, 9), (8, 18), (23, 5), (1, 3)))
DAYS = st.integers(0, 2)
_WEBHOOK = """
    INSERT INTO webhook (id, hub, url, name, state, created_by, created_at)
    VALUES (:id, :hub, 'https://hooks.example/in', 'The door', 'active', :by, :now)
"""


async def add_webhook(world: World, hook: UUID) -> None:
    """Olga has her system told; where it is nobody looks."""
    async with world.database.transaction() as session:
        given = {"id": hook, "hub": HUB, "by": world.person("olga"), "now": world.now}
        await session.execute(text(_WEBHOOK), given)


class Bookings(Machine):
    """What is booked, moved, and cancelled."""

    def __init__(self, database: str) -> None:
        super().__init__(database)
        self.slots: dict[int, tuple[UUID, str, datetime]] = {}

    @rule(data=st.data(), number=NUMBER, name=MEMBERS, by_other=st.booleans(), arrives=ARRIVAL, end=SELDOM)
    def a_booking(
        self, data: st.DataObject, number: int, name: str, by_other: bool, arrives: str, end: bool
    ) -> None:
        days = data.draw(DAYS)
        kind: Any = booking.BookingConfirmedV1
        start = FIRST_DAY + timedelta(days=days)
        if number not in self.slots:
            if not self.is_here(name):
                return
            if data.draw(SELDOM):
                start = self.world.now + timedelta(hours=4)
            self.slots[number] = (self.world.ids(), name, start)
        elif end:
            kind, start = booking.BookingCancelledV1, self.slots[number][2]
        else:
            kind = booking.BookingMovedV1
        thing, who, _ = self.slots[number]
        fact = self.world.booked(kind, thing, who=who, by="eva" if by_other else who, start=start)
        self.slots[number] = (thing, who, start)
        if end and kind is booking.BookingCancelledV1:
            del self.slots[number]
        self.state(arrives, fact)

    def is_here(self, name: str) -> bool:
        """Whether they still belong to the hub."""
        return self.account.people[self.world.person(name)].here


class Told:
    """An event as those say who run it: what the next fact about it can be."""

    def __init__(self, thing: UUID, start: datetime, series: UUID | None) -> None:
        self.thing, self.start, self.series = thing, start, series
        self.status, self.hidden, self.lost, self.space = "new", False, False, "studio"


class Events(Bookings):
    """What is proposed, published, changed, hidden and cancelled; a series is several at once."""

    def __init__(self, database: str) -> None:
        super().__init__(database)
        self.shows: dict[int, list[Told]] = {}

    @rule(data=st.data(), number=NUMBER, arrives=ARRIVAL)
    def an_event(self, data: st.DataObject, number: int, arrives: str) -> None:
        if number not in self.shows:
            self.shows[number] = self._new(data)
        shows = self.shows[number]
        happens = data.draw(st.sampled_from(self._possible(shows[0])))
        self.state(arrives, *(happens(data, show) for show in shows))
        if shows[0].status == "cancelled":
            del self.shows[number]

    def _new(self, data: st.DataObject) -> list[Told]:
        dates = data.draw(st.sampled_from((1, 1, 3)))
        first = FIRST_DAY + timedelta(days=data.draw(DAYS))
        if data.draw(SELDOM):
            first = self.world.now + timedelta(hours=5)
        series = self.world.ids() if dates > 1 else None
        return [Told(self.world.ids(), first + timedelta(days=7 * n), series) for n in range(dates)]

    def _possible(self, show: Told) -> list[Callable[[st.DataObject, Told], Fact]]:
        if show.status == "new":
            return [self._publish, self._publish, self._propose]
        if show.status == "awaiting":
            return [self._approve, self._approve, self._return]
        if show.status == "draft":
            return [self._propose, self._propose, self._cancel]
        return [
            self._move, self._move, self._reword, self._room, self._show if show.hidden else self._hide, self._cancel,
        ]  # fmt: skip

    def _fact(self, kind: type[Fact], show: Told, by: str | None, **more: Any) -> Fact:
        given: dict[str, Any] = {
            "start": show.start,
            "space": show.space,
            "series": show.series,
            "venue_lost": False,
        }
        fact: Fact = self.world.event(kind, show.thing, by=by, **(given | more))
        return fact

    def _publish(self, _: st.DataObject, show: Told) -> Fact:
        show.status = "published"
        return self._fact(events.EventPublishedV1, show, "olle")

    def _propose(self, _: st.DataObject, show: Told) -> Fact:
        show.status = "awaiting"
        return self._fact(events.EventProposedV1, show, "olle")

    def _approve(self, _: st.DataObject, show: Told) -> Fact:
        show.status = "published"
        return self._fact(events.EventPublishedV1, show, "olga")

    def _return(self, _: st.DataObject, show: Told) -> Fact:
        show.status = "draft"
        return self._fact(events.EventReturnedV1, show, "olga")

    def _move(self, _: st.DataObject, show: Told) -> Fact:
        show.start += timedelta(hours=3)
        return self._fact(events.EventChangedV1, show, "olle", changed=(EventPart.TIME,))

    def _reword(self, _: st.DataObject, show: Told) -> Fact:
        return self._fact(events.EventChangedV1, show, "olle", changed=(EventPart.TEXTS,))

    def _room(self, _: st.DataObject, show: Told) -> Fact:
        """The room is lost, or there is another one."""
        show.lost = not show.lost
        if not show.lost:
            show.space = "loft" if show.space == "studio" else "studio"
        by = None if show.lost else "olle"
        more: dict[str, Any] = {"changed": (EventPart.PLACE,), "venue_lost": show.lost}
        return self._fact(events.EventChangedV1, show, by, **more)

    def _hide(self, _: st.DataObject, show: Told) -> Fact:
        show.hidden = True
        return self._fact(events.EventHiddenV1, show, "eva")

    def _show(self, _: st.DataObject, show: Told) -> Fact:
        show.hidden = False
        return self._fact(events.EventShownV1, show, "eva")

    def _cancel(self, data: st.DataObject, show: Told) -> Fact:
        show.status = "cancelled"
        return self._fact(events.EventCancelledV1, show, data.draw(st.sampled_from(("olle", "eva"))))


class SignUps(Events):
    """Places: taken, waited for, offered, accepted, declined, lapsed, given back."""

    def __init__(self, database: str) -> None:
        super().__init__(database)
        self.places: dict[tuple[int, str], dict[str, Any]] = {}

    @rule(data=st.data(), number=NUMBER, name=ANYBODY, by_other=SELDOM, arrives=ARRIVAL)
    def a_place(self, data: st.DataObject, number: int, name: str, by_other: bool, arrives: str) -> None:
        place = self.places.get((number, name))
        if place is None:
            shows = self.shows.get(number)
            if shows is None or shows[0].status != "published" or not self.is_here(name):
                return
            place = {"thing": self.world.ids(), "event": shows[0].thing, "status": "new", "until": BEGINS}
            self.places[number, name] = place
        facts = self._next(place, guest=name == "gun", over=self.world.now >= place["until"])
        fact, status = data.draw(st.sampled_from(facts))
        by: str | None = "eva" if by_other and status == "cancelled" else ""
        if status in ("lapsed", "offered"):
            by = None
        more: dict[str, Any] = {"guest": name == "gun"}
        if status in ("pending", "offered"):
            more["until"] = place["until"] = self.world.now + timedelta(
                hours=data.draw(st.sampled_from((2, 24)))
            )
        given = self.world.sign_up(fact, place["thing"], event=place["event"], who=name, by=by, **more)
        place["status"] = status
        if status in ("declined", "lapsed", "cancelled"):
            del self.places[number, name]
        self.state(arrives, given)

    @staticmethod
    def _next(place: dict[str, Any], *, guest: bool, over: bool) -> list[tuple[type[Fact], str]]:
        taken, back = (events.PlaceTakenV1, "attending"), (events.PlaceGivenBackV1, "cancelled")
        lapsed = (events.OfferLapsedV1, "lapsed")
        possible: dict[str, list[tuple[type[Fact], str]]] = {
            "new": [taken, (events.PlaceAwaitedV1, "waiting"), (events.PlaceAwaitedV1, "waiting")],
            "pending": [lapsed] if over else [taken],
            "attending": [back, back, (events.PlaceAwaitedV1, "waiting")],
            "waiting": [*[(events.PlaceOfferedV1, "offered")] * 3, taken, back],
            "offered": [lapsed] if over else [taken, taken, (events.OfferDeclinedV1, "declined"), back],
        }
        if guest and place["status"] == "new":
            return [(events.SignUpPendingV1, "pending")]
        return possible[place["status"]]


class Anything(SignUps):
    """What people choose, and that they leave; webhooks that fail."""

    hook: UUID | None = None

    @rule(name=CHOOSERS, kind=KINDS, pace=PACES)
    def somebody_chooses(self, name: str, kind: NoticeKind, pace: Pace) -> None:
        if kind is NoticeKind.OFFER and pace in {Pace.DAILY, Pace.WEEKLY}:
            return
        self.choose(name, kind, pace)

    def choose(self, name: str, kind: NoticeKind, pace: Pace) -> None:
        """They want mail of that kind at that pace."""
        self.run(self.mailing.choose(name, kind, pace))
        self.account.chooses(self.world.person(name), kind.value, pace.value)

    @rule(name=CHOOSERS, hours=QUIET)
    def somebody_sleeps_otherwise(self, name: str, hours: tuple[int, int]) -> None:
        start, end = time(hours[0]), time(hours[1])
        self.run(self.mailing.change(name, quiet=QuietHours(start=start, end=end)))
        self.account.sleeps(self.world.person(name), (start, end), self.world.now)

    @rule(name=MEMBERS, erased=st.booleans(), arrives=ARRIVAL, surely=SELDOM)
    def somebody_leaves(self, name: str, erased: bool, arrives: str, surely: bool) -> None:
        if surely and self.is_here(name):
            self.leave(name, erased=erased, arrives=arrives)

    def leave(self, name: str, *, erased: bool, arrives: str = "now") -> None:
        """They leave the hub, or are erased altogether; the others hear of it sooner or later."""
        who = self.world.person(name)
        contact = self.mailing.contacts[HUB, who]
        if erased:
            self.mailing.forget(name)
        else:
            self.mailing.contacts[HUB, who] = contact.model_copy(update={"left_at": self.world.now})
        person = self.account.people[who]
        person.left_at, person.erased = self.world.now, erased
        self.state(arrives, self.world.fact(directory.MemberLeftV1, f"{HUB}/{who}", person=who))

    @rule()
    def a_webhook_fails_or_is_mended(self) -> None:
        paused = self.run(self._webhook())
        assert self.hook is not None
        self.account.webhook(self.hook, self.world.now, paused=paused)

    async def _webhook(self) -> bool:
        hook = self.hook
        if hook is None:
            hook = self.hook = self.world.ids()
            await add_webhook(self.world, hook)
        async with self.world.database.transaction() as session:
            row = await session.get_one(Webhook, hook)
            if row.state == "active":
                now, ids = self.world.now, self.world.ids
                await webhooks.pause(session, row, because="failing", now=now, ids=ids)
                return True
        view = await self.world.ask(GetWebhook(hub=HUB, webhook=hook), "olga", Role.OPERATOR)
        change = ChangeWebhook(hub=HUB, webhook=hook, active=True, version=view.version)
        await self.world.ask(change, "olga", Role.OPERATOR)
        return False
