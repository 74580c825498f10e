"""What is, as far as somebody may be told of it: one frozen picture per kind of thing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict

from shared.contracts.events.words import OPEN, EventStatus, SignUpStatus, Way
from shared.contracts.matching.introductions import Standing
from shared.contracts.notify.words import About, WebhookState


class State(BaseModel):
    """A thing as it is for one person at one moment; kept as JSON with what the person was told.

    `by_other` says that somebody else, or time, made it what it is. A field may be added with a default; none may
    change its meaning: what was told under an earlier release is read by this one.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    about: ClassVar[About]


class BookingState(State):
    """A booking for the person it is for; `held` until it is confirmed, `over` when its time was used or has lapsed."""

    about = About.BOOKING

    status: Literal["held", "confirmed", "cancelled", "over"]
    space: str
    space_name: str
    start: AwareDatetime
    end: AwareDatetime
    seats: int
    by_other: bool


EventFate = Literal["open", "cancelled", "held"]
"""Whether an event takes place, as somebody sees it who has signed up."""


def fate_of(status: EventStatus) -> EventFate:
    """What a state of an event means for those who come."""
    if status is EventStatus.CANCELLED:
        return "cancelled"
    return "held" if status is EventStatus.HELD else "open"


class _AtEvent(State):
    """Something about an event; `titles` are by language, and empty while nobody may see them."""

    titles: dict[str, str]
    start: AwareDatetime
    end: AwareDatetime
    space: str | None = None
    space_name: str | None = None
    online: bool = False
    series: UUID | None = None


class PlaceState(_AtEvent):
    """A sign-up for the person who signed up."""

    about = About.SIGN_UP

    status: SignUpStatus
    number: int | None
    until: AwareDatetime | None
    way: Way
    guest: bool
    event: UUID
    version: int
    """The sign-up's version: links in messages are for one version."""
    event_status: EventFate
    by_other: bool


class OrganisedState(_AtEvent):
    """An event for one of those who run it."""

    about = About.ORGANISING

    status: EventStatus
    hidden: bool
    venue_lost: bool
    by_other: bool


class ApprovalState(_AtEvent):
    """An event for those who may have to approve it."""

    about = About.APPROVING

    status: EventStatus


class ProgrammeState(_AtEvent):
    """An event for the people of its hub."""

    about = About.PROGRAMME

    open: bool
    visible: bool


class ReminderState(_AtEvent):
    """What begins; `on` while the person has it and it takes place. A booking has no titles and is never online."""

    about = About.REMINDER

    on: bool
    what: Literal["booking", "event"]
    event: UUID | None = None


class IntroductionState(State):
    """An introduction for one of its two: neither who the other is nor why it came to nothing is part of it."""

    about = About.INTRODUCTION

    standing: Standing
    by_host: bool
    until: AwareDatetime | None
    """Until when both may say yes, while it waits for that."""


class OutcomeState(State):
    """The same a while after both said yes."""

    about = About.OUTCOME

    standing: Standing


class HookState(State):
    """A webhook for the operators of its hub."""

    about = About.WEBHOOK

    state: WebhookState
    because: str | None
    target: str
    """Its name, or else the host it is sent to."""


class SignInState(State):
    """A link to sign in with that the person has asked for."""

    about = About.SIGN_IN

    until: AwareDatetime


AnyState = (
    BookingState
    | PlaceState
    | OrganisedState
    | ApprovalState
    | ProgrammeState
    | ReminderState
    | IntroductionState
    | OutcomeState
    | HookState
    | SignInState
)
STATES: Mapping[About, type[State]] = {
    kind.about: kind
    for kind in (
        BookingState,
        PlaceState,
        OrganisedState,
        ApprovalState,
        ProgrammeState,
        ReminderState,
        IntroductionState,
        OutcomeState,
        HookState,
        SignInState,
    )
}


def state_from(about: About, known: Mapping[str, Any]) -> State:
    """The state kept as JSON; ValidationError when it is none of its kind."""
    return STATES[about].model_validate(known)


def state_from_json(about: About, known: str | bytes) -> State:
    """The same from text."""
    return STATES[about].model_validate_json(known)


def is_open(status: EventStatus) -> bool:
    """Whether people see the event and can sign up."""
    return status in OPEN


def field_of(state: State | None, name: str) -> Any:
    """A field of a state; None where its kind has none. Quicker than asking pydantic for what it does not have."""
    return None if state is None else vars(state).get(name)


def when_of(state: State | None) -> tuple[datetime | None, datetime | None]:
    """When the thing begins and ends; nothing for what has no time."""
    return field_of(state, "start"), field_of(state, "end")


def event_of(state: State | None, about: About, thing: UUID) -> UUID | None:
    """The event a state is about, where there is one."""
    if about in {About.ORGANISING, About.APPROVING, About.PROGRAMME}:
        return thing
    event: UUID | None = field_of(state, "event")
    return event
