"""The calendar part: read back by the library, put into a calendar as its programs do, and taken out again."""

from __future__ import annotations

import email
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from services.notify.rules import samples
from services.notify.rules.differences import Item
from services.notify.rules.given import one_line
from services.notify.rules.invitations import Invitation, invitation_of
from services.notify.rules.samples import shown
from services.notify.rules.states import BookingState, PlaceState
from shared.contracts.events.words import SignUpStatus
from shared.contracts.notify.words import News, NoticeKind

AT = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
IN_CALENDARS = {
    News.BOOKED: "REQUEST",
    News.MOVED: "REQUEST",
    News.CANCELLED: "CANCEL",
    News.PLACE_TAKEN: "REQUEST",
    News.EVENT_CHANGED: "REQUEST",
    News.PLACE_GONE: "CANCEL",
    News.EVENT_CANCELLED: "CANCEL",
}
EVERYTHING = [one for kind in NoticeKind for one in shown(kind)]


def parsed(raw: bytes) -> Any:
    """The calendar as the library reads it; its types of properties are more than a test wants to tell apart."""
    return Calendar.from_ical(raw)


class Diary:
    """A calendar program's calendar, by RFC 5546: the higher SEQUENCE counts, then the later DTSTAMP."""

    def __init__(self) -> None:
        self.dates: dict[str, Any] = {}
        self.methods: list[str] = []

    def take(self, content: bytes) -> None:
        """A mail's calendar part comes in."""
        calendar = parsed(content)
        event = calendar.walk("VEVENT")[0]
        assert event.errors == []
        uid = str(event["UID"])
        known = self.dates.get(uid)
        if known is not None:
            assert (event["SEQUENCE"], event["DTSTAMP"].dt) > (known["SEQUENCE"], known["DTSTAMP"].dt)
        self.methods.append(str(calendar["METHOD"]))
        self.dates[uid] = event

    @property
    def shown(self) -> list[Any]:
        """What stands in it."""
        return [one for one in self.dates.values() if one["STATUS"] != "CANCELLED"]


def sample(news: News, kind: NoticeKind) -> Item:
    """The item of a sample."""
    return next(one for one in samples.samples(kind) if one.news is news).items[0]


def as_item(item: Item, **otherwise: Any) -> Item:
    """The item with something otherwise."""
    return Item(**(vars(item) | otherwise))


def part(item: Item, at: datetime = AT, name: str = "Kim Öberg") -> Invitation:
    """Its calendar part."""
    made = invitation_of(
        [item],
        language="sv",
        domain="foci.example",
        organizer="no-reply@foci.example",
        attendee="kim@example.org",
        name=name,
        stamp=at,
    )
    assert made is not None
    return made


def test_a_booking_goes_in_moves_and_goes_out_again() -> None:
    diary = Diary()
    booked = sample(News.BOOKED, NoticeKind.BOOKING)
    moved = sample(News.MOVED, NoticeKind.BOOKING)
    gone = sample(News.CANCELLED, NoticeKind.SAFETY)
    diary.take(part(booked).content)
    (event,) = diary.shown
    assert isinstance(booked.now, BookingState)
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (booked.now.start, booked.now.end)
    assert event["DTSTART"].dt.tzinfo is not None
    assert b"DTSTART:20270327T090000Z" in part(booked).content
    assert event["SUMMARY"] == "Bokning: Mötesrummet Bryggan"
    assert event["LOCATION"] == "Mötesrummet Bryggan, Lindhamns kontorshotell"

    diary.take(part(as_item(moved, sequence=1), AT + timedelta(hours=1)).content)
    (event,) = diary.shown
    assert isinstance(moved.now, BookingState)
    assert (event["DTSTART"].dt, event["SEQUENCE"]) == (moved.now.start, 1)

    diary.take(part(as_item(gone, sequence=2), AT + timedelta(hours=2)).content)
    assert diary.shown == []
    assert len(diary.dates) == 1, "one UID all the while"
    assert diary.methods == ["REQUEST", "REQUEST", "CANCEL"]


def test_nobody_is_asked_again_whether_they_come() -> None:
    event = parsed(part(sample(News.PLACE_TAKEN, NoticeKind.PLACE)).content).walk("VEVENT")[0]
    assert event["ORGANIZER"] == "mailto:no-reply@foci.example"
    assert event["ORGANIZER"].params["CN"] == "Lindhamns kontorshotell"
    assert event["ATTENDEE"] == "mailto:kim@example.org"
    assert dict(event["ATTENDEE"].params) == {"CN": "Kim Öberg", "PARTSTAT": "ACCEPTED", "RSVP": "FALSE"}
    assert event["DTSTAMP"].dt == AT
    assert event["STATUS"] == "CONFIRMED"


