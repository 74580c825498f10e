"""Who may see and who may run an event: decided by role in the hub, by organising it, and by its visibility."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.contracts.directory.words import OPERATORS, STAFF, Role
from shared.contracts.events.words import EventStatus, OrganiserKind, Visibility
from shared.kit.principal import Principal

MEMBERS = frozenset(Role) - {Role.VISITOR}
"""Roles that may start events."""
PUBLISHED = frozenset({EventStatus.PUBLISHED, EventStatus.CHANGED, EventStatus.CANCELLED, EventStatus.HELD})
"""States of an event that people could see at some time, if it ever became usable."""


class Organises(Protocol):
    """Whoever organises: a row of `organiser`, or the view of one."""

    kind: str
    id: UUID


class Shown(Protocol):
    """What of an event decides who sees it."""

    status: str
    visibility: str
    usable_at: datetime | None
    hidden_at: datetime | None


@dataclass(frozen=True)
class Viewer:
    """Who looks at a hub's events: nobody in particular, or a person with a role there."""

    person: UUID | None
    role: str | None
    hub: str

    @property
    def belongs(self) -> bool:
        """True for the hub's own people."""
        return self.role is not None


def viewer_of(principal: Principal | None, hub: str) -> Viewer:
    """The one who asks, as this hub knows them."""
    if principal is None:
        return Viewer(None, None, hub)
    return Viewer(principal.person, principal.within(hub), hub)


def is_staff(viewer: Viewer) -> bool:
    """True for those who see and run everything in the hub."""
    return viewer.role in STAFF


def is_operator(viewer: Viewer) -> bool:
    """True for those who import and change the hub's settings."""
    return viewer.role in OPERATORS


def may_start(viewer: Viewer) -> bool:
    """Any member starts events."""
    return viewer.role in MEMBERS


def organises(viewer: Viewer, organisers: Iterable[Organises]) -> bool:
    """True when the one who looks is one of the persons who organise it."""
    return viewer.person is not None and any(
        one.kind == OrganiserKind.PERSON and one.id == viewer.person for one in organisers
    )


def may_run(viewer: Viewer, organisers: Iterable[Organises]) -> bool:
    """Organisers fully run their event, whatever their role; staff help."""
    return is_staff(viewer) or organises(viewer, organisers)


def may_see(viewer: Viewer, event: Shown, organisers: Iterable[Organises]) -> bool:
    """Drafts and hidden events: those who run them. What was published: as far as its visibility goes."""
    if may_run(viewer, organisers):
        return True
    if event.hidden_at is not None or event.usable_at is None or event.status not in PUBLISHED:
        return False
    if event.visibility == Visibility.PUBLIC:
        return True
    if event.visibility == Visibility.FEDERATION:
        return viewer.person is not None
    return viewer.belongs
