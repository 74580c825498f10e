"""What there is to say: each difference by example."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from services.notify.rules.differences import difference
from services.notify.rules.states import (
    STATES,
    ApprovalState,
    BookingState,
    HookState,
    IntroductionState,
    OrganisedState,
    OutcomeState,
    PlaceState,
    ProgrammeState,
    ReminderState,
    SignInState,
    State,
    event_of,
    state_from_json,
    when_of,
)
from shared.contracts.events.words import EventStatus, SignUpStatus, Way
from shared.contracts.matching.introductions import Standing
from shared.contracts.notify.words import About, News, NoticeKind, WebhookState

ZONE = "Europe/Stockholm"
AT = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
NEXT_WEEK, TODAY = AT + timedelta(days=8), AT + timedelta(hours=3)
EVENT, THING = UUID(int=0xE1), UUID(int=0xA1)

TIMES: dict[str, Any] = {"start": NEXT_WEEK, "end": NEXT_WEEK + timedelta(hours=1)}
TODAYS: dict[str, Any] = {"start": TODAY, "end": TODAY + timedelta(hours=1)}
OVER: dict[str, Any] = {"start": AT - timedelta(hours=2), "end": AT}
PLACE: dict[str, Any] = {
    "titles": {"sv": "Frukost"},
    "space": "studio",
    "space_name": "Studion",
    "online": False,
}


def booking(status: Any = "confirmed", **said: Any) -> BookingState:
    """A booking of the studio next week."""
    plain = {"space": "studio", "space_name": "Studion", "seats": 1, "by_other": False}
    return BookingState(status=status, **(plain | TIMES | said))


def place(status: SignUpStatus = SignUpStatus.ATTENDING, **said: Any) -> PlaceState:
    """A place at an event next week."""
    plain = {
        "number": 1,
        "until": AT + timedelta(hours=24) if status in {SignUpStatus.OFFERED, SignUpStatus.PENDING} else None,
        "way": Way.ROOM,
        "guest": False,
        "event": EVENT,
        "version": 1,
        "event_status": "open",
        "by_other": False,
    }
    return PlaceState(status=status, **(plain | PLACE | TIMES | said))


def organised(status: EventStatus = EventStatus.PUBLISHED, **said: Any) -> OrganisedState:
    """An event for who runs it."""
    plain = {"hidden": False, "venue_lost": False, "by_other": True}
    return OrganisedState(status=status, **(plain | PLACE | TIMES | said))


def approval(status: EventStatus = EventStatus.AWAITING, **said: Any) -> ApprovalState:
    """An event for who may approve it."""
    return ApprovalState(status=status, **(PLACE | TIMES | said))


def programme(**said: Any) -> ProgrammeState:
    """An event for the hub's people."""
    return ProgrammeState(**({"open": True, "visible": True} | PLACE | TIMES | said))


def reminder(**said: Any) -> ReminderState:
    """What begins soon."""
    return ReminderState(**({"on": True, "what": "event"} | PLACE | TIMES | said))


def introduction(standing: Standing = Standing.SUGGESTED, **said: Any) -> IntroductionState:
    """An introduction that waits for two weeks."""
    return IntroductionState(
        standing=standing, **({"by_host": False, "until": AT + timedelta(days=14)} | said)
    )


def hook(state: WebhookState = WebhookState.PAUSED, **said: Any) -> HookState:
    """A webhook."""
    return HookState(state=state, **({"because": "failing", "target": "till"} | said))


B, P, OF, E, S = NoticeKind.BOOKING, NoticeKind.PLACE, NoticeKind.OFFER, NoticeKind.EVENT, NoticeKind.SAFETY
AGAIN = AT + timedelta(hours=30)
ELSEWHEN: dict[str, Any] = {"start": NEXT_WEEK + timedelta(hours=1), "end": NEXT_WEEK + timedelta(hours=2)}
PAST: dict[str, Any] = {"until": AT}
Status = SignUpStatus
Case = tuple[State | None, State | None, tuple[News, NoticeKind] | None]

