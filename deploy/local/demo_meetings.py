"""Introductions of the demo federation in each of their states, and what its hubs want for the town."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from deploy.local.demo_data import HUBS
from deploy.local.demo_door import Door
from deploy.local.demo_programme import COFFICE, LINDEBY


@dataclass(frozen=True)
class Meeting:
    """Two people a hub's staff suggests to each other, who of them says yes, and what came of it for each."""

    hub: str
    one: str
    other: str
    yes: tuple[str, ...] = ()
    outcomes: tuple[tuple[str, str], ...] = ()


MEETINGS: tuple[Meeting, ...] = (
    Meeting(
        COFFICE,
        "Birk Havling",
        "Aina Strandmo",
        yes=("Birk Havling", "Aina Strandmo"),
        outcomes=(("Birk Havling", "help"), ("Aina Strandmo", "collaboration")),
    ),
    Meeting(COFFICE, "Vera Sandlöf", "David Ekerö-Lund", yes=("Vera Sandlöf", "David Ekerö-Lund")),
    Meeting(COFFICE, "Cajsa Lodvik", "Iris Klintberg", yes=("Cajsa Lodvik",)),
    Meeting(COFFICE, "Jonas Tallung", "Elin Sjöbrandt"),
    Meeting(LINDEBY, "Ida Fjeldsted", "Oskar Lyngby-Holm"),
)
WANTED: tuple[tuple[str, str, int], ...] = (
    (COFFICE, "public-relations", 3),
    (COFFICE, "digital-marketing", 2),
    (LINDEBY, "web-design", 1),
)
"""Hub, skill, how many."""


@dataclass(frozen=True)
class DemoMeetings:
    """One loading of introductions and of what hubs want; after the profiles."""

    door: Door
    people: Mapping[tuple[str, str], UUID]
    advance: Callable[[], None]

    def jobs(self) -> Iterator[Awaitable[None]]:
        """Everything; the order does not matter."""
        yield from (self._meeting(meeting) for meeting in MEETINGS)
        yield from (self._wanted(hub, concept, wanted) for hub, concept, wanted in WANTED)

    def _operator(self, hub: str) -> UUID:
        staff = next(one.staff for one in HUBS if one.slug == hub)
        return self.people[hub, next(name for name, role in staff.items() if role == "operator")]

    async def _meeting(self, meeting: Meeting) -> None:
        one, other = (self.people[meeting.hub, name] for name in (meeting.one, meeting.other))
        known = await self.door.get("/v1/me/introductions", person=one)
        if not known["items"]:  # else they were introduced on an earlier start
            await self._introduced(meeting, {"one": str(one), "other": str(other)})
        self.advance()

    async def _introduced(self, meeting: Meeting, pair: dict[str, str]) -> None:
        hub = f"/v1/hubs/{meeting.hub}"
        made = await self.door.post(f"{hub}/introductions", pair, person=self._operator(meeting.hub))
        path = f"/v1/me/introductions/{made['id']}"
        for name in meeting.yes:
            await self.door.post(f"{path}/reply", {"answer": "yes"}, person=self.people[meeting.hub, name])
        for name, outcome in meeting.outcomes:
            said = {"outcome": outcome}
            await self.door.post(f"{path}/outcome", said, person=self.people[meeting.hub, name])

    async def _wanted(self, hub: str, concept: str, wanted: int) -> None:
        path = f"/v1/hubs/{hub}/targets/{concept}"
        await self.door.put(path, {"wanted": wanted}, person=self._operator(hub))
        self.advance()


def size() -> int:
    """How many parts there are to load."""
    return len(MEETINGS) + len(WANTED)
