"""SQLAlchemy classes of those of matching's tables whose rows are handled as objects; the others are read and written by SQL."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    """Tables of matching; times are aware UTC."""

    type_annotation_map: ClassVar = {datetime: TIMESTAMP(timezone=True)}


class Profile(Base):
    """What a person or an organisation says of itself; `person` is the id of either."""

    __tablename__ = "profile"

    person: Mapped[UUID] = mapped_column(primary_key=True)
    owner_kind: Mapped[str] = mapped_column(default="person")
    kept_by: Mapped[UUID | None]
    name: Mapped[str | None]
    hub: Mapped[str]
    about: Mapped[str] = mapped_column(default="")
    talk_about: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text), default=list)
    visibility: Mapped[str] = mapped_column(default="nobody")
    paused: Mapped[bool] = mapped_column(default=False)
    changed_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)

    @property
    def member(self) -> UUID:
        """Whose belonging to hubs counts for it: the person, or who keeps the organisation's."""
        return self.kept_by or self.person


class Introduction(Base):
    """A suggested meeting of two people, with what each said and what the reasons were."""

    __tablename__ = "introduction"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    one: Mapped[UUID]
    other: Mapped[UUID]
    suggested_by: Mapped[UUID | None]
    by_host: Mapped[bool] = mapped_column(default=False)
    reasons: Mapped[list[Any]] = mapped_column(JSONB, default=list)
    status: Mapped[str]
    one_said: Mapped[str | None]
    other_said: Mapped[str | None]
    met_at: Mapped[datetime | None]
    lapse_at: Mapped[datetime]
    created_at: Mapped[datetime]
    version: Mapped[int] = mapped_column(default=1)
