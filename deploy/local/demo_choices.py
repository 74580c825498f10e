"""How some people of the demo federation want to be told: most never change anything, a few do."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from deploy.local.demo_door import Door
from deploy.local.demo_programme import COFFICE, LINDEBY

PATH = "/v1/me/choices"
NEVER_QUIET = {"quiet": {"start": "00:00", "end": "00:00"}}


def _mail(kind: str, when: str) -> dict[str, Any]:
    return {"kind": kind, "channel": "email", "when": when}


CHOSEN: tuple[tuple[str, str, dict[str, Any]], ...] = (
    # Up at all hours: at whatever time the stack is started first, there is mail in three languages to look at.
    (COFFICE, "Aina Strandmo", NEVER_QUIET),
    (COFFICE, "Faris Nordal", NEVER_QUIET),
    (COFFICE, "Iris Klintberg", NEVER_QUIET),
    (COFFICE, "Vera Sandlöf", NEVER_QUIET),
    (LINDEBY, "Oskar Lyngby-Holm", NEVER_QUIET),
    (LINDEBY, "Yusuf Søgaarden", NEVER_QUIET),
    # As people are.
    (COFFICE, "David Ekerö-Lund", {"choices": [_mail("booking", "daily"), _mail("place", "daily")]}),
    (COFFICE, "Elin Sjöbrandt", {"quiet": {"start": "18:00", "end": "08:30"}, "digest_at": "12:00"}),
    (COFFICE, "Greta Almstig", {"choices": [_mail("programme", "daily")], "remind_minutes": 120}),
    (COFFICE, "Hamid Rosenvik", {"choices": [{**_mail("programme", "off"), "hub": COFFICE}]}),
    (LINDEBY, "Ida Fjeldsted", {"choices": [_mail("reminder", "off")], "digest_at": "16:00"}),
)
"""Hub, person, and what they change."""


@dataclass(frozen=True)
class DemoChoices:
    """One loading of the choices."""

    door: Door
    people: Mapping[tuple[str, str], UUID]
    advance: Callable[[], None]

    def jobs(self) -> Iterator[Awaitable[None]]:
        """Everything there is to choose; the order does not matter."""
        return (self._chosen(self.people[hub, name], changes) for hub, name, changes in CHOSEN)

    async def _chosen(self, person: UUID, changes: dict[str, Any]) -> None:
        now = await self.door.get(PATH, person=person)
        await self.door.patch(PATH, changes, person=person, version=now["version"])
        self.advance()


def size() -> int:
    """How many parts there are to load."""
    return len(CHOSEN)
