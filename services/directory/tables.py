"""SQLAlchemy classes of directory's tables."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import Text
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


def folded(text: str) -> str:
    """SQL for a name as it is compared: the collation is named, because lower('Ö') stays Ö under a server's plain C."""
    return f'lower(CAST({text} AS text) COLLATE "pg_c_utf8")'


class Base(DeclarativeBase):
    """Tables of directory; times are aware UTC."""

    type_annotation_map: ClassVar = {datetime: TIMESTAMP(timezone=True)}


class Hub(Base):
    """A hub of the federation with its public profile; `words` is what text search looks in."""

    __tablename__ = "hub"

    slug: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    kind: Mapped[str]
    address: Mapped[str | None]
    municipality: Mapped[str | None]
    region: Mapped[str | None]
    country: Mapped[str | None]
    time_zone: Mapped[str]
    languages: Mapped[list[str]] = mapped_column(ARRAY(Text))
    modules: Mapped[list[str]] = mapped_column(ARRAY(Text))
    offers: Mapped[list[str]] = mapped_column(ARRAY(Text))
    about: Mapped[str | None]
    cell: Mapped[str]
    version: Mapped[int] = mapped_column(default=1)
    words: Mapped[str]


class Person(Base):
    """Somebody with an account, or a guest that staff have registered."""

    __tablename__ = "person"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    email: Mapped[str | None]
    language: Mapped[str]
    time_zone: Mapped[str]
    guest: Mapped[bool]
    registered_at: Mapped[datetime]


class Membership(Base):
    """A person's role in a hub; `left_at` is set while they do not belong to it.

    `provided` is the version at which a sign-in provider's word last made it what it was; a newer one is somebody's decision.
    """

    __tablename__ = "membership"

    hub: Mapped[str] = mapped_column(primary_key=True)
    person: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str]
    since: Mapped[datetime]
    left_at: Mapped[datetime | None]
    version: Mapped[int] = mapped_column(default=1)
    provided: Mapped[int | None]


class Organisation(Base):
    """A company, society or university with a page at a hub."""

    __tablename__ = "organisation"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    name: Mapped[str]
    kind: Mapped[str]
    website: Mapped[str | None]


class SignIn(Base):
    """A link to sign in with that somebody has asked for; it works once."""

    __tablename__ = "sign_in"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person: Mapped[UUID]
    hub: Mapped[str]
    asked_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class Session(Base):
    """Some browser or program that somebody is signed in with; `ends_at` is moved on while it is used."""

    __tablename__ = "session"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person: Mapped[UUID]
    via: Mapped[str]
    agent: Mapped[str]
    started_at: Mapped[datetime]
    seen_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_because: Mapped[str | None]


class RefreshToken(Base):
    """The hash of a refresh token; one that was replaced is kept, so that a copy is known by its coming again."""

    __tablename__ = "refresh_token"

    hash: Mapped[bytes] = mapped_column(primary_key=True)
    session: Mapped[UUID]
    issued_at: Mapped[datetime]
    replaced_at: Mapped[datetime | None]


class TokenKey(Base):
    """A key for access tokens: signs from `signs_from` until a newer one does, and is published until `until`."""

    __tablename__ = "token_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    x: Mapped[str]
    sealed: Mapped[bytes]
    made_at: Mapped[datetime]
    signs_from: Mapped[datetime]
    until: Mapped[datetime | None]


class ApiToken(Base):
    """What a hub's kiosk or system proves itself with: a hash, a purpose, an end."""

    __tablename__ = "api_token"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    hub: Mapped[str]
    name: Mapped[str]
    purpose: Mapped[str]
    hash: Mapped[bytes]
    created_by: Mapped[UUID]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
