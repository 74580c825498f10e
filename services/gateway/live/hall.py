"""Everything one replica knows of what happens: hears each stream once, keeps its end, and tells who reads along."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from services.gateway.client import Services
from services.gateway.live import frames
from services.gateway.live.cursors import Cursor, Position
from services.gateway.live.held import Held, Told
from services.gateway.live.readers import Reader
from services.gateway.live.rooms import Figures, Room, View
from shared.contracts.live import LIVE_STREAMS
from shared.contracts.streams import MEMBER_FACTS, OCCUPANCY
from shared.kit.errors import FociError, Unavailable
from shared.kit.telemetry import logger

log = logger(__name__)

BEAT_S = 15.0
MOST_MISSED = 256 * 1024
"""Bytes told to somebody who comes back, and kept for them meanwhile; who has missed more reads again what there is."""
COME_BACK_MS = 2_000
"""So long a browser waits that has lost us without a word; said anew each time, for what a farewell says lasts until then."""
SPREAD_MS = 2_000
"""Over so long those who read along here come back elsewhere when this replica stops."""
LAST_WORDS_S = 5.0
"""So long a reader who has been told to go may take what still waits for them."""
CATCH_UP_S = 3.0
"""So long somebody waits who has been told by another replica what this one has not heard yet."""


class TooManyStreams(FociError):
    """One person, one address or this replica has as many readers as it may."""

    kind = "limited"
    status = 429
    code = "too-many-streams"
    title = "Too many live streams"


@dataclass(frozen=True)
class Limits:
    """How many may read along on one replica, and how much is kept for them."""

    together: int
    per_person: int
    per_address: int
    held: int


@dataclass
class Hall:
    """Rooms by hub, and the end of each stream. Everything here happens in one loop, each fact in one step of it."""

    services: Services
    limits: Limits
    held: dict[str, Held] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)
    readers: dict[Reader, View] = field(default_factory=dict)
    leaving: bool = False
    arriving: set[Reader] = field(default_factory=set)
    """Who is on their way in: their role has been asked for, and what they want to follow is not there yet."""
    _places: dict[str, Position] = field(default_factory=dict)
    _by: Counter[str] = field(default_factory=Counter)
    _order: int = 0
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        frames.PLACES.set(self.limits.together)

    # --- what is heard ---

    def go_on_with(self, held: Held) -> None:
        """A stream is followed from here on; who read along before is told that something may be missing."""
        self.held[held.stream] = held
        self._places[held.stream] = held.position
        if held.stream == OCCUPANCY:
            for room in self.rooms.values():
                room.exact.clear()
        for reader, view in self.readers.items():
            if held.stream in view.streams:
                self._reset(reader, view, "rebuilt")
        self._stir()

    def hear(self, stream: str, told: Told | None) -> None:
        """One message more of a stream, which has been kept if it can be told."""
        self._places[stream] = self.held[stream].position
        if told is not None:
            if told.kind in MEMBER_FACTS:
                self._role_changed(told)
            room = self.rooms.get(told.hub)
            if room is not None and room.readers:
                room.tell(told, self._places)
        self._stir()

    def hear_figures(self, hub: str, space: str, sequence: int, body: str) -> None:
        """The latest figures of a space."""
        held = self.held[OCCUPANCY]
        held.sequence = max(sequence, held.sequence)
        self._places[OCCUPANCY] = held.position
        room = self.room(hub)
        room.tell_exact(space, sequence, body, self._places)
        if room.figures is not None and room.changed_at is None:
            room.changed_at = self.services.clock()
        self._stir()

    def tell_figures(self, hub: str, figures: Figures) -> None:
        """A hub's occupancy as everybody is shown it."""
        self.room(hub).tell_figures(figures, self._places)

    def next_order(self) -> int:
        """Counts what is heard, of all streams."""
        self._order += 1
        return self._order

    def _stir(self) -> None:
        self._moved.set()
        self._moved = asyncio.Event()

    def _role_changed(self, told: Told) -> None:
        person = UUID(str(getattr(told.fact, "person")))  # noqa: B009  # all of MEMBER_FACTS name one
        self.recheck(person, told.hub)

    def recheck(self, person: UUID, hub: str | None = None) -> None:
        """Somebody's rights have changed, in a hub or everywhere: nothing is told them before they have asked anew."""
        for reader in self.arriving:
            reader.rechecked = reader.rechecked or reader.person == person
        rooms = self.rooms.values() if hub is None else filter(None, [self.rooms.get(hub)])
        for reader in [reader for room in rooms for _, reader in room.persons.get(person, ())]:
            self._close(reader, "role-changed", retry=0)
        if hub is not None:
            self.services.forget(hub, person)

    # --- who reads along ---

    def room(self, hub: str) -> Room:
        """The hub's room, made when first asked for."""
        return self.rooms.setdefault(hub, Room(hub))

    async def following(self, cursor: Cursor | None, view: View) -> None:
        """Return when every stream of the view is followed, and as far as the cursor says; Unavailable if not soon."""
        try:
            async with asyncio.timeout(CATCH_UP_S):
                while not self._is_there(cursor, view):
                    await self._moved.wait()
        except TimeoutError as error:
            if not all(stream in self.held for stream in LIVE_STREAMS):
                raise Unavailable(
                    "Live facts are not there yet. Try again shortly.", retry_after=2
                ) from error

    def _is_there(self, cursor: Cursor | None, view: View) -> bool:
        if not all(stream in self.held for stream in LIVE_STREAMS):
            return False
        if cursor is None or cursor.view != view.mark or len(cursor.places) != len(view.streams):
            return True
        pairs = zip(view.streams, cursor.places, strict=True)
        return all(self.held[stream].sequence >= place.sequence for stream, place in pairs)

    def check_room(self, reader: Reader) -> None:
        """Unavailable or TooManyStreams when there is no room for one more."""
        if len(self.readers) >= self.limits.together:
            raise Unavailable(
                "As many live streams are open here as can be. Try again shortly.", retry_after=5
            )
        most = self.limits.per_person if reader.person is not None else self.limits.per_address
        if self._by[_whose(reader)] >= most:
            raise TooManyStreams(f"At most {most} live streams at a time. Close one.", retry_after=5)

    def enter(
        self, reader: Reader, view: View, cursor: Cursor | None, *, now: float, foreign: bool = False
    ) -> None:
        """Tell a reader what they have missed, and from now on what happens; in one step, so nothing falls between.

        `foreign` says that they came with a cursor that means nothing here.
        """
        self.check_room(reader)
        room = self.room(view.hub)
        because = "foreign" if foreign else None if cursor is None else self._unreachable(view, cursor)
        about_it = {"hub": view.hub, "topics": view.topics, "until": _in_words(reader.until)}
        begins = room.beginning(view, self._places)
        missed: list[bytes] = []
        reached = begins
        if cursor is not None and because is None:
            missed, reached = room.missed(view, cursor, reader.person, self.held)
            if sum(map(len, missed)) > MOST_MISSED:
                missed, reached, because = [], begins, "too-much"
        told_until = str(begins if cursor is None or because else cursor)
        first = [frames.said("open", about_it, cursor=told_until, retry=COME_BACK_MS)]
        if because is not None:
            first.append(frames.said("reset", {"because": because}, cursor=str(begins)))
        figures = room.figures_since(view, reached, self.held[OCCUPANCY].made)
        reader.start_with([*first, *missed, *figures, frames.beat(str(room.cursor(view, self._places)))])
        reader.next_beat = now + BEAT_S
        room.enter(view, reader)
        self.readers[reader] = view
        self._by[_whose(reader)] += 1
        frames.READERS.set(len(self.readers))
        if self.leaving:
            self._close(reader, "leaving", retry=SPREAD_MS)
        elif reader.until <= now:
            self._close(reader, "over", retry=0)

    def _unreachable(self, view: View, cursor: Cursor) -> str | None:
        """Why one cannot go on from a cursor; None when one can."""
        if cursor.view != view.mark or len(cursor.places) != len(view.streams):
            return "foreign"
        for stream, place in zip(view.streams, cursor.places, strict=True):
            held = self.held[stream]
            if place.made != held.made:
                return "rebuilt"
            if stream != OCCUPANCY and not held.reaches(place):
                return "too-old" if place.sequence < held.since else "rebuilt"
            if stream == OCCUPANCY and place.sequence > held.sequence:
                return "rebuilt"
        return None

    def _reset(self, reader: Reader, view: View, because: str) -> None:
        room = self.room(view.hub)
        begins = room.beginning(view, self._places)
        reader.push(frames.said("reset", {"because": because}, cursor=str(begins)))

    def leave(self, reader: Reader) -> None:
        """A reader has gone."""
        view = self.readers.pop(reader, None)
        if view is None:
            return
        whose = _whose(reader)
        self._by[whose] -= 1
        if not self._by[whose]:
            del self._by[whose]
        self.room(view.hub).leave(view, reader)
        frames.READERS.set(len(self.readers))
        frames.CLOSED.labels(reader.because or "gone").inc()
        if reader.because == "too-slow":
            log.warning("a live reader took too little for too long and was cut off", hub=view.hub)

    def _close(self, reader: Reader, because: str, *, retry: int) -> None:
        if reader.because is None:
            reader.close(because, retry=retry)
            reader.ends_by = self.services.clock().timestamp() + LAST_WORDS_S

    def close_all(self) -> None:
        """Send everybody elsewhere, spread over a while so that the others are not asked by all at once."""
        self.leaving = True
        for number, reader in enumerate([*self.readers]):
            self._close(reader, "leaving", retry=SPREAD_MS * number // len(self.readers))

    def keep_up(self, now: float) -> None:
        """Once a second: signs of life, rights that have ended, and those who do not go."""
        for reader, view in [*self.readers.items()]:
            if reader.ends_by is not None:
                if reader.ends_by <= now:
                    reader.cut("too-slow")
            elif reader.until <= now:
                self._close(reader, "over", retry=0)
            elif reader.next_beat <= now:
                reader.next_beat = now + BEAT_S
                reader.push(frames.beat(str(self.room(view.hub).cursor(view, self._places))))
        for held in self.held.values():
            held.count()
        for hub in [hub for hub, room in self.rooms.items() if room.empty and not room.exact]:
            del self.rooms[hub]


def _in_words(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _whose(reader: Reader) -> str:
    return reader.address if reader.person is None else str(reader.person)
