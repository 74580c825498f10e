"""Who reads along in a hub: readers who are shown the same are told together, and what is for one person alone goes there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import merge
from uuid import UUID

from pydantic import ValidationError

from services.gateway.live.cursors import NO_FIGURES, Cursor, Position, cursor_of, view_mark
from services.gateway.live.frames import HANDED, told
from services.gateway.live.held import Held, Told
from services.gateway.live.readers import Reader
from shared.contracts.audiences import about, shown_to
from shared.contracts.base import Audience, Fact
from shared.contracts.directory.words import STAFF, Role
from shared.contracts.live import OCCUPANCY_TOPIC, TOPIC_OF, TOPICS, streams_for
from shared.contracts.streams import OCCUPANCY
from shared.kit.telemetry import logger

log = logger(__name__)


@dataclass(frozen=True)
class View:
    """What somebody follows: a hub, topics of it, and as much of them as their role there is shown."""

    hub: str
    topics: tuple[str, ...]
    audiences: frozenset[Audience]
    exact: bool
    """Whether occupancy is shown in numbers."""
    mark: bytes
    streams: tuple[str, ...]
    shared: frozenset[type[Fact]]
    """Facts that everybody with this view is told."""
    personal: frozenset[type[Fact]]
    """Facts that only those are told whom they are about."""

    @classmethod
    def of(cls, hub: str, topics: Iterable[str], role: Role | None) -> View:
        """The view of somebody with that role."""
        chosen = tuple(sorted(set(topics)))
        audiences, exact = shown_to(role), role in STAFF
        facts = [fact for topic in chosen for fact in TOPICS[topic]]
        streams = {stream for topic in chosen for stream in streams_for(topic)}
        if not exact:
            # What everybody is shown of occupancy is asked for, not heard.
            streams.discard(OCCUPANCY)
        return cls(
            hub=hub,
            topics=chosen,
            audiences=audiences,
            exact=exact and OCCUPANCY_TOPIC in chosen,
            mark=view_mark(hub, chosen, exact=exact and OCCUPANCY_TOPIC in chosen),
            streams=tuple(sorted(streams)),
            shared=frozenset(fact for fact in facts if fact.audience in audiences),
            personal=frozenset(fact for fact in facts if fact.audience is Audience.PERSONS),
        )

    @property
    def public_figures(self) -> bool:
        """Whether occupancy is followed as everybody is shown it."""
        return OCCUPANCY_TOPIC in self.topics and not self.exact

    def shows(self, one: Told, person: UUID | None) -> str | None:
        """The message this person is shown of a fact, None when it is not for them."""
        if one.kind in self.shared:
            return one.whole
        if person is None or one.kind not in self.personal or person not in about(one.fact):
            return None
        return one.for_reader(person)


@dataclass
class Figures:
    """A hub's occupancy as everybody is shown it, one message a space, and which figures those are."""

    mark: bytes
    numbers: dict[str, str]
    bodies: dict[str, str]


