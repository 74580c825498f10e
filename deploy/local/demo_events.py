"""Loads what the demo federation meets for: a year of meetups that have been, and what is ahead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from deploy.local.demo_data import HUBS, Hub
from deploy.local.demo_door import Door
from deploy.local.demo_programme import AHEAD, COFFICE, LAST_YEAR, THEME, Ahead, Held, held, theme_events

CALENDAR = "demo-first-year"
ADDRESS = "Kajgatan 4, Alvhamn"
Moment = Callable[[date, str, Hub], str]


@dataclass(frozen=True)
class DemoEvents:
    """One loading of the events."""

    door: Door
    today: date
    people: Mapping[tuple[str, str], UUID]
    moment: Moment
    """A time of day in a hub's zone."""
    advance: Callable[[], None]

    def jobs(self) -> list[Awaitable[None]]:
        """Everything there is to load; the order does not matter."""
        past = [self._held(one) for one in held(self.today.year - 1)]
        return [*past, *(self._ahead(number, one) for number, one in enumerate(AHEAD)), self._theme()]

    def _operator(self, hub: Hub) -> UUID:
        return self.people[hub.slug, next(name for name, role in hub.staff.items() if role == "operator")]

    async def _held(self, meetup: Held) -> None:
        """A meetup of last year, imported like anybody's calendar, and how many came."""
        hub = _hub(COFFICE)
        operator = self._operator(hub)
        body = {
            "title": meetup.title,
            "text": meetup.text,
            "language": "sv",
            "kind": meetup.kind,
            "start": self.moment(meetup.day, meetup.starts, hub),
            "end": self.moment(meetup.day, meetup.ends, hub),
            "place": {"address": ADDRESS},
            "source": {"calendar": CALENDAR, "uid": meetup.uid},
            "publish": True,
        }
        path = f"/v1/hubs/{hub.slug}/events"
        made = await self.door.post(path, body, person=operator, key=f"demo-{meetup.uid}")
        known = made.get("status") == 409
        arrivals = f"{path}/{made['event'] if known else made['id']}/check-in"
        missing = meetup.came
        if known:
            # An earlier start came this far: whoever has been counted is not counted again.
            missing -= (await self.door.post(arrivals, {"walk_ins": 0}, person=operator))["walk_ins"]
        if missing:
            key = f"demo-{meetup.uid}-came"
            await self.door.post(arrivals, {"walk_ins": missing}, person=operator, key=key)
        self.advance()

    async def _known(self, ahead: Ahead) -> bool:
        """Whether an earlier start, perhaps of another day, has made it: keys are kept for a day only."""
        # A theme has no place in time of its own: its first event stands for it.
        wanted = next(theme_events())[3] if ahead is THEME else ahead.texts[ahead.language]["title"]
        person = self.people[ahead.hub, ahead.person]
        after = (self.today + timedelta(days=ahead.day)).isoformat()
        more = {"from": f"{after}T00:00", "limit": "100"}
        page = await self.door.get(f"/v1/hubs/{ahead.hub}/events", person=person, **more)
        # The first date of a series, and everything else, lies within a week of its day.
        return any(wanted in (text["title"] for text in item["texts"].values()) for item in page["items"])

    async def _ahead(self, number: int, ahead: Ahead) -> None:
        hub = _hub(ahead.hub)
        person = self.people[ahead.hub, ahead.person]
        day = ahead.on(self.today)
        body = {
            "texts": ahead.texts,
            "language": ahead.language,
            "start": self.moment(day, ahead.starts, hub),
            "end": self.moment(day, ahead.ends, hub),
            "publish": True,
            **ahead.more,
        }
        path = f"/v1/hubs/{hub.slug}/events"
        if not await self._known(ahead):
            made = await self.door.post(path, body, person=person, key=f"demo-ahead-{self.today}-{number}")
            places = f"{path}/{made['id']}/sign-ups"
            await self._signed_up(places, hub, ahead, key=f"demo-{made['id']}")
        self.advance()

    async def _signed_up(self, places: str, hub: Hub, ahead: Ahead, *, key: str) -> None:
        members = [self.people[hub.slug, name] for name in hub.members[: ahead.signed_up]]
        made = [await self.door.post(places, {}, person=member, key=key) for member in members]
        for member, sign_up in islice(zip(members, made, strict=True), ahead.given_back):
            await self.door.delete(f"{places}/{sign_up['id']}", person=member)

    async def _theme(self) -> None:
        """A week of three events a day."""
        hub = _hub(THEME.hub)
        monday = THEME.on(self.today)
        events = [
            {
                "title": title,
                "language": THEME.language,
                "kind": "training",
                "start": self.moment(monday + timedelta(days=day), starts, hub),
                "end": self.moment(monday + timedelta(days=day), ends, hub),
                "place": {"address": ADDRESS},
                "capacity": 25,
            }
            for day, starts, ends, title in theme_events()
        ]
        body: dict[str, Any] = {
            "texts": THEME.texts,
            "language": THEME.language,
            "events": events,
            "publish": True,
        }
        if not await self._known(THEME):
            person = self.people[hub.slug, THEME.person]
            await self.door.post(
                f"/v1/hubs/{hub.slug}/series", body, person=person, key=f"demo-theme-{self.today}"
            )
        self.advance()


def _hub(slug: str) -> Hub:
    return next(hub for hub in HUBS if hub.slug == slug)


def size() -> int:
    """How many parts there are to load."""
    return sum(sort.meetups for sort in LAST_YEAR) + len(AHEAD) + 1
