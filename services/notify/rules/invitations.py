"""Calendar parts of mails (iTIP, RFC 5546): a booking or a place goes into the calendar, moves in it and leaves it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Literal

from icalendar import Calendar, vText
from icalendar.parser import Contentline

from services.notify.rules import wording
from services.notify.rules.differences import Item
from services.notify.rules.given import one_line
from services.notify.rules.states import BookingState, PlaceState
from shared.contracts.events.words import SignUpStatus
from shared.contracts.notify.words import News

PRODUCT = "-//Foci//notify//EN"
_END = b"END:VCALENDAR\r\n"
_LONGEST_LINE = 75

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
    lines = (
        "BEGIN:VEVENT",
        f"UID:{item.thing}@{domain}",
        f"DTSTAMP:{_utc(stamp)}",
        f"SEQUENCE:{item.sequence}",
        f"STATUS:{'CANCELLED' if method == 'CANCEL' else 'CONFIRMED'}",
        f"DTSTART:{_utc(now.start)}",
        f"DTEND:{_utc(now.end)}",
        f"SUMMARY:{_text(wording.summary_of(item, language))}",
        f"LOCATION:{_text(wording.place_of(item, language))}",
        f"ORGANIZER;CN={_name(item.hub_name)}:mailto:{organizer}",
        f"ATTENDEE;CN={_name(name)};PARTSTAT=ACCEPTED;RSVP=FALSE:mailto:{attendee}",
        "END:VEVENT",
    )
    return Invitation(method, b"".join((_head(method), *map(_folded, lines), _END)))


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


def _folded(line: str) -> bytes:
    """One content line; the library folds the long ones (RFC 5545, 3.1). Its components take half a millisecond for ten lines."""
    raw = line.encode()
    if len(raw) > _LONGEST_LINE:
        raw = Contentline(line).to_ical()  # type: ignore[no-untyped-call]
    return raw + b"\r\n"


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _plain(given: str) -> str:
    """One line without a backslash: programs see an escape in it, not all the same one, and the library a line's end in \\N."""
    return one_line(given).replace("\\", "⧵")


def _text(given: str) -> str:
    return vText(_plain(given)).to_ical().decode()


def _name(given: str) -> str:
    """A parameter's value in quotes; RFC 5545 cannot write a double quote in one."""
    return f'"{_plain(given).replace(chr(34), "”")}"'