def test_a_place_taken_again_is_another_date() -> None:
    diary = Diary()
    taken, gone = sample(News.PLACE_TAKEN, NoticeKind.PLACE), sample(News.PLACE_GONE, NoticeKind.PLACE)
    diary.take(part(as_item(taken, sequence=0)).content)
    diary.take(part(as_item(gone, sequence=1), AT + timedelta(hours=1)).content)
    diary.take(part(as_item(taken, sequence=0, thing=UUID(int=5)), AT + timedelta(hours=2)).content)
    assert len(diary.shown) == 1


def test_what_is_in_nobodys_calendar_takes_nothing_out_of_it() -> None:
    gone = sample(News.PLACE_GONE, NoticeKind.PLACE)
    assert isinstance(gone.before, PlaceState)
    for status in (SignUpStatus.WAITING, SignUpStatus.OFFERED):
        waited = as_item(gone, before=gone.before.model_copy(update={"status": status}))
        assert invited(waited) is None
    cancelled = sample(News.CANCELLED, NoticeKind.SAFETY)
    assert invited(as_item(cancelled, before=None)) is None
    assert invited(cancelled) is not None


def invited(*items: Item) -> Invitation | None:
    """The calendar part of a message."""
    return invitation_of(
        items,
        language="en",
        domain="foci.example",
        organizer="no-reply@foci.example",
        attendee="kim@example.org",
        name="Kim",
        stamp=AT,
    )


def test_a_digest_is_no_invitation() -> None:
    item = sample(News.BOOKED, NoticeKind.BOOKING)
    assert invited(item) is not None
    assert invited(item, as_item(item, thing=UUID(int=5))) is None


@pytest.mark.parametrize(
    "one",
    [one for one in EVERYTHING if one.rendered.language == "da"],
    ids=lambda one: f"{one.sample.kind}-{one.sample.news}",
)
def test_mails_carry_it_where_gmail_and_outlook_look_for_it(one: samples.Shown) -> None:
    found = email.message_from_bytes(one.mail.content, policy=SMTP)
    assert isinstance(found, EmailMessage)
    method = IN_CALENDARS.get(one.sample.news)
    if method is None:
        assert [each.get_content_type() for each in found.walk()] == [
            "multipart/alternative",
            "text/plain",
            "text/html",
        ]
        return
    assert [each.get_content_type() for each in found.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    *_, inline, attached = found.walk()
    assert inline.get_param("method") == method
    assert inline.get_content_charset() == "utf-8"
    assert not inline.is_attachment()
    assert attached.is_attachment()
    assert attached.get_filename() == ("invite.ics" if method == "REQUEST" else "cancel.ics")
    raw = inline.get_payload(decode=True)
    assert raw == attached.get_payload(decode=True)
    assert isinstance(raw, bytes)
    calendar = parsed(raw)
    assert calendar["METHOD"] == method
    assert calendar.walk("VEVENT")[0]["STATUS"] == ("CONFIRMED" if method == "REQUEST" else "CANCELLED")


_TEXTS = st.one_of(
    st.text(max_size=300),
    st.text(st.characters(codec=None), max_size=60),
    st.text(alphabet="\r\n;:,\\\"^'n BEGIN:ENDåä👩\u202e", max_size=80),
    st.sampled_from(
        ["x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1", "a\nATTENDEE:mailto:b@c.example", "ö" * 200]
    ),
)


@given(space=_TEXTS, hub=_TEXTS, name=_TEXTS)
@settings(max_examples=150, deadline=None)
def test_nothing_people_write_adds_a_line_to_the_calendar(space: str, hub: str, name: str) -> None:
    item = sample(News.BOOKED, NoticeKind.BOOKING)
    assert isinstance(item.now, BookingState)
    item = as_item(item, now=item.now.model_copy(update={"space_name": space}), hub_name=hub)
    raw = part(item, name=name).content
    assert all(len(line) <= 75 for line in raw.split(b"\r\n"))
    calendar = parsed(raw)
    (event,) = calendar.walk("VEVENT")
    assert sorted(event) == sorted(
        [
            "UID",
            "DTSTAMP",
            "SEQUENCE",
            "STATUS",
            "DTSTART",
            "DTEND",
            "SUMMARY",
            "LOCATION",
            "ORGANIZER",
            "ATTENDEE",
        ]
    )
    said = one_line(space).replace("\\", "⧵"), one_line(hub).replace("\\", "⧵")
    assert event["SUMMARY"] == one_line(f"Bokning: {said[0]}")
    assert event["LOCATION"] == one_line(f"{said[0]}, {said[1]}")
    assert event["ATTENDEE"] == "mailto:kim@example.org"
    assert event["ORGANIZER"] == "mailto:no-reply@foci.example"