BOOKINGS: list[Case] = [
    (None, booking(), (News.BOOKED, B)),
    (booking("held"), booking(), (News.BOOKED, B)),
    (None, booking("held"), None),
    (None, booking("over"), None),
    (booking(), booking(space_name="Ateljén"), None),
    (booking(), booking(by_other=True), None),
    (booking(), booking(**ELSEWHEN), (News.MOVED, B)),
    (booking(), booking(space="loft"), (News.MOVED, B)),
    (booking(), booking(seats=2), (News.MOVED, B)),
    (booking(), booking("cancelled"), (News.CANCELLED, B)),
    (booking(**ELSEWHEN), booking("cancelled"), (News.CANCELLED, B)),
    (None, booking("cancelled"), None),
    (None, booking("cancelled", by_other=True), (News.CANCELLED, B)),
    (booking("cancelled"), booking("cancelled", by_other=True), None),
    (booking(**TODAYS), booking("cancelled", **TODAYS, by_other=True), (News.CANCELLED, S)),
    (booking(**TODAYS), booking("cancelled", **TODAYS), (News.CANCELLED, B)),
    (booking(), booking("over"), None),
    (None, booking(**OVER), None),
    (booking(**OVER), booking("cancelled", **OVER, by_other=True), None),
    (booking(), None, None),
]
PLACES: list[Case] = [
    (None, place(Status.PENDING), (News.CONFIRM, NoticeKind.CONFIRM)),
    (None, place(Status.PENDING, **PAST), None),
    (place(Status.PENDING), place(Status.PENDING, version=2), None),
    (
        place(Status.PENDING),
        place(Status.PENDING, version=2, until=AGAIN),
        (News.CONFIRM, NoticeKind.CONFIRM),
    ),
    (place(Status.PENDING), place(Status.LAPSED, by_other=True), None),
    (None, place(), (News.PLACE_TAKEN, P)),
    (place(Status.WAITING), place(), (News.PLACE_TAKEN, P)),
    (place(Status.OFFERED), place(), (News.PLACE_TAKEN, P)),
    (place(Status.PENDING), place(), (News.PLACE_TAKEN, P)),
    (place(), place(version=3, number=2), None),
    (place(), place(titles={"sv": "Lunch"}), None),
    (place(), place(**ELSEWHEN), (News.EVENT_CHANGED, E)),
    (place(), place(space="loft"), (News.EVENT_CHANGED, E)),
    (place(), place(space=None, online=True), (News.EVENT_CHANGED, E)),
    (None, place(Status.WAITING), (News.WAITING, P)),
    (place(Status.WAITING), place(Status.WAITING, **ELSEWHEN), None),
    (place(), place(Status.WAITING, by_other=True), (News.WAITING, P)),
    (place(Status.WAITING), place(Status.OFFERED), (News.PLACE_OFFERED, OF)),
    (place(Status.OFFERED), place(Status.OFFERED, version=2), None),
    (place(Status.OFFERED), place(Status.OFFERED, until=AGAIN), (News.PLACE_OFFERED, OF)),
    (place(Status.WAITING), place(Status.OFFERED, **PAST), None),
    (place(Status.OFFERED), place(Status.LAPSED, by_other=True), (News.OFFER_OVER, OF)),
    (place(Status.OFFERED), place(Status.DECLINED, by_other=True), (News.OFFER_OVER, OF)),
    (place(Status.OFFERED), place(Status.DECLINED), None),
    (place(Status.WAITING), place(Status.LAPSED, by_other=True), (News.OFFER_OVER, OF)),
    (place(Status.WAITING), place(Status.DECLINED, by_other=True), (News.OFFER_OVER, OF)),
    (place(Status.WAITING), place(Status.DECLINED), None),
    (None, place(Status.LAPSED, by_other=True), None),
    (place(), place(Status.CANCELLED), (News.PLACE_GONE, P)),
    (place(Status.WAITING), place(Status.CANCELLED, by_other=True), (News.PLACE_GONE, P)),
    (None, place(Status.CANCELLED), None),
    (place(), place(Status.CANCELLED, event_status="cancelled"), (News.PLACE_GONE, P)),
    (place(event_status="cancelled"), place(Status.CANCELLED, event_status="cancelled"), None),
    (None, place(Status.CANCELLED, event_status="cancelled"), None),
    (place(Status.CANCELLED), place(), (News.PLACE_TAKEN, P)),
    (place(), place(event_status="cancelled", by_other=True), (News.EVENT_CANCELLED, E)),
    (None, place(Status.OFFERED, event_status="cancelled", by_other=True), (News.EVENT_CANCELLED, E)),
    (place(**TODAYS), place(event_status="cancelled", by_other=True, **TODAYS), (News.EVENT_CANCELLED, S)),
    (place(**TODAYS), place(event_status="cancelled", **TODAYS), (News.EVENT_CANCELLED, E)),
    (place(event_status="cancelled"), place(event_status="cancelled", by_other=True), None),
    (place(Status.CANCELLED), place(Status.CANCELLED, event_status="cancelled"), None),
    (place(Status.PENDING), place(Status.PENDING, event_status="cancelled", by_other=True), None),
    (place(), place(event_status="held"), None),
    (None, place(**OVER), None),
]
AWAITING, DRAFT, CANCELLED = EventStatus.AWAITING, EventStatus.DRAFT, EventStatus.CANCELLED
ORGANISED: list[Case] = [
    (None, organised(by_other=False), None),
    (None, organised(AWAITING, by_other=False), None),
    (organised(AWAITING), organised(), (News.EVENT_PUBLISHED, E)),
    (organised(DRAFT), organised(), (News.EVENT_PUBLISHED, E)),
    (organised(DRAFT), organised(by_other=False), None),
    (organised(AWAITING), organised(DRAFT), (News.EVENT_RETURNED, E)),
    (None, organised(DRAFT), (News.EVENT_RETURNED, E)),
    (organised(DRAFT), organised(DRAFT), None),
    (organised(), organised(hidden=True), (News.EVENT_HIDDEN, E)),
    (organised(), organised(hidden=True, by_other=False), None),
    (organised(hidden=True), organised(), (News.EVENT_SHOWN, E)),
    (None, organised(), None),
    (organised(), organised(venue_lost=True), (News.VENUE_LOST, E)),
    (organised(venue_lost=True), organised(venue_lost=True, **ELSEWHEN), None),
    (organised(), organised(hidden=True, venue_lost=True), (News.EVENT_HIDDEN, E)),
    (organised(), organised(CANCELLED), (News.EVENT_CANCELLED, E)),
    (organised(**TODAYS), organised(CANCELLED, **TODAYS), (News.EVENT_CANCELLED, S)),
    (organised(), organised(CANCELLED, by_other=False), None),
    (organised(CANCELLED), organised(CANCELLED), None),
    (organised(), organised(EventStatus.HELD), None),
    (organised(**OVER), organised(hidden=True, **OVER), None),
]
A, N = NoticeKind.ALERT, NoticeKind.PROGRAMME
OTHERS: list[Case] = [
    (None, approval(), (News.AWAITS_APPROVAL, A)),
    (approval(), approval(**ELSEWHEN), None),
    (approval(DRAFT), approval(), (News.AWAITS_APPROVAL, A)),
    (approval(), approval(EventStatus.PUBLISHED), None),
    (None, approval(**OVER), None),
    (None, programme(), (News.NEW_EVENT, N)),
    (programme(), programme(**ELSEWHEN), None),
    (None, programme(visible=False), None),
    (None, programme(open=False), None),
    (programme(visible=False), programme(), (News.NEW_EVENT, N)),
    (None, programme(start=AT, end=AT + timedelta(hours=1)), None),
    (None, reminder(), (News.SOON, NoticeKind.REMINDER)),
    (reminder(), reminder(space="loft"), None),
    (reminder(), reminder(**ELSEWHEN), (News.SOON, NoticeKind.REMINDER)),
    (reminder(on=False), reminder(), (News.SOON, NoticeKind.REMINDER)),
    (None, reminder(on=False), None),
    (None, reminder(start=AT, end=AT + timedelta(hours=1)), None),
    (None, hook(), (News.WEBHOOK_PAUSED, A)),
    (None, hook(WebhookState.GONE), (News.WEBHOOK_PAUSED, A)),
    (None, hook(WebhookState.ACTIVE), None),
    (hook(), hook(WebhookState.GONE), None),
    (hook(WebhookState.ACTIVE), hook(), (News.WEBHOOK_PAUSED, A)),
]

