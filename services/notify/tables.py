"""SQLAlchemy classes of those of notify's tables whose rows are handled as objects; the others are read and written by SQL."""

from __future__ import annotations

from datetime import datetime, time
from typing import ClassVar
from uuid import UUID

from sqlalchemy.dialects.postgresql import TIMESTAMP
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
