"""SQLAlchemy classes of events' tables."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import SmallInteger, Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Tables of events; times are aware UTC."""

    type_annotation_map: ClassVar = {datetime: TIMESTAMP(timezone=True)}


class Hub(Base):
    """What events knows of a hub, mirrored from directory's facts."""

    __tablename__ = "hub"

    slug: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    municipality: Mapped[str | None]
    country: Mapped[str | None]
    time_zone: Mapped[str]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)


class Space(Base):
    """What a space is called and how many people it takes, mirrored from booking's facts."""

    __tablename__ = "space"

    hub: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    capacity: Mapped[int]


class HubSettings(Base):
    """A hub's choices about events; a hub without a row has chosen nothing."""

    __tablename__ = "hub_settings"

    hub: Mapped[str] = mapped_column(primary_key=True)
    approval: Mapped[bool] = mapped_column(default=False)
    version: Mapped[int] = mapped_column(default=1)
    changed_by: Mapped[UUID | None]
    changed_at: Mapped[datetime | None]


class Series(Base):
    """What groups events: a rule, or a theme.

    `first_start` is wall time in the hub's zone, `template` the body new dates are made from, and `made_until` the
    last day up to which the rule has been expanded.
    """

    __tablename__ = "series"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    kind: Mapped[str]
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    language: Mapped[str]
    rule: Mapped[str | None]
    first_start: Mapped[str | None]
    minutes: Mapped[int | None]
    time_zone: Mapped[str]
    template: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    made_until: Mapped[date | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class SeriesSkip(Base):
    """A date of a series that was left out, and why."""

    __tablename__ = "series_skip"

    hub: Mapped[str]
    series: Mapped[UUID] = mapped_column(primary_key=True)
    wall_start: Mapped[str] = mapped_column(primary_key=True)
    because: Mapped[str]
    since: Mapped[datetime]


class Event(Base):
    """One meeting at one time.

    `version` counts changes a caller can see, `stated` its facts, and `sequence` changes of time, place and state as
    calendars count them.
    """

    __tablename__ = "event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    series: Mapped[UUID | None]
    series_start: Mapped[str | None]
    detached: Mapped[bool] = mapped_column(default=False)
    kind: Mapped[str]
    visibility: Mapped[str]
    status: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    time_zone: Mapped[str]
    space: Mapped[str | None]
    address: Mapped[str | None]
    online_url: Mapped[str | None]
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    language: Mapped[str]
    tags: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    cost: Mapped[str | None]
    accessibility: Mapped[str | None]
    link: Mapped[str | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    started_by: Mapped[str]
    asked_at: Mapped[datetime | None]
    usable_at: Mapped[datetime | None]
    waited: Mapped[bool] = mapped_column(default=False)
    cancelled_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    returned_reason: Mapped[str | None]
    hidden_at: Mapped[datetime | None]
    hidden_by: Mapped[UUID | None]
    hidden_reason: Mapped[str | None]
    hidden_answer: Mapped[str | None]
    walk_ins: Mapped[int] = mapped_column(default=0)
    calendar: Mapped[str | None]
    uid: Mapped[str | None]
    recurrence_id: Mapped[str | None]
    sequence: Mapped[int] = mapped_column(default=0)
    stated: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)
    changed_at: Mapped[datetime]


class Organiser(Base):
    """Who organises an event; the nil UUID stands for the hub itself."""

    __tablename__ = "organiser"

    event: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[UUID] = mapped_column(primary_key=True)


class Places(Base):
    """The places of one way to take part; `taken`, `waiting` and `came` are counted by the database alone."""

    __tablename__ = "places"

    event: Mapped[UUID] = mapped_column(primary_key=True)
    way: Mapped[str] = mapped_column(primary_key=True)
    hub: Mapped[str]
    capacity: Mapped[int | None]
    taken: Mapped[int] = mapped_column(default=0)
    waiting: Mapped[int] = mapped_column(default=0)
    came: Mapped[int] = mapped_column(default=0)
    last_number: Mapped[int] = mapped_column(default=0)
    open: Mapped[bool] = mapped_column(default=False)
    closes_at: Mapped[datetime]
    for_members: Mapped[bool]
    waits: Mapped[bool] = mapped_column(default=True)
    starts_at: Mapped[datetime]


class SignUp(Base):
    """Somebody's part in an event. `version` counts its facts too; `number` is the place in commit order."""

    __tablename__ = "sign_up"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    event: Mapped[UUID]
    way: Mapped[str]
    person: Mapped[UUID]
    guest: Mapped[bool] = mapped_column(default=False)
    seats: Mapped[int] = mapped_column(SmallInteger, default=1)
    status: Mapped[str]
    number: Mapped[int | None]
    code: Mapped[str | None]
    offer_until: Mapped[datetime | None]
    pending_until: Mapped[datetime | None]
    came_at: Mapped[datetime | None]
    came_by: Mapped[UUID | None]
    signed_up_at: Mapped[datetime]
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)


class Venue(Base):
    """The agreement with booking on an event's room: the wish, and what booking last said.

    `edition` counts the wishes, `version` our facts about them, and `heard` is the last of booking's facts that was
    acted on. The row stays for its event, and may outlive it.
    """

    __tablename__ = "venue"

    event: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    edition: Mapped[int]
    state: Mapped[str]
    wants: Mapped[bool]
    space: Mapped[str | None]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    seats: Mapped[int | None]
    person: Mapped[UUID | None]
    booking: Mapped[UUID | None]
    booked_space: Mapped[str | None]
    booked_starts_at: Mapped[datetime | None]
    booked_ends_at: Mapped[datetime | None]
    refused_because: Mapped[str | None]
    free_starts: Mapped[list[datetime]] = mapped_column(ARRAY(TIMESTAMP(timezone=True)), default=list)
    free_spaces: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    bookable_from: Mapped[datetime | None]
    lost_because: Mapped[str | None]
    moved_by: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=0)
    heard: Mapped[int] = mapped_column(default=0)
    asked_at: Mapped[datetime | None]
    changed_at: Mapped[datetime]


class Refusal(Base):
    """Something an organiser wanted and did not get, for the figures."""

    __tablename__ = "refusal"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    event: Mapped[UUID]
    at: Mapped[datetime]
    because: Mapped[str]
    by: Mapped[UUID | None]


class Feed(Base):
    """A secret calendar address; only the hash of its secret is kept."""

    __tablename__ = "feed"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    person: Mapped[UUID]
    secret_hash: Mapped[bytes]
    everywhere: Mapped[bool]
    made_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
