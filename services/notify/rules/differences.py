"""What there is to say: the difference between what somebody was told last and what is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

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
    is_open,
    state_from,
)
from shared.contracts.events.words import EventStatus, SignUpStatus
from shared.contracts.matching.introductions import Standing
from shared.contracts.notify.words import About, News, NoticeKind, WebhookState

Said = tuple[News, NoticeKind]
"""The news, and the kind it is told as: the same news of today can be a matter of safety."""


@dataclass(frozen=True)
class Item:
    """One thing to tell somebody, frozen: a repeat says exactly the same.

    `before` is what they were told last; `sequence` counts what calendars are sent about the thing (RFC 5545, 3.8.7.4).
    """

    about: About
    thing: UUID
    hub: str
    hub_name: str
    hub_zone: str
    news: News
    kind: NoticeKind
    now: State
    before: State | None
    sequence: int

    def to_json(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "about": self.about.value,
            "thing": str(self.thing),
            "hub": self.hub,
            "hub_name": self.hub_name,
            "hub_zone": self.hub_zone,
            "news": self.news.value,
            "kind": self.kind.value,
            "now": self.now.model_dump(mode="json"),
            "before": None if self.before is None else self.before.model_dump(mode="json"),
            "sequence": self.sequence,
        }

    @classmethod
    def from_json(cls, known: Mapping[str, Any]) -> Item:
        """From JSON values; ValueError (also pydantic's ValidationError) or KeyError when they are none of ours."""
        about = About(known["about"])
        before = known["before"]
        return cls(
            about=about,
            thing=UUID(known["thing"]),
            hub=known["hub"],
            hub_name=known["hub_name"],
            hub_zone=known["hub_zone"],
            news=News(known["news"]),
            kind=NoticeKind(known["kind"]),
            now=state_from(about, known["now"]),
            before=None if before is None else state_from(about, before),
            sequence=known["sequence"],
        )


def difference(
    before: State | None, now: State | None, *, about: About, at: datetime, hub_zone: str
) -> Said | None:
    """What to say to somebody who knows `before` when `now` is how it is; None when there is nothing to say.

    What somebody knows is the state as it was when they were told last, or when it was looked at and there was nothing to
    say: whoever looks keeps `now` in either case, and asked again at once there is nothing to say.
    """
    if now is None:
        return None
    rule: Callable[[Any, Any, datetime, str], Said | None] = _RULES[about]
    return rule(before, now, at, hub_zone)


def _begins_today(start: datetime, at: datetime, zone: str) -> bool:
    """Today where the hub is, or begun before and not over yet: somebody may be on the way, or there."""
    here = ZoneInfo(zone)
    return start.astimezone(here).date() <= at.astimezone(here).date()


def _kind_of_loss(
    kind: NoticeKind, *, by_other: bool, start: datetime, at: datetime, zone: str
) -> NoticeKind:
    return NoticeKind.SAFETY if by_other and _begins_today(start, at, zone) else kind


def _booking(before: BookingState | None, now: BookingState, at: datetime, zone: str) -> Said | None:
    if now.end <= at:
        return None
    known = None if before is None else before.status
    if now.status == "confirmed":
        if before is None or known != "confirmed":
            return News.BOOKED, NoticeKind.BOOKING
        moved = (before.space, before.start, before.end, before.seats) != (
            now.space,
            now.start,
            now.end,
            now.seats,
        )
        return (News.MOVED, NoticeKind.BOOKING) if moved else None
    if now.status == "cancelled" and (known == "confirmed" or (now.by_other and known != "cancelled")):
        kind = _kind_of_loss(NoticeKind.BOOKING, by_other=now.by_other, start=now.start, at=at, zone=zone)
        return News.CANCELLED, kind
    return None


_COUNTED_ON = frozenset({SignUpStatus.ATTENDING, SignUpStatus.WAITING, SignUpStatus.OFFERED})
"""States in which somebody expects something of the event."""


def _sign_up(before: PlaceState | None, now: PlaceState, at: datetime, zone: str) -> Said | None:
    if now.end <= at or now.event_status == "held":
        return None
    if now.event_status == "cancelled":
        if now.status is SignUpStatus.CANCELLED and before is not None and before.event_status != "cancelled":
            return _gone(
                before, now, at
            )  # given back before, and not told since: the date is in their calendar still
        if now.status not in _COUNTED_ON or (before is not None and before.event_status == "cancelled"):
            return None
        kind = _kind_of_loss(NoticeKind.EVENT, by_other=now.by_other, start=now.start, at=at, zone=zone)
        return News.EVENT_CANCELLED, kind
    return _PLACES[now.status](before, now, at)


def _pending(before: PlaceState | None, now: PlaceState, at: datetime) -> Said | None:
    again = before is not None and before.status is SignUpStatus.PENDING and before.until == now.until
    return None if again or _past(now.until, at) else (News.CONFIRM, NoticeKind.CONFIRM)


def _attending(before: PlaceState | None, now: PlaceState, _: datetime) -> Said | None:
    if before is None or before.status is not SignUpStatus.ATTENDING:
        return News.PLACE_TAKEN, NoticeKind.PLACE
    if (before.start, before.end, before.space, before.online) != (
        now.start,
        now.end,
        now.space,
        now.online,
    ):
        return News.EVENT_CHANGED, NoticeKind.EVENT
    return None


def _waiting(before: PlaceState | None, _: PlaceState, __: datetime) -> Said | None:
    known = before is not None and before.status is SignUpStatus.WAITING
    return None if known else (News.WAITING, NoticeKind.PLACE)


def _offered(before: PlaceState | None, now: PlaceState, at: datetime) -> Said | None:
    again = before is not None and before.status is SignUpStatus.OFFERED and before.until == now.until
    return None if again or _past(now.until, at) else (News.PLACE_OFFERED, NoticeKind.OFFER)


def _let_go(before: PlaceState | None, now: PlaceState, _: datetime) -> Said | None:
    # Who has not heard in time that a place was offered would believe that they still stand in line.
    in_line = before is not None and before.status in (SignUpStatus.WAITING, SignUpStatus.OFFERED)
    oneself = now.status is SignUpStatus.DECLINED and not now.by_other
    return (News.OFFER_OVER, NoticeKind.OFFER) if in_line and not oneself else None


def _gone(before: PlaceState | None, _: PlaceState, __: datetime) -> Said | None:
    counted_on = before is not None and before.status in _COUNTED_ON
    return (News.PLACE_GONE, NoticeKind.PLACE) if counted_on else None


_PLACES: Mapping[SignUpStatus, Callable[[PlaceState | None, PlaceState, datetime], Said | None]] = {
    SignUpStatus.PENDING: _pending,
    SignUpStatus.ATTENDING: _attending,
    SignUpStatus.WAITING: _waiting,
    SignUpStatus.OFFERED: _offered,
    SignUpStatus.LAPSED: _let_go,
    SignUpStatus.DECLINED: _let_go,
    SignUpStatus.CANCELLED: _gone,
}


def _past(until: datetime | None, at: datetime) -> bool:
    return until is not None and until <= at


def _organising(before: OrganisedState | None, now: OrganisedState, at: datetime, zone: str) -> Said | None:
    if now.end <= at or now.status is EventStatus.HELD:
        return None
    if now.status is EventStatus.CANCELLED:
        known = before is not None and before.status is EventStatus.CANCELLED
        if known or not now.by_other:
            return None
        kind = _kind_of_loss(NoticeKind.EVENT, by_other=True, start=now.start, at=at, zone=zone)
        return News.EVENT_CANCELLED, kind
    news = next((news for news, is_so in _ORGANISER_NEWS if is_so(before, now)), None)
    return None if news is None else (news, NoticeKind.EVENT)


def _returned(before: OrganisedState | None, now: OrganisedState) -> bool:
    # A draft is stated only when it was proposed and has been given back.
    known = before is not None and before.status is EventStatus.DRAFT
    return now.status is EventStatus.DRAFT and not known


def _hidden(before: OrganisedState | None, now: OrganisedState) -> bool:
    return now.hidden and now.by_other and (before is None or not before.hidden)


def _shown(before: OrganisedState | None, now: OrganisedState) -> bool:
    return not now.hidden and now.by_other and before is not None and before.hidden


def _lost_its_room(before: OrganisedState | None, now: OrganisedState) -> bool:
    return now.venue_lost and (before is None or not before.venue_lost)


def _published(before: OrganisedState | None, now: OrganisedState) -> bool:
    if before is None or not is_open(now.status):
        return False
    # Who heard late that it was given back may never have been seen to wait again: somebody else's word is an approval.
    return before.status is EventStatus.AWAITING or (before.status is EventStatus.DRAFT and now.by_other)


_ORGANISER_NEWS: tuple[tuple[News, Callable[[OrganisedState | None, OrganisedState], bool]], ...] = (
    (News.EVENT_HIDDEN, _hidden),
    (News.EVENT_RETURNED, _returned),
    (News.VENUE_LOST, _lost_its_room),
    (News.EVENT_PUBLISHED, _published),
    (News.EVENT_SHOWN, _shown),
)
"""News for organisers, the weightiest first: of several at once only that is said."""


def _approving(before: ApprovalState | None, now: ApprovalState, at: datetime, _: str) -> Said | None:
    if now.end <= at or now.status is not EventStatus.AWAITING:
        return None
    known = before is not None and before.status is EventStatus.AWAITING
    return None if known else (News.AWAITS_APPROVAL, NoticeKind.ALERT)


def _programme(before: ProgrammeState | None, now: ProgrammeState, at: datetime, _: str) -> Said | None:
    if not (now.open and now.visible) or now.start <= at:
        return None
    known = before is not None and before.open and before.visible
    return None if known else (News.NEW_EVENT, NoticeKind.PROGRAMME)


def _reminder(before: ReminderState | None, now: ReminderState, at: datetime, _: str) -> Said | None:
    if not now.on or now.start <= at or (before is not None and before.on and before.start == now.start):
        return None
    return News.SOON, NoticeKind.REMINDER


INBOX_ONLY = frozenset({News.INTRODUCTION_OVER})
"""News nobody can do anything about: there for who looks, and nothing to be disturbed with."""


def _introduction(
    before: IntroductionState | None, now: IntroductionState, at: datetime, _: str
) -> Said | None:
    known = None if before is None else before.standing
    if now.standing is Standing.SUGGESTED:
        news = News.INTRODUCTION_SUGGESTED if known is None and not _past(now.until, at) else None
    elif now.standing is Standing.AGREED:
        news = News.INTRODUCTION_AGREED if known in {None, Standing.SUGGESTED} else None
    else:
        # Who has heard of nothing has lost nothing; how they met, and what came of it, the two know themselves.
        lost = now.standing is Standing.OVER and known in {Standing.SUGGESTED, Standing.AGREED}
        news = News.INTRODUCTION_OVER if lost else None
    return None if news is None else (news, NoticeKind.INTRODUCTION)


def _outcome(before: OutcomeState | None, now: OutcomeState, _: datetime, __: str) -> Said | None:
    if before is not None or now.standing not in {Standing.AGREED, Standing.MET}:
        return None
    return News.OUTCOME_WANTED, NoticeKind.INTRODUCTION


def _webhook(before: HookState | None, now: HookState, _: datetime, __: str) -> Said | None:
    known = before is not None and before.state is not WebhookState.ACTIVE
    if now.state is WebhookState.ACTIVE or known:
        return None
    return News.WEBHOOK_PAUSED, NoticeKind.ALERT


def _signing_in(before: SignInState | None, now: SignInState, at: datetime, _: str) -> Said | None:
    return None if before is not None or now.until <= at else (News.SIGN_IN, NoticeKind.SIGN_IN)


_RULES: Mapping[About, Callable[[Any, Any, datetime, str], Said | None]] = {
    About.BOOKING: _booking,
    About.SIGN_UP: _sign_up,
    About.ORGANISING: _organising,
    About.APPROVING: _approving,
    About.PROGRAMME: _programme,
    About.REMINDER: _reminder,
    About.INTRODUCTION: _introduction,
    About.OUTCOME: _outcome,
    About.WEBHOOK: _webhook,
    About.SIGN_IN: _signing_in,
}
