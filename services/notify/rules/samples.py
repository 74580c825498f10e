"""Invented things to tell, one for every news and kind, so that each message can be looked at before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.notify.rules.differences import Item
from services.notify.rules.languages import LANGUAGES
from services.notify.rules.mail import Mail, build
from services.notify.rules.states import (
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
)
from services.notify.rules.wording import Rendered, render
from shared.contracts.directory.requests import Contact
from shared.contracts.events.words import EventStatus, SignUpStatus, Way
from shared.contracts.links import LinkPurpose
from shared.contracts.matching.introductions import Standing
from shared.contracts.notify.words import ALWAYS, News, NoticeKind, WebhookState

_ID = UUID("01981f0e-5a00-7000-8000-00000000c0de")
_MAIL_FROM, _MAIL_DOMAIN = "no-reply@foci.example", "foci.example"
_LINKS = "https://foci.example/v1/links"
_INTRODUCTIONS = "https://foci.example/v1/me/introductions"
_AT = datetime(2027, 3, 1, 8, 0, tzinfo=UTC)
# A Saturday's event before, a Sunday's after the clocks change in Europe: each in its own hour.
_START, _END = datetime(2027, 3, 27, 9, 0, tzinfo=UTC), datetime(2027, 3, 27, 11, 30, tzinfo=UTC)
_LATER = timedelta(days=1, hours=4)
_BREAKFAST = {
    "sv": "Frukost med stadsarkitekten",
    "da": "Morgenmad med stadsarkitekten",
    "en": "Breakfast with the town architect",
}
_WORKSHOP = {
    "sv": "Kom igång med din bokföring",
    "da": "Kom i gang med regnskabet",
    "en": "Begin with your bookkeeping",
}
_TALK = {
    "sv": "Vad torget kan bli",
    "da": "Hvad torvet kan blive",
    "en": "What the market square could become",
}


@dataclass(frozen=True)
class Sample:
    """A message to look at: one item, or some for a digest."""

    news: News
    kind: NoticeKind
    items: tuple[Item, ...]
    purposes: tuple[LinkPurpose, ...] = ()


@dataclass(frozen=True)
class Shown:
    """A sample in one language, as it would be sent."""

    sample: Sample
    rendered: Rendered
    mail: Mail


def shown(kind: NoticeKind) -> list[Shown]:
    """Every sample of a kind in every language."""
    return [_shown(sample, language) for sample in samples(kind) for language in LANGUAGES]


def samples(kind: NoticeKind) -> list[Sample]:
    """What a kind can say, and a digest of it where digests come by default."""
    return [sample for sample in _samples() if sample.kind is kind]


def links_of(sample: Sample) -> Mapping[UUID, Mapping[LinkPurpose, str]]:
    """Links such as the mails have; they lead nowhere."""
    links = {purpose: f"{_LINKS}/sample-{purpose.value}" for purpose in sample.purposes}
    return {item.thing: links for item in sample.items}


def _shown(sample: Sample, language: str) -> Shown:
    unsubscribe = None if sample.kind in ALWAYS else f"{_LINKS}/sample-unsubscribe"
    contact = Contact(
        hub="lindhamn",
        person=_ID,
        name="Kim Öberg",
        email="kim.oberg@example.org",
        language=language,
        time_zone="Europe/Stockholm",
        guest=False,
    )
    rendered = render(
        sample.items,
        language=language,
        zone=contact.time_zone,
        name=contact.name,
        links=links_of(sample),
        unsubscribe=unsubscribe,
        introductions=_INTRODUCTIONS,
    )
    mail = build(
        _ID,
        rendered,
        sample.items,
        contact,
        mail_from=_MAIL_FROM,
        mail_domain=_MAIL_DOMAIN,
        unsubscribe=unsubscribe,
        at=_AT,
    )
    return Shown(sample, rendered, mail)


def _samples() -> list[Sample]:
    return [*_bookings(), *_places(), *_organised(), *_introductions(), *_others()]


def _item(news: News, kind: NoticeKind, now: State, before: State | None = None, number: int = 0) -> Item:
    return Item(
        about=now.about,
        thing=UUID(int=_ID.int + number),
        hub="lindhamn",
        hub_name="Lindhamns kontorshotell",
        hub_zone="Europe/Stockholm",
        news=news,
        kind=kind,
        now=now,
        before=before,
        sequence=0 if before is None else 1,
    )


def _one(
    news: News, kind: NoticeKind, now: State, before: State | None = None, *purposes: LinkPurpose
) -> Sample:
    return Sample(news, kind, (_item(news, kind, now, before),), purposes)


def _bookings() -> list[Sample]:
    booked = BookingState(
        status="confirmed",
        space="bryggan",
        space_name="Mötesrummet Bryggan",
        start=_START,
        end=_END,
        seats=1,
        by_other=False,
    )
    moved = booked.model_copy(
        update={
            "space": "lotsen",
            "space_name": "Mötesrummet Lotsen",
            "start": _START + _LATER,
            "end": _END + _LATER,
            "by_other": True,
        }
    )
    gone = booked.model_copy(update={"status": "cancelled", "by_other": True})
    kind = NoticeKind.BOOKING
    return [
        _one(News.BOOKED, kind, booked.model_copy(update={"seats": 3})),
        _one(News.MOVED, kind, moved, booked),
        _one(News.CANCELLED, kind, gone.model_copy(update={"by_other": False}), booked),
        _one(News.CANCELLED, NoticeKind.SAFETY, gone, booked),
    ]


def _place(status: SignUpStatus, **otherwise: object) -> PlaceState:
    known = PlaceState(
        titles=_BREAKFAST,
        start=_START,
        end=_END,
        space="torget",
        space_name="Stora salen",
        online=False,
        status=status,
        number=14,
        until=None,
        way=Way.ROOM,
        guest=True,
        event=UUID(int=_ID.int + 99),
        version=2,
        event_status="open",
        by_other=False,
    )
    return known.model_copy(update=otherwise)


def _places() -> list[Sample]:
    status, until = SignUpStatus, _START - timedelta(days=2)
    attending, waiting = _place(status.ATTENDING), _place(status.WAITING)
    offered = _place(status.OFFERED, until=until)
    changed = _place(status.ATTENDING, start=_START + _LATER, end=_END + _LATER, space_name="Vinden")
    cancelled = _place(status.ATTENDING, event_status="cancelled", by_other=True)
    leave, answers = LinkPurpose.LEAVE, (LinkPurpose.ACCEPT, LinkPurpose.DECLINE)
    place, offer = NoticeKind.PLACE, NoticeKind.OFFER
    pending = _place(status.PENDING, until=until)
    return [
        _one(News.CONFIRM, NoticeKind.CONFIRM, pending, None, LinkPurpose.CONFIRM),
        _one(News.PLACE_TAKEN, place, attending, waiting, leave),
        _one(News.WAITING, place, waiting, None, leave),
        _one(News.PLACE_GONE, place, _place(status.CANCELLED), attending),
        _one(News.PLACE_OFFERED, offer, offered, waiting, *answers),
        _one(News.OFFER_OVER, offer, _place(status.LAPSED, by_other=True), offered),
        _one(News.EVENT_CHANGED, NoticeKind.EVENT, changed, attending, leave),
        _one(News.EVENT_CANCELLED, NoticeKind.EVENT, cancelled, attending),
        _one(News.EVENT_CANCELLED, NoticeKind.SAFETY, cancelled, attending),
    ]


def _organised() -> list[Sample]:
    published = OrganisedState(
        titles=_WORKSHOP,
        start=_START,
        end=_END,
        space_name="Verkstaden",
        status=EventStatus.PUBLISHED,
        hidden=False,
        venue_lost=False,
        by_other=True,
    )
    hidden = published.model_copy(update={"hidden": True, "titles": {}})
    awaiting = published.model_copy(update={"status": EventStatus.AWAITING})
    draft = published.model_copy(update={"status": EventStatus.DRAFT})
    kind = NoticeKind.EVENT
    return [
        _one(News.EVENT_PUBLISHED, kind, published, awaiting),
        _one(News.EVENT_RETURNED, kind, draft, awaiting),
        _one(News.EVENT_HIDDEN, kind, hidden, published),
        _one(News.EVENT_SHOWN, kind, published, hidden),
        _one(News.VENUE_LOST, kind, published.model_copy(update={"venue_lost": True}), published),
    ]


def _introductions() -> list[Sample]:
    kind, until = NoticeKind.INTRODUCTION, _AT + timedelta(days=14)
    found = IntroductionState(standing=Standing.SUGGESTED, by_host=False, until=until)
    suggested = found.model_copy(update={"by_host": True})
    agreed = IntroductionState(standing=Standing.AGREED, by_host=False, until=None)
    over = agreed.model_copy(update={"standing": Standing.OVER})
    return [
        _one(News.INTRODUCTION_SUGGESTED, kind, found),
        _one(News.INTRODUCTION_SUGGESTED, kind, suggested),
        _one(News.INTRODUCTION_AGREED, kind, agreed, found),
        _one(News.INTRODUCTION_OVER, kind, over, found),
        _one(News.OUTCOME_WANTED, kind, OutcomeState(standing=Standing.AGREED)),
    ]


def _others() -> list[Sample]:
    times = {"start": _START, "end": _END}
    awaiting = ApprovalState(titles=_WORKSHOP, status=EventStatus.AWAITING, space_name="Verkstaden", **times)
    paused = HookState(state=WebhookState.PAUSED, because="failing", target="Lindhamns skärmar")
    signing_in = SignInState(until=_AT + timedelta(minutes=15))
    soon = ReminderState(titles=_BREAKFAST, on=True, what="event", space_name="Stora salen", **times)
    booked = ReminderState(titles={}, on=True, what="booking", space_name="Mötesrummet Bryggan", **times)
    reminder, programme = NoticeKind.REMINDER, NoticeKind.PROGRAMME
    new = [
        ProgrammeState(
            titles=titles,
            start=_START + number * timedelta(days=3),
            end=_END + number * timedelta(days=3),
            space_name="Stora salen",
            online=number == 1,
            open=True,
            visible=True,
        )
        for number, titles in enumerate((_BREAKFAST, _WORKSHOP, _TALK))
    ]
    digest = tuple(_item(News.NEW_EVENT, programme, one, None, number) for number, one in enumerate(new))
    return [
        _one(News.SOON, reminder, soon),
        _one(News.SOON, reminder, booked),
        _one(News.NEW_EVENT, programme, new[0]),
        Sample(News.NEW_EVENT, programme, digest),
        _one(News.AWAITS_APPROVAL, NoticeKind.ALERT, awaiting),
        _one(News.WEBHOOK_PAUSED, NoticeKind.ALERT, paused),
        _one(News.SIGN_IN, NoticeKind.SIGN_IN, signing_in, None, LinkPurpose.SIGN_IN),
    ]
