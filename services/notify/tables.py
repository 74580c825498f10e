"""SQLAlchemy classes of those of notify's tables whose rows are handled as objects; the others are read and written by SQL."""

from __future__ import annotations

from datetime import datetime, time
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Text, Uuid
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Tables of notify; times are aware UTC."""

    type_annotation_map: ClassVar = {datetime: TIMESTAMP(timezone=True)}


class Habit(Base):
    """How a person wants to be told in general; None is Foci's default. `version` counts changes of choices, too."""

    __tablename__ = "habit"

    person: Mapped[UUID] = mapped_column(primary_key=True)
    quiet_start: Mapped[time | None]
    quiet_end: Mapped[time | None]
    digest_at: Mapped[time | None]
    remind_minutes: Mapped[int | None]
    version: Mapped[int] = mapped_column(default=1)


class Webhook(Base):
    """Where a hub's operators have facts sent; `stated` counts its own facts, `version` what operators see of it."""

    __tablename__ = "webhook"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    url: Mapped[str]
    name: Mapped[str | None]
    types: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    state: Mapped[str]
    because: Mapped[str | None]
    generation: Mapped[int] = mapped_column(default=1)
    previous_until: Mapped[datetime | None]
    failing_since: Mapped[datetime | None]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    stated: Mapped[int] = mapped_column(default=0)
    version: Mapped[int] = mapped_column(default=1)


class Event(Base):
    """An event as its facts so far say; `venue_lost` until it has a place again."""

    __tablename__ = "event"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    status: Mapped[str]
    visibility: Mapped[str]
    hidden: Mapped[bool] = mapped_column(default=False)
    venue_lost: Mapped[bool] = mapped_column(default=False)
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    space: Mapped[str | None]
    online: Mapped[bool] = mapped_column(default=False)
    titles: Mapped[dict[str, str]] = mapped_column(JSONB, default=dict)
    organisers: Mapped[list[UUID]] = mapped_column(ARRAY(Uuid), default=list)
    series: Mapped[UUID | None]
    by: Mapped[UUID | None]
    version: Mapped[int]
