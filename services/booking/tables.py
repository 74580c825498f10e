"""SQLAlchemy classes of booking's tables."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, Dialect, Identity, String, Text, cast, type_coerce
from sqlalchemy.dialects.postgresql import ARRAY, INT4MULTIRANGE, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from services.booking.rules.claims import Units, from_multirange, to_multirange


class UnitSet(TypeDecorator[Units]):
    """A set of unit numbers, stored as `int4multirange` so that the database can see overlaps."""

    impl = String
    cache_ok = True

    def bind_expression(self, bindparam: Any) -> ColumnElement[Any]:
        return cast(bindparam, INT4MULTIRANGE)

    def column_expression(self, column: Any) -> ColumnElement[Any]:
        return type_coerce(cast(column, Text), self)

    def process_bind_param(self, value: Units | None, dialect: Dialect) -> str | None:  # noqa: ARG002
        return None if value is None else to_multirange(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> Units | None:  # noqa: ARG002
        return None if value is None else from_multirange(value)


class Base(DeclarativeBase):
    """Tables of booking; times are aware UTC."""

    type_annotation_map: ClassVar = {datetime: TIMESTAMP(timezone=True)}


class Hub(Base):
    """What booking knows of a hub, mirrored from directory's facts."""

    __tablename__ = "hub"

    slug: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Identity(always=True))
    name: Mapped[str]
    time_zone: Mapped[str]
    next_unit: Mapped[int] = mapped_column(default=1)


class Space(Base):
    """What can be booked: a set of units with rules.

    `version` counts changes a caller can see; `stated` counts its facts. `guarded` is true while some space
    sharing its units wants a buffer before bookings.
    """

    __tablename__ = "space"

    hub: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(primary_key=True)
    hub_number: Mapped[int]
    name: Mapped[str]
    kind: Mapped[str]
    capacity: Mapped[int]
    units: Mapped[Units] = mapped_column(UnitSet)
    made_of: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)
    guarded: Mapped[bool] = mapped_column(default=False)
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    stated: Mapped[int] = mapped_column(default=1)


class SpaceTerms(Base):
    """The rules of one version of a space: what a booking made under it was promised."""

    __tablename__ = "space_terms"

    hub: Mapped[str] = mapped_column(primary_key=True)
    slug: Mapped[str] = mapped_column(primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    rules: Mapped[dict[str, Any]] = mapped_column(JSONB)
    time_zone: Mapped[str]
    since: Mapped[datetime]


class Booking(Base):
    """A claim of units for a time. `version` counts its facts too: each change states exactly one."""

    __tablename__ = "booking"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    hub_number: Mapped[int]
    space: Mapped[str]
    units: Mapped[Units] = mapped_column(UnitSet)
    seats: Mapped[int]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    kept_from: Mapped[datetime | None]
    kept_until: Mapped[datetime]
    status: Mapped[str]
    title: Mapped[str | None]
    person: Mapped[UUID]
    booked_by: Mapped[UUID]
    time_zone: Mapped[str]
    rules_version: Mapped[int]
    expires_at: Mapped[datetime | None]
    cancel_reason: Mapped[str | None]
    calendar: Mapped[str | None]
    uid: Mapped[str | None]
    recurrence_id: Mapped[str | None]
    event: Mapped[UUID | None]
    version: Mapped[int] = mapped_column(default=1)
    created_at: Mapped[datetime]


class Occupancy(Base):
    """The latest figures per space and, as space `all`, per hub; `public_*` is what the public was last told."""

    __tablename__ = "occupancy"

    hub: Mapped[str] = mapped_column(primary_key=True)
    space: Mapped[str] = mapped_column(primary_key=True)
    capacity: Mapped[int]
    booked: Mapped[int]
    present: Mapped[int]
    measured_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
    public_booked: Mapped[int]
    public_present: Mapped[int]
    public_at: Mapped[datetime]


class Venue(Base):
    """The room an event wishes for, as events last stated it, and how far the wish is met.

    `edition` counts the wishes, `stated` our facts about them, and `heard` is the last of events' facts that was acted
    on.
    """

    __tablename__ = "venue"

    event: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    edition: Mapped[int]
    wants: Mapped[bool]
    space: Mapped[str | None]
    starts_at: Mapped[datetime | None]
    ends_at: Mapped[datetime | None]
    seats: Mapped[int | None]
    person: Mapped[UUID | None]
    booking: Mapped[UUID | None]
    state: Mapped[str]
    stated: Mapped[int] = mapped_column(default=0)
    heard: Mapped[int] = mapped_column(default=0)
    changed_at: Mapped[datetime]
