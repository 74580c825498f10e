"""A hub's programme on paper: the few rules of the API an import of events meets, over real HTTP."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

from shared.contracts.events.requests import CancelEvent, ChangeEvent, ListEvents, StartEvent
from shared.contracts.events.words import EventStatus
from tests.cli.paper_hub import PaperHub, Reply, problem

LIVE = ("published", "changed")


@dataclass
class PaperProgramme(PaperHub):
    """One hub with its events. What is over when it is started is held at once, as in Foci."""

    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    now: datetime = datetime(2027, 2, 1, tzinfo=UTC)

    def open_events(self) -> list[dict[str, Any]]:
        """What is to come, by time."""
        standing = [one for one in self.events.values() if one["status"] in LIVE]
        return sorted(standing, key=lambda one: (datetime.fromisoformat(one["start"]), one["id"]))

    def start(self, wish: dict[str, Any]) -> Reply:
        """Publish an event."""
        given = StartEvent.model_validate({"hub": "h", **wish})
        ended = datetime.fromisoformat(given.end) <= self.now
        if given.source and any(
            one["source"] == wish["source"] and one["status"] != "cancelled" for one in self.events.values()
        ):
            return problem(409, "already-imported")
        if datetime.fromisoformat(given.end) <= datetime.fromisoformat(given.start):
            return problem(422, "invalid")
        made = {
            "id": f"00000000-0000-7000-8000-{len(self.events):012}",
            "version": 1,
            "status": "held" if ended else "published",
            "title": given.title,
            "text": given.text,
            "start": given.start,
            "end": given.end,
            "place": {"space": None, "online_url": None, **given.place.model_dump()},
            "link": given.link,
            "tags": list(given.tags),
            "visibility": given.visibility,
            "cancel_reason": None,
            "source": wish["source"],
        }
        self.events[made["id"]] = made
        return 201, made

    def change(self, event: str, wish: dict[str, Any], if_match: str | None) -> Reply:
        """Let it read differently, for who knows the latest version."""
        ChangeEvent.model_validate({"hub": "h", "event": event, "version": 1, **wish})
        found = self.events.get(event)
        if found is None:
            return problem(404, "not-found")
        if if_match != f'"{found["version"]}"':
            return problem(412, "version-mismatch")
        if found["status"] not in LIVE:
            return problem(409, "wrong-state")
        place = {
            "space": None,
            "address": None,
            "online_url": None,
            **(wish.pop("place", found["place"]) or {}),
        }
        found.update(wish, place=place, status="changed", version=found["version"] + 1)
        return 200, found

    def call_off(self, event: str, reason: str | None) -> Reply:
        """It does not take place."""
        CancelEvent.model_validate({"hub": "h", "event": event, "reason": reason})
        found = self.events.get(event)
        if found is None:
            return problem(404, "not-found")
        if found["status"] == "held":
            return problem(409, "wrong-state")
        if found["status"] != "cancelled":
            found.update(status="cancelled", cancel_reason=reason, version=found["version"] + 1)
        return 200, found

    def listed_events(self, query: dict[str, list[str]]) -> Reply:
        """A page of what came from a calendar."""
        [calendar] = query["calendar"]
        ListEvents(hub="h", calendar=calendar, status=tuple(map(EventStatus, query["status"])))
        wanted = [
            one
            for one in self.events.values()
            if one["source"]["calendar"] == calendar and one["status"] in query["status"]
        ]
        first = int(query.get("cursor", ["0"])[0])
        rest = "&".join(f"{name}={value}" for name in ("calendar", "status") for value in query[name])
        following = f"https://elsewhere.example/v1/hubs/h/events?{rest}&cursor={first + self.page}"
        page = wanted[first : first + self.page]
        return 200, {"items": page, "next": following if len(wanted) > first + self.page else None}

    def answer(self, method: str, target: str, body: dict[str, Any], headers: Any) -> Reply:
        """One request."""
        url = urlsplit(target)
        parts = url.path.strip("/").split("/")[1:]
        if parts[2:3] != ["events"] or headers.get("Authorization") != "Bearer operator":
            return super().answer(method, target, body, headers)
        match method, parts[3:]:
            case "GET", []:
                reply = self.listed_events(parse_qs(url.query))
            case "GET", [event]:
                reply = (200, self.events[event]) if event in self.events else problem(404, "not-found")
            case "PATCH", [event]:
                reply = self.change(event, body, headers.get("If-Match"))
            case "POST", []:
                reply = self._started_once(headers["Idempotency-Key"], body)
            case "POST", [event, "cancel"]:
                reply = self.call_off(event, body["reason"])
            case _:
                reply = problem(404, "not-found")
        return reply

    def _started_once(self, key: str, body: dict[str, Any]) -> Reply:
        said = json.dumps(body, sort_keys=True)
        if key not in self.answered:
            status, answer = self.start(body)
            self.answered[key] = said, (status, dict(answer))
        known, reply = self.answered[key]
        return reply if known == said else problem(422, "idempotency-key-reused")
