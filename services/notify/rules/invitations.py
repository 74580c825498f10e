"""Calendar parts of mails (iTIP, RFC 5546): a booking or a place goes into the calendar, moves in it and leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Literal

from icalendar import Calendar, Event, vCalAddress

from services.notify.rules import wording
from services.notify.rules.differences import Item
from services.notify.rules.given import one_line
from services.notify.rules.states import BookingState, PlaceState
from shared.contracts.events.words import SignUpStatus
from shared.contracts.notify.words import News

PRODUCT = "-//Foci//notify//EN"
_END = b"END:VCALENDAR\r\n"

Method = Literal["REQUEST", "CANCEL"]

_METHODS: dict[News, Method] = {
    News.BOOKED: "REQUEST",
    News.MOVED: "REQUEST",
    News.CANCELLED: "CANCEL",
    News.PLACE_TAKEN: "REQUEST",
    News.EVENT_CHANGED: "REQUEST",
    News.PLACE_GONE: "CANCEL",
    News.EVENT_CANCELLED: "CANCEL",
}


@dataclass(frozen=True)
class Invitation:
    """A calendar object with one date."""

    method: Method
    content: bytes

    @property
    def file_name(self) -> str:
        """As programs that know no iTIP see it."""
        return "invite.ics" if self.method == "REQUEST" else "cancel.ics"


def invitation_of(
    items: Sequence[Item],
    *,
    language: str,
    domain: str,
    organizer: str,
    attendee: str,
    name: str,
    stamp: datetime,
) -> Invitation | None:
    """The calendar part of a message; None for digests and for what is in nobody's calendar.

    The UID is the booking's or the sign-up's: who gives a place back and takes one again has two sign-ups, each with a
    SEQUENCE of its own. PARTSTAT is ACCEPTED without RSVP: the person has agreed in Foci and no program shall ask again.
    """
    if len(items) != 1:
        return None
    item = items[0]
    method = _METHODS.get(item.news)
    now, before = item.now, item.before
    if method is None or not isinstance(now, BookingState | PlaceState):
        return None
    if method == "CANCEL" and not _is_in_calendar(now, before):
        return None
    event = Event()
    event.add("UID", f"{item.thing}@{domain}")
    event.add("DTSTAMP", stamp.astimezone(UTC).replace(microsecond=0))
    event.add("SEQUENCE", item.sequence)
    event.add("STATUS", "CANCELLED" if method == "CANCEL" else "CONFIRMED")
    event.add("DTSTART", now.start.astimezone(UTC))
    event.add("DTEND", now.end.astimezone(UTC))
    event.add("SUMMARY", _text(wording.summary_of(item, language)))
    event.add("LOCATION", _text(wording.place_of(item, language)))
    event.add("ORGANIZER", _address(organizer, item.hub_name))
    event.add("ATTENDEE", _attendee(attendee, name))
    return Invitation(method, b"".join((_head(method), event.to_ical(), _END)))


def _is_in_calendar(now: BookingState | PlaceState, before: object) -> bool:
    """Whether the person was sent the date: only who had a place has it, who waited has not."""
    if isinstance(now, BookingState):
        return isinstance(before, BookingState) and before.status == "confirmed"
    return isinstance(before, PlaceState) and before.status is SignUpStatus.ATTENDING


@cache
def _head(method: Method) -> bytes:
    """What stands before the date, up to the calendar's end."""
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODUCT)
    calendar.add("CALSCALE", "GREGORIAN")
    calendar.add("METHOD", method)
    raw: bytes = calendar.to_ical()
    return raw.removesuffix(_END)


def _text(given: str) -> str:
    """One line without a backslash: programs see an escape in it, not all the same one, and the library a line's end in \\N."""
    return one_line(given).replace("\\", "⧵")


def _address(address: str, name: str) -> vCalAddress:
    made = vCalAddress(f"mailto:{address}")
    # RFC 5545 cannot write a double quote in a parameter.
    made.params["CN"] = _text(name).replace('"', "”")
    return made


def _attendee(address: str, name: str) -> vCalAddress:
    made = _address(address, name)
    made.params["PARTSTAT"] = "ACCEPTED"
    made.params["RSVP"] = "FALSE"
    return made