M = NoticeKind.INTRODUCTION
SUGGESTED, AGREED, MET, CLOSED, GONE = Standing
INTRODUCTIONS: list[Case] = [
    (None, introduction(), (News.INTRODUCTION_SUGGESTED, M)),
    (None, introduction(by_host=True), (News.INTRODUCTION_SUGGESTED, M)),
    (None, introduction(until=AT), None),
    (introduction(), introduction(AGREED), (News.INTRODUCTION_AGREED, M)),
    (None, introduction(AGREED), (News.INTRODUCTION_AGREED, M)),
    (introduction(), introduction(GONE), (News.INTRODUCTION_OVER, M)),
    (introduction(AGREED), introduction(GONE), (News.INTRODUCTION_OVER, M)),
    (None, introduction(GONE), None),
    (introduction(), introduction(MET), None),
    (introduction(AGREED), introduction(MET), None),
    (None, OutcomeState(standing=AGREED), (News.OUTCOME_WANTED, M)),
    (None, OutcomeState(standing=MET), (News.OUTCOME_WANTED, M)),
    (None, SignInState(until=TODAY), (News.SIGN_IN, NoticeKind.SIGN_IN)),
    (None, OutcomeState(standing=CLOSED), None),
    (OutcomeState(standing=AGREED), OutcomeState(standing=MET), None),
]
EXAMPLES = [*BOOKINGS, *PLACES, *ORGANISED, *OTHERS, *INTRODUCTIONS]


