"""What requests to events are answered with."""

from __future__ import annotations

from typing import Any, Literal
from uuid import UUID

from pydantic import AwareDatetime

from shared.contracts.base import Language, Page, Plain, ShownLine, ShownText, Slug, View, described
from shared.contracts.events.words import (
    EventStatus,
    OrganiserKind,
    SignUpStatus,
    VenueState,
    Visibility,
    Way,
)
from shared.contracts.links import LinkPurpose


class EventText(View):
    """Title and text in one language."""

    title: ShownLine
    text: ShownText = ""


class OrganiserView(View):
    """Who organises; `id` is null for the hub itself."""

    kind: OrganiserKind
    id: UUID | None = None


class EventPlaceView(View):
    """Where it is: a space of the hub, another address, online, or one of the first two and online."""

    space: Slug | None = None
    address: str | None = None
    online: bool = False
    online_url: str | None = described("For those who attend and those who run it.", default=None)


class FreeTime(View):
    """A time the room is free."""

    start: AwareDatetime
    end: AwareDatetime


class VenueView(View):
    """How far the agreement on the room is; for those who run the event. Times are those wanted."""

    state: VenueState
    space: Slug | None = None
    start: AwareDatetime | None = None
    end: AwareDatetime | None = None
    booking: UUID | None = None
    because: str | None = described("Why it was refused or lost, as a problem code.", default=None)
    free_times: tuple[FreeTime, ...] = ()
    free_spaces: tuple[Slug, ...] = ()
    bookable_from: AwareDatetime | None = None
    changed_at: AwareDatetime


class PlacesView(View):
    """The places of one way to take part."""

    way: Way
    capacity: int | None = described("Null for no limit.", default=None)
    taken: int = described("Attending, or kept for somebody they are offered to.")
    free: int | None = None
    waiting: int
    waiting_list: bool


class HiddenView(View):
    """Why the hub has hidden it, and what the author says."""

    reason: str
    since: AwareDatetime
    answer: str | None = None


class EventSource(View):
    """Where an imported event comes from; unique per hub among events that are not cancelled."""

    calendar: Plain
    uid: Plain
    recurrence_id: Plain = ""


class EventView(View):
    """An event, as much of it as the one who asks may see."""

    id: UUID
    hub: Slug
    status: EventStatus
    kind: str
    visibility: Visibility
    title: str = described("In the language asked for, else the event's own, else any.")
    text: str
    language: Language
    texts: dict[Language, EventText]
    start: AwareDatetime = described("In the hub's zone.")
    end: AwareDatetime
    time_zone: str
    place: EventPlaceView
    places: tuple[PlacesView, ...]
    organisers: tuple[OrganiserView, ...]
    tags: tuple[str, ...] = ()
    cost: str | None = None
    accessibility: str | None = None
    link: str | None = None
    series: UUID | None = None
    cancel_reason: str | None = None
    mine: bool = described("True when the one who asks runs it.", default=False)
    sign_up: UUID | None = described("The sign-up of the one who asks.", default=None)
    my_status: SignUpStatus | None = None
    venue: VenueView | None = None
    hidden: HiddenView | None = None
    returned_reason: str | None = None
    source: EventSource | None = None
    created_at: AwareDatetime
    version: int


class EventPage(Page):
    """Events in order of their start."""

    items: tuple[EventView, ...]


class SkippedDate(View):
    """A date the rule gives that was left out; it can be added again."""

    start: str = described("Wall time in the hub's zone.")
    because: str


class SeriesRefusal(View):
    """A date that was not changed, and why; the others were."""

    event: UUID
    start: AwareDatetime
    because: str
    detail: str


class SeriesView(View):
    """Events that belong together: by a rule, or as a theme."""

    id: UUID
    hub: Slug
    kind: Literal["rule", "theme"]
    title: str
    texts: dict[Language, EventText]
    rule: str | None = None
    first_start: str | None = None
    time_zone: str
    dates: int = described("How many events it has that are not cancelled.")
    first: UUID | None = None
    skipped: tuple[SkippedDate, ...] = ()
    refused: tuple[SeriesRefusal, ...] = described("Of this order.", default=())
    version: int


class SignUpView(View):
    """A sign-up, for the person and for those who run the event."""

    id: UUID
    hub: Slug
    event: UUID
    way: Way
    person: UUID
    guest: bool
    status: SignUpStatus
    place: int | None = described("Place in the order of signing up, from 1.", default=None)
    waiting_place: int | None = described("Place in the waiting line, from 1.", default=None)
    code: str | None = described("For check-in; only its person sees it.", default=None)
    offer_until: AwareDatetime | None = None
    pending_until: AwareDatetime | None = None
    came_at: AwareDatetime | None = None
    signed_up_at: AwareDatetime
    version: int
    name: str | None = described("For those who run the event.", default=None)
    email: str | None = described("A guest's; for those who run the event.", default=None)


class SignUpPage(Page):
    """Sign-ups by way and place."""

    items: tuple[SignUpView, ...]


class GuestAnswer(View):
    """What every guest hears, known or not: follow the link."""

    event: UUID
    status: Literal["pending"] = "pending"
    until: AwareDatetime


class ArrivalView(View):
    """Who has come so far."""

    event: UUID
    came: int
    walk_ins: int
    sign_up: SignUpView | None = None


class EventSettingsView(View):
    """A hub's choices about events."""

    hub: Slug
    approval: bool = described("True when members' events wait for the hub's approval.")
    version: int


class MonthFigures(View):
    """Meetups of one kind in one month."""

    month: str
    kind: str
    meetups: int
    participants: int | None = described("Null for the public while below 5.", default=None)


class Initiative(View):
    """How little the hub stands in the way."""

    started: int = 0
    by_members: int = 0
    had_to_wait: int = 0
    share_by_members: float | None = None
    share_had_to_wait: float | None = None
    seconds_created_to_usable: int | None = described("Median.", default=None)
    seconds_asked_to_usable: int | None = described("Median.", default=None)
    refusals: dict[str, int] = described("By reason.", default={})


class MonthInitiative(Initiative):
    """The same for one month."""

    month: str


class EventFigures(View):
    """A hub's year."""

    hub: Slug
    year: int
    meetups: int
    participants: int | None = None
    months: tuple[MonthFigures, ...]
    initiative: Initiative | None = described("For the hub's people.", default=None)
    initiatives: tuple[MonthInitiative, ...] = ()


class CalendarFile(View):
    """An iCalendar file; `text` is null when the caller has this tag already."""

    tag: str
    text: str | None = None


class LinkedData(View):
    """schema.org/Event."""

    tag: str
    document: dict[str, Any]


class FeedView(View):
    """A personal calendar address; its secret is shown once."""

    id: UUID
    hub: Slug
    everywhere: bool
    made_at: AwareDatetime


class NewFeedView(FeedView):
    """A personal calendar address, with its secret."""

    secret: str
    url: str | None = described("The whole address, put in at the door.", default=None)


class FeedPage(Page):
    """My calendar addresses that are not revoked."""

    items: tuple[FeedView, ...]


class LinkView(View):
    """What a link would do."""

    purpose: LinkPurpose
    hub: Slug
    event: UUID
    title: str
    start: AwareDatetime
    time_zone: str
    sign_up: SignUpView
