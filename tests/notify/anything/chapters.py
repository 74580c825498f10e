"""What one person has to hear of one thing over one channel: worked out from what has happened, not by the service's rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from tests.notify.anything.somebody import KIND, Somebody, day_before, is_today
from tests.notify.anything.things import Booked, Happening, Place
from tests.world import ZONE

GATHERED = timedelta(seconds=130)
"""Edits have gathered by then."""
COUNTED_ON = ("attending", "waiting", "offered")
Said = tuple[str, str]
"""News, and the kind it is told as."""


@dataclass
class Chapter:
    """`told` is what they have been told, by the messages that say so; `ripe` since when nothing but the hour holds it up."""

    who: Somebody
    about: str
    thing: UUID
    channel: str
    first: datetime
    since: datetime
    urgent: bool = False
    ripe: datetime | None = None
    told: list[tuple[UUID, dict[str, Any]]] = field(default_factory=list)

    kinds: ClassVar[tuple[str, ...]] = ()
    """What news of it can be chosen as."""

    def expected(self, now: datetime) -> Said | None:
        """What is to be told now; None when they know."""
        raise NotImplementedError

    def may_also(self, news: str) -> bool:  # noqa: ARG002  # some chapters look at it
        """Whether it may be told, too, though it need not."""
        return False

    def is_now(self) -> dict[str, Any]:
        """How the thing is, as far as messages say."""
        return {}

    def tell(self, message: UUID, news: str) -> None:
        """A message says so."""
        self.told.append((message, self.is_now() | {"news": news}))

    def untell(self, message: UUID) -> None:
        """That message has not been sent after all."""
        self.told = [one for one in self.told if one[0] != message]

    def heard(self, now: datetime, *, urgent: bool = False) -> None:
        """Something has happened to it."""
        self.since, self.urgent, self.ripe = now, urgent, None

    def judged(self) -> None:
        """It has been looked at, and there was nothing to tell."""

    @property
    def known(self) -> dict[str, Any] | None:
        """What they were told last."""
        return self.told[-1][1] if self.told else None

    @property
    def came_back(self) -> bool:
        """Whether it was over once and is not any more: who looked at it in between had nothing to say, and knew it."""
        return False

    @property
    def is_muted(self) -> bool:
        """Whether nobody can say what they know: it was over, or they wanted to hear nothing for a while."""
        return self.came_back or (self.channel == "email" and bool(self.who.muted & set(self.kinds)))

    def is_ripe(self, now: datetime) -> bool:
        """Whether enough time has gone by since the last change."""
        return self.since + (timedelta(0) if self.urgent else GATHERED) <= now


def _loss(news: str, *, by_other: bool, start: datetime, now: datetime) -> Said:
    return news, "safety" if by_other and is_today(start, now, ZONE) else KIND[news]


@dataclass
class OfBooking(Chapter):
    """A booking, for whom it is."""

    kinds = ("booking",)
    it: Booked = field(kw_only=True)

    def is_now(self) -> dict[str, Any]:
        return {"status": self.it.status, "start": self.it.start}

    def expected(self, now: datetime) -> Said | None:
        it, known = self.it, self.known
        if it.end <= now:
            return None
        if it.status == "confirmed":
            if known is None or known["status"] != "confirmed":
                return "booked", "booking"
            return None if known["start"] == it.start else ("moved", "booking")
        counted_on = known is not None and known["status"] == "confirmed"
        if not counted_on and (known is not None or not it.by_other):
            return None
        return _loss("cancelled", by_other=it.by_other, start=it.start, now=now)

    def may_also(self, news: str) -> bool:
        # Looked at or not while it was over, nothing was to be said: then it is known, or it is new.
        return self.it.was_over and self.known is None and news in ("moved", "cancelled")


@dataclass
class OfPlace(Chapter):
    """A sign-up, for who signed up."""

    kinds = ("place", "offer", "event")
    it: Place = field(kw_only=True)

    @property
    def came_back(self) -> bool:
        return self.it.event.came_back

    def is_now(self) -> dict[str, Any]:
        event = self.it.event
        return {
            "status": self.it.status,
            "until": self.it.until,
            "start": event.start,
            "space": event.space,
            "fate": event.status if event.status in ("cancelled", "held") else "open",
        }

    def expected(self, now: datetime) -> Said | None:
        it, event = self.it, self.it.event
        if not event.version or event.end <= now:
            return None
        known = self.known or {"status": None, "fate": "open"}
        if event.status == "cancelled":
            if known["fate"] == "cancelled":
                return None
            if it.status == "cancelled":
                return ("place-gone", "place") if known["status"] in COUNTED_ON else None
            by_other = event.by != self.who.id
            lost = _loss("event-cancelled", by_other=by_other, start=event.start, now=now)
            return lost if it.status in COUNTED_ON else None
        news = self._news(known, now)
        return None if news is None else (news, KIND[news])

    def _news(self, known: dict[str, Any], now: datetime) -> str | None:
        it, before = self.it, known["status"]
        if it.status == "attending":
            if before != "attending":
                return "place-taken"
            same = all(known[part] == self.is_now()[part] for part in ("start", "space"))
            return None if same else "event-changed"
        if it.status in ("pending", "offered"):
            again = before == it.status and known["until"] == it.until
            over = it.until is None or it.until <= now
            return None if again or over else {"pending": "confirm", "offered": "place-offered"}[it.status]
        if it.status == "waiting":
            return None if before == "waiting" else "waiting"
        if it.status == "cancelled":
            return "place-gone" if before in COUNTED_ON else None
        return "offer-over" if before in ("waiting", "offered") and self._let_go() else None

    def _let_go(self) -> bool:
        """Whether they were offered a place, and are out of the line by nothing they did."""
        return self.it.status == "lapsed" or (self.it.status == "declined" and self.it.by != self.who.id)

    def may_also(self, news: str) -> bool:
        # An offer that was over before anybody could be told of it has been looked at, or not.
        return news == "offer-over" and self.known is None and self._let_go()


@dataclass
class OfReminder(Chapter):
    """What begins soon: a booking of theirs, or an event they go to."""

    kinds = ("reminder",)
    it: Booked | Place = field(kw_only=True)
    moment: datetime | None = None

    def is_now(self) -> dict[str, Any]:
        return {"start": self.start}

    @property
    def start(self) -> datetime:
        """When it begins."""
        return self.it.start if isinstance(self.it, Booked) else self.it.event.start

    def set(self, now: datetime, *, moved: bool) -> None:
        """It comes a day before, unless that is past already; one that is due stays while nothing has moved."""
        moment = day_before(self.start, ZONE)
        if self.it.takes_place and moment > now:
            self.moment = moment
        elif moved or not self.it.takes_place:
            self.moment = None
        self.heard(max(now, self.moment) if self.moment else now, urgent=True)

    def expected(self, now: datetime) -> Said | None:
        if self.moment is None or not self.moment <= now < self.start or not self.it.takes_place:
            return None
        known = self.known
        return None if known is not None and known["start"] == self.start else ("soon", "reminder")


@dataclass
class OfSpell(Chapter):
    """Something that concerns people while it lasts, once each time: an event that awaits approval, a paused webhook."""

    kinds = ("alert",)
    news: str = field(kw_only=True)
    it: Happening | None = field(kw_only=True, default=None)
    """The event, if it is one: when that is over nobody need approve it any more."""
    lasts: bool = False
    _stale: bool = False
    """They were told of a time that is over, and nobody has looked since."""

    @property
    def came_back(self) -> bool:
        return self.it is not None and self.it.came_back

    def begin(self, now: datetime) -> None:
        """It begins, or goes on."""
        if not self.lasts:
            self.lasts = True
            self._stale = self._stale or bool(self.told)
            self.told = []
        self.heard(now)

    def end(self, now: datetime) -> None:
        """It is over."""
        self.lasts = False
        self.heard(now)

    def tell(self, message: UUID, news: str) -> None:
        super().tell(message, news)
        self._stale = False

    def judged(self) -> None:
        if not self.lasts:
            self.told, self._stale = [], False

    def expected(self, now: datetime) -> Said | None:
        if self.it is not None and self.it.end <= now:
            return None
        return (self.news, KIND[self.news]) if self.lasts and not self.told and not self._stale else None

    def may_also(self, news: str) -> bool:  # noqa: ARG002  # there is only one
        return self.lasts and not self.told and self._stale


@dataclass
class OfProgramme(Chapter):
    """An event at one's hub: told once, when it can be seen."""

    kinds = ("programme",)
    it: Happening = field(kw_only=True)

    @property
    def came_back(self) -> bool:
        return self.it.came_back

    def is_now(self) -> dict[str, Any]:
        return {"start": self.it.start}

    def expected(self, now: datetime) -> Said | None:
        if self.told or not self.it.is_open or self.it.hidden or self.it.start <= now:
            return None
        return "new-event", "programme"