@pytest.mark.parametrize(("before", "now", "said"), EXAMPLES)
def test_what_there_is_to_say(
    before: State | None, now: State | None, said: tuple[News, NoticeKind] | None
) -> None:
    about = (now or before or booking()).about
    assert difference(before, now, about=about, at=AT, hub_zone=ZONE) == said


def test_every_news_has_an_example() -> None:
    examples = {said[0] for _, _, said in EXAMPLES if said is not None}
    assert examples == set(News)


def test_today_is_the_hubs_day() -> None:
    """At 23:30 UTC it is tomorrow in Stockholm already."""
    late = datetime(2027, 3, 1, 23, 30, tzinfo=UTC)
    start = {"start": late + timedelta(hours=9), "end": late + timedelta(hours=10)}
    gone = booking("cancelled", by_other=True, **start)
    about = About.BOOKING
    assert difference(booking(**start), gone, about=about, at=late, hub_zone=ZONE) == (News.CANCELLED, S)
    assert difference(booking(**start), gone, about=about, at=late, hub_zone="Etc/UTC") == (News.CANCELLED, B)


def test_what_has_begun_before_today_and_goes_on_is_a_matter_of_safety() -> None:
    over_night = {"start": AT - timedelta(hours=20), "end": AT + timedelta(hours=4)}
    gone = booking("cancelled", by_other=True, **over_night)
    said = difference(booking(**over_night), gone, about=About.BOOKING, at=AT, hub_zone=ZONE)
    assert said == (News.CANCELLED, S)


def test_every_kind_of_thing_has_a_state_and_a_fresh_field_can_join_it() -> None:
    assert set(STATES) == set(About)
    kept = booking().model_dump(mode="json") | {"of_a_later_release": 1}
    assert state_from_json(About.BOOKING, json.dumps(kept)) == booking()


def test_the_event_a_state_is_about() -> None:
    assert event_of(place(), About.SIGN_UP, THING) == EVENT
    assert event_of(programme(), About.PROGRAMME, THING) == THING
    assert event_of(reminder(event=EVENT), About.REMINDER, THING) == EVENT
    assert event_of(booking(), About.BOOKING, THING) is None
    assert when_of(hook()) == (None, None)
