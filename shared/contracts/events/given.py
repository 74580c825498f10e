"""What people say of an event they start or change."""

from __future__ import annotations

from typing import Annotated, Self
from uuid import UUID

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from shared.contracts.base import Body, Language, Origin, Plain, ShownLine, ShownText, Slug, When, described
from shared.contracts.events.views import EventText
from shared.contracts.events.words import OrganiserKind, Visibility

KindWord = Annotated[ShownLine, StringConstraints(max_length=60)]
Tag = Annotated[ShownLine, StringConstraints(max_length=40)]
HttpUrl = Annotated[Plain, StringConstraints(pattern=r"^https?://[^\s<>\"]{1,500}$")]
Capacity = Annotated[int, Field(ge=0, le=100_000)]
STRICT = ConfigDict(frozen=True, extra="forbid")


class GivenText(EventText):
    """Title and text as somebody gives them."""

    model_config = STRICT


class GivenEventSource(Origin):
    """A source as somebody gives it."""

    model_config = STRICT


class GivenPlace(Body):
    """Where it shall be; a space or an address, online, or both; nothing yet is fine for a draft."""

    space: Slug | None = None
    address: ShownLine | None = None
    online_url: HttpUrl | None = None

    @model_validator(mode="after")
    def _one_room(self) -> Self:
        if self.space is not None and self.address is not None:
            raise ValueError("say a space or an address, not both")
        return self


class GivenOrganiser(Body):
    """Somebody who organises too; a person may run the event like the one who started it."""

    kind: OrganiserKind = OrganiserKind.PERSON
    id: UUID | None = None


class Repeat(Body):
    """More dates by an RFC 5545 rule in the hub's local time."""

    rule: Annotated[Plain, StringConstraints(min_length=6, max_length=500)] = described(
        "The value of an RRULE.", examples=["FREQ=WEEKLY;BYDAY=WE"]
    )
    also: tuple[When, ...] = described("Further starts (RDATE).", default=(), max_length=100)
    without: tuple[When, ...] = described("Starts to leave out (EXDATE).", default=(), max_length=100)


class _Texts(Body):
    title: ShownLine | None = None
    text: ShownText | None = None
    language: Language | None = None
    texts: dict[Language, GivenText] | None = Field(default=None, min_length=1, max_length=10)


class NewTexts(_Texts):
    """Title and text: in one language, or in several as `texts`."""

    language: Language | None = described(
        "Of `title`, or the first of `texts` to show; else the hub's.", default=None
    )

    @model_validator(mode="after")
    def _titled(self) -> Self:
        if (self.title is None) == (self.texts is None):
            raise ValueError("say a title, or texts by language")
        return self


class _Details(Body):
    kind: KindWord = "other"
    place: GivenPlace = GivenPlace()
    capacity: Capacity | None = described("Places in the room; null for no limit.", default=None)
    capacity_online: Capacity | None = None
    waiting_list: bool = True
    visibility: Visibility = Visibility.PUBLIC
    organisers: tuple[GivenOrganiser, ...] = described(
        "Beside the one who starts it.", default=(), max_length=20
    )
    tags: tuple[Tag, ...] = Field(default=(), max_length=20)
    cost: ShownLine | None = None
    accessibility: ShownText | None = None
    link: HttpUrl | None = None


class ThemeEvent(NewTexts, _Details):
    """One event of a theme."""

    start: When
    end: When


class NewEvent(ThemeEvent):
    """An event to start; a draft unless `publish` is said."""

    publish: bool = False
    repeat: Repeat | None = None
    theme: UUID | None = described("The theme it joins.", default=None)
    source: GivenEventSource | None = described("Only for imports, by operators.", default=None)


class NewTheme(NewTexts):
    """A theme, such as a week, with its events, several a day if need be."""

    events: tuple[ThemeEvent, ...] = Field(default=(), max_length=60)
    publish: bool = False


class EventChange(_Texts):
    """What shall be different; what is left out stays, null takes away."""

    start: When | None = None
    end: When | None = None
    kind: KindWord | None = None
    place: GivenPlace | None = None
    capacity: Capacity | None = None
    capacity_online: Capacity | None = None
    waiting_list: bool | None = None
    visibility: Visibility | None = None
    organisers: tuple[GivenOrganiser, ...] | None = Field(default=None, max_length=20)
    tags: tuple[Tag, ...] | None = Field(default=None, max_length=20)
    cost: ShownLine | None = None
    accessibility: ShownText | None = None
    link: HttpUrl | None = None
    losing: tuple[UUID, ...] = described(
        "Sign-ups that lose their place when capacity is lowered below them.", default=(), max_length=2000
    )
