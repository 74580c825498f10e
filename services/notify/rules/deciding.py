"""What becomes of a notice when it is due: told, put off, put into a digest, or dropped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import NamedTuple
from uuid import UUID

from services.notify.rules import kinds
from services.notify.rules.differences import INBOX_ONLY, Item, difference
from services.notify.rules.kinds import Choices
from services.notify.rules.moments import end_of_quiet, next_digest
from services.notify.rules.states import State
from shared.contracts.directory.requests import Contact
from shared.contracts.notify.words import ALWAYS, About, Channel, News, NoticeKind, Pace

LOOK_AGAIN = timedelta(seconds=10)
HEARD_WITHIN = timedelta(minutes=10)
"""So long after a notice what it is about may be heard of; facts overtake each other by seconds."""


@dataclass(frozen=True)
class Listener:
    """Somebody at a hub: how they are reached now, and what they have chosen. No contact: directory knows nobody."""

    contact: Contact | None
    choices: Choices
    quiet: tuple[time, time] = (kinds.QUIET_START, kinds.QUIET_END)
    digest_at: time = kinds.DIGEST_AT
    stopped: bool = False
    """Mail to their address comes back."""

    def quiet_until(self, at: datetime) -> datetime | None:
        """When their quiet hours end, if `at` is within."""
        if self.contact is None:
            return None
        return end_of_quiet(at, self.contact.time_zone, *self.quiet)

    def unreachable(self, channel: Channel) -> str | None:
        """Why nothing reaches them this way, or None."""
        if self.contact is None:
            return "nobody"
        if channel is Channel.EMAIL and self.contact.email is None:
            return "no-address"
        return "stopped" if channel is Channel.EMAIL and self.stopped else None


class Matter(NamedTuple):
    """A thing somebody may have to be told of: what they know, and what is; `now` is None while not all is heard of."""

    about: About
    thing: UUID
    hub: str
    hub_name: str
    hub_zone: str
    channel: Channel
    first_at: datetime
    now: State | None
    before: State | None
    sequence: int
    """Of calendars, if something is told now."""
    told_at: datetime | None


class Tell(NamedTuple):
    """Say it now."""

    item: Item


class Wait(NamedTuple):
    """Look again then."""

    until: datetime
    why: str


class Gather(NamedTuple):
    """It goes into the digest of that pace, which comes then."""

    pace: Pace
    due_at: datetime


class Drop(NamedTuple):
    """Say nothing. What they know now is `keep`; None leaves what they know as it was. Who has left knew it `since` then."""

    why: str
    keep: State | None
    since: datetime | None = None


Decision = Tell | Wait | Gather | Drop


def decide(matter: Matter, listener: Listener, at: datetime, *, digesting: bool = False) -> Decision:
    """What becomes of a notice at `at`; with `digesting` its digest is being put together."""
    contact, now = listener.contact, matter.now
    if contact is None:
        return Drop("nobody", None)
    if now is None:
        late = at - matter.first_at >= HEARD_WITHIN
        return Drop("unheard", None) if late else Wait(at + LOOK_AGAIN, "unheard")
    if _had_left(matter, contact):
        return Drop("left", now, contact.left_at)
    said = difference(matter.before, now, about=matter.about, at=at, hub_zone=matter.hub_zone)
    if said is None or (said[0] in INBOX_ONLY and matter.channel is Channel.EMAIL):
        return Drop("nothing", now)
    news, kind = said
    pace = kinds.resolve(listener.choices, matter.hub, kind, matter.channel)
    why = listener.unreachable(matter.channel)
    if why is not None or pace is Pace.OFF:
        return Drop(why or "off", now)
    put_off = None
    if not (digesting or matter.channel is Channel.INBOX or kind in ALWAYS):
        put_off = _put_off(pace, listener, contact.time_zone, at)
    return put_off or Tell(_item(matter, now, news, kind))


def _put_off(pace: Pace, listener: Listener, zone: str, at: datetime) -> Gather | Wait | None:
    if pace is not Pace.NOW:
        return Gather(pace, next_digest(at, zone, listener.digest_at, pace))
    quiet = listener.quiet_until(at)
    return None if quiet is None else Wait(quiet, "quiet")


def _item(matter: Matter, now: State, news: News, kind: NoticeKind) -> Item:
    return Item(
        about=matter.about,
        thing=matter.thing,
        hub=matter.hub,
        hub_name=matter.hub_name,
        hub_zone=matter.hub_zone,
        news=news,
        kind=kind,
        now=now,
        before=matter.before,
        sequence=matter.sequence,
    )


def _had_left(matter: Matter, contact: Contact) -> bool:
    """Whether the matter is of the time before they left the hub: the notice is, or they were told of it before.

    Who left long ago and signs up for something public afterwards is told of that.
    """
    left = contact.left_at
    return left is not None and (
        left >= matter.first_at or (matter.told_at is not None and matter.told_at <= left)
    )


def still_wanted(hub: str, about: frozenset[NoticeKind], made_at: datetime, listener: Listener) -> str | None:
    """Why a mail nobody knows the fate of must not go again, or None: erased, left, stopped, switched off since."""
    why = listener.unreachable(Channel.EMAIL)
    if why is not None or listener.contact is None:
        return why
    if listener.contact.left_at is not None and listener.contact.left_at >= made_at:
        return "left"
    paces = {kinds.resolve(listener.choices, hub, kind, Channel.EMAIL) for kind in about}
    return "off" if paces == {Pace.OFF} else None