@dataclass
class Room:
    """One hub: its readers by view, and its occupancy."""

    hub: str
    readers: dict[View, list[Reader]] = field(default_factory=dict)
    persons: dict[UUID, list[tuple[View, Reader]]] = field(default_factory=dict)
    figures: Figures | None = None
    exact: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Sequence and message of each space's latest figures, as staff are shown them."""
    changed_at: datetime | None = None
    """When exact figures changed that the public ones have not caught up with."""

    @property
    def empty(self) -> bool:
        """Whether nobody reads along."""
        return not self.readers

    def enter(self, view: View, reader: Reader) -> None:
        """Tell this reader what happens from now on."""
        self.readers.setdefault(view, []).append(reader)
        if reader.person is not None:
            self.persons.setdefault(reader.person, []).append((view, reader))

    def leave(self, view: View, reader: Reader) -> None:
        """Tell them nothing more."""
        of_view = self.readers[view]
        of_view.remove(reader)
        if not of_view:
            del self.readers[view]
        if reader.person is not None:
            own = self.persons[reader.person]
            own.remove((view, reader))
            if not own:
                del self.persons[reader.person]

    def cursor(self, view: View, places: Mapping[str, Position]) -> Cursor:
        """Where readers of this view are who have been told everything."""
        mark = self.figures.mark if self.figures is not None and view.public_figures else NO_FIGURES
        return cursor_of(view.mark, view.streams, places, mark)

    def tell(self, one: Told, places: Mapping[str, Position]) -> None:
        """A fact of this hub, to everybody who may be shown it."""
        try:
            handed = self._tell_all(one, places) + self._tell_persons(one, places)
        except ValidationError as error:
            _cannot_be_read(one, error)
            return
        if handed:
            HANDED.labels(TOPIC_OF[one.kind]).inc()

    def _tell_all(self, one: Told, places: Mapping[str, Position]) -> int:
        handed = 0
        for view, readers in self.readers.items():
            if one.kind in view.shared:
                frame = told(one.whole, str(self.cursor(view, places)))
                handed += _push(readers, frame)
        return handed

    def _tell_persons(self, one: Told, places: Mapping[str, Position]) -> int:
        if one.kind.audience is not Audience.PERSONS or not self.persons:
            return 0
        handed = 0
        for person in about(one.fact):
            for view, reader in self.persons.get(person, ()):
                if one.kind in view.personal:
                    body = one.for_reader(person)
                    handed += _push([reader], told(body, str(self.cursor(view, places))))
        return handed

    def tell_exact(self, space: str, sequence: int, body: str, places: Mapping[str, Position]) -> None:
        """New figures of a space, to staff."""
        self.exact[space] = (sequence, body)
        for view, readers in self.readers.items():
            if view.exact:
                _push(readers, told(body, str(self.cursor(view, places))))

    def tell_figures(self, figures: Figures, places: Mapping[str, Position]) -> None:
        """New figures as everybody is shown them: those that are others now."""
        following = [view for view in self.readers if view.public_figures]
        before = {view: str(self.cursor(view, places)) for view in following}
        known, self.figures = self.figures, figures
        numbers = {} if known is None else known.numbers
        changed = [
            body for space, body in figures.bodies.items() if numbers.get(space) != figures.numbers[space]
        ]
        for view in following:
            frames = _in_one_step(changed, before[view], str(self.cursor(view, places)))
            _push(self.readers[view], b"".join(frames))

    def beginning(self, view: View, places: Mapping[str, Position]) -> Cursor:
        """Where somebody is who begins now: nothing has been missed, and no figures have been told."""
        nothing = Position(places[OCCUPANCY].made, 0)
        return cursor_of(view.mark, view.streams, {**places, OCCUPANCY: nothing})

    def missed(
        self, view: View, cursor: Cursor, person: UUID | None, held: Mapping[str, Held]
    ) -> tuple[list[bytes], Cursor]:
        """What somebody with this cursor has not been told yet, in the order in which it was heard; where they are then.

        The cursor in each frame says what was told up to it, and no more: whoever loses the connection in the middle of
        these goes on in the middle.
        """
        places = dict(zip(view.streams, cursor.places, strict=True))
        frames = []
        for stream, one in merge(*self._told_since(view, places, held), key=lambda found: found[1].order):
            places[stream] = Position(held[stream].made, one.sequence, one.mark)
            body = _shown(view, one, person)
            if body is not None:
                frames.append(told(body, str(cursor_of(view.mark, view.streams, places, cursor.figures))))
        places |= {stream: held[stream].position for stream in view.streams if stream != OCCUPANCY}
        return frames, cursor_of(view.mark, view.streams, places, cursor.figures)

    def _told_since(
        self, view: View, places: Mapping[str, Position], held: Mapping[str, Held]
    ) -> list[list[tuple[str, Told]]]:
        return [
            [(stream, one) for one in held[stream].after(self.hub, places[stream].sequence)][::-1]
            for stream in view.streams
            if stream != OCCUPANCY
        ]

    def figures_since(self, view: View, cursor: Cursor, made: bytes) -> list[bytes]:
        """Occupancy that somebody with this cursor has not been told yet."""
        if view.public_figures and self.figures is not None and self.figures.mark != cursor.figures:
            after = replace(cursor, figures=self.figures.mark)
            return _in_one_step([*self.figures.bodies.values()], str(cursor), str(after))
        if not view.exact:
            return []
        places = dict(zip(view.streams, cursor.places, strict=True))
        since, frames = places[OCCUPANCY].sequence, []
        for sequence, body in sorted(self.exact.values()):
            if sequence > since:
                places[OCCUPANCY] = Position(made, sequence)
                frames.append(told(body, str(cursor_of(view.mark, view.streams, places))))
        return frames


def _shown(view: View, one: Told, person: UUID | None) -> str | None:
    try:
        return view.shows(one, person)
    except ValidationError as error:
        _cannot_be_read(one, error)
        return None


def _cannot_be_read(one: Told, error: ValidationError) -> None:
    log.warning("a fact cannot be read; nobody is told", kind=one.kind.__name__, faults=error.error_count())


def _in_one_step(bodies: Sequence[str], before: str, after: str) -> list[bytes]:
    """Messages that count as told when the last of them has been."""
    return [told(body, before) for body in bodies[:-1]] + [told(body, after) for body in bodies[-1:]]


def _push(readers: Iterable[Reader], frame: bytes) -> int:
    handed = 0
    for reader in readers:
        reader.push(frame)
        handed += 1
    return handed