WEIGHT = ("event-hidden", "event-returned", "venue-lost", "event-published", "event-shown")


@dataclass
class OfOrganising(Chapter):
    """An event for who runs it: what the hub, or time, did with it and they have not been told."""

    kinds = ("event",)
    it: Happening = field(kw_only=True)
    owed: set[str] = field(default_factory=set)
    _stale: set[str] = field(default_factory=set)
    """Told and not true any more, which nobody has looked at yet: the same again is no difference."""

    @property
    def came_back(self) -> bool:
        return self.it.came_back

    def is_now(self) -> dict[str, Any]:
        return {"status": self.it.status, "start": self.it.start, "hidden": self.it.hidden}

    def happens(self, news: str) -> None:
        """It is so now."""
        if news in self._stale:
            return
        self.owed.add(news)

    def undone(self, news: str) -> None:
        """It is so no longer."""
        if news in self.owed:
            self.owed.discard(news)
        elif any(news in told["settled"] for _, told in self.told):
            self._stale.add(news)

    def expected(self, now: datetime) -> Said | None:
        if self.it.end <= now or self.it.status == "held":
            return None
        if self.it.status == "cancelled":
            by_other = "event-cancelled" in self.owed
            return _loss("event-cancelled", by_other=True, start=self.it.start, now=now) if by_other else None
        news = next((one for one in WEIGHT if one in self.owed), None)
        return None if news is None else (news, "event")

    def may_also(self, news: str) -> bool:
        return news in self._stale

    def tell(self, message: UUID, news: str) -> None:
        self.told.append((message, self.is_now() | {"news": news, "settled": set(self.owed) | {news}}))
        self.owed.clear()
        self._stale.clear()

    def untell(self, message: UUID) -> None:
        for one, told in self.told:
            if one == message:
                self.owed |= {news for news in told["settled"] if self.it.is_so(news)}
        super().untell(message)

    def judged(self) -> None:
        self._stale.clear()
