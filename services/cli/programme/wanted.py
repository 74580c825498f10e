"""An entry of the calendar and its event in Foci: what the API is asked for, and what differs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from services.cli.calendar.entry import Entry


@dataclass(frozen=True)
class Known:
    """An event in Foci that came from the calendar."""

    id: str
    version: int
    start: datetime
    end: datetime
    title: str
    text: str
    place: dict[str, Any]
    link: str
    tags: tuple[str, ...]
    status: str
    cancel_reason: str
    uid: str
    recurrence_id: str

    @property
    def key(self) -> tuple[str, str]:
        """What it shares with its entry in the calendar."""
        return self.uid, self.recurrence_id

    @classmethod
    def from_item(cls, item: dict[str, Any]) -> Known:
        """From the API's view of it."""
        return cls(
            id=str(item["id"]),
            version=int(item["version"]),
            start=datetime.fromisoformat(item["start"]),
            end=datetime.fromisoformat(item["end"]),
            title=str(item["title"]),
            text=item.get("text") or "",
            place=dict(item.get("place") or {}),
            link=item.get("link") or "",
            tags=tuple(item.get("tags") or ()),
            status=str(item["status"]),
            cancel_reason=item.get("cancel_reason") or "",
            uid=str(item["source"]["uid"]),
            recurrence_id=str(item["source"].get("recurrence_id") or ""),
        )

    def says(self, entry: Entry) -> bool:
        """Whether it already is what the entry wants."""
        return not change_of(self, entry)


def new_event(entry: Entry, calendar: str, visibility: str) -> dict[str, Any]:
    """The event the entry asks for, seen by people at once."""
    source = {"calendar": calendar, "uid": entry.uid, "recurrence_id": entry.recurrence_id}
    body: dict[str, Any] = {
        "title": entry.title,
        "text": entry.text,
        "start": _utc(entry.start),
        "end": _utc(entry.end),
        "visibility": visibility,
        "tags": list(entry.tags),
        "publish": True,
        "source": source,
    }
    if entry.location:
        body["place"] = {"address": entry.location}
    if entry.link:
        body["link"] = entry.link
    return body


def change_of(known: Known, entry: Entry) -> dict[str, Any]:
    """What to ask for so that the event says what the entry says now; what was added in Foci stays.

    A room that somebody gave the event in Foci wins over the calendar's words for the place.
    """
    body: dict[str, Any] = {}
    if (known.start, known.end) != (entry.start, entry.end):
        body |= {"start": _utc(entry.start), "end": _utc(entry.end)}
    if known.title != entry.title:
        body["title"] = entry.title
    if known.text != entry.text:
        body["text"] = entry.text
    if known.place.get("space") is None and (known.place.get("address") or "") != entry.location:
        online = known.place.get("online_url")
        body["place"] = {"address": entry.location or None, **({"online_url": online} if online else {})}
    if known.link != entry.link:
        body["link"] = entry.link or None
    if known.tags != entry.tags:
        body["tags"] = list(entry.tags)
    return body


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
