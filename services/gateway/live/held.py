"""What a stream has said lately, kept by hub for readers who come back; the stream itself is asked nothing for them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from services.gateway.live.cursors import UNMARKED, Position
from services.gateway.live.frames import HELD
from shared.contracts.audiences import kept_from, told_as
from shared.contracts.base import Fact
from shared.kit.envelopes import fact_message

MOST_BYTES = 8 * 1024 * 1024
"""Per stream, however many facts may be held."""


@dataclass(slots=True)
class Told:
    """A fact in its place. It is read when somebody is there to be told, and written once for all who are shown all of it."""

    kind: type[Fact]
    hub: str
    sequence: int
    order: int
    """Counts what this replica has heard, of all streams."""
    id: bytes
    raw: bytes
    _fact: Fact | None = None
    _whole: str | None = None

    @property
    def fact(self) -> Fact:
        """As it was stated; ValidationError when it is nonsense."""
        if self._fact is None:
            self._fact = self.kind.model_validate_json(self.raw)
        return self._fact

    @property
    def whole(self) -> str:
        """As a message, with everything in it."""
        if self._whole is None:
            self._whole = fact_message(self.fact)
        return self._whole

    def for_reader(self, reader: UUID) -> str:
        """As a message to one of the persons it is about."""
        return fact_message(self.fact, kept_from(self.fact, reader), type=told_as(self.kind))

    @property
    def mark(self) -> bytes:
        """Enough of its id to tell it from another under the same number."""
        return self.id[-4:]


@dataclass
class Held:
    """The end of one stream: everything told after `since`."""

    stream: str
    most: int
    made: bytes = UNMARKED
    made_at: datetime | None = None
    since: int = 0
    sequence: int = 0
    by_hub: dict[str, deque[Told]] = field(default_factory=lambda: defaultdict(deque))
    _all: deque[Told] = field(default_factory=deque)
    _ids: set[bytes] = field(default_factory=set)
    _bytes: int = 0

    def start_over(self, made: bytes, made_at: datetime | None, sequence: int) -> None:
        """Another stream, or another part of it: what was held leads nowhere."""
        self.made, self.made_at, self.since, self.sequence = made, made_at, sequence, sequence
        self._all.clear()
        self.by_hub.clear()
        self._ids.clear()
        self._bytes = 0

    def knows(self, id: bytes) -> bool:
        """Whether a fact is held; a relay that lost its place states what it has stated once more."""
        return id in self._ids

    @property
    def ids(self) -> frozenset[bytes]:
        """Of all that is held."""
        return frozenset(self._ids)

    def keep(self, told: Told) -> None:
        """Hold one more, and let go of the oldest."""
        self._all.append(told)
        self.by_hub[told.hub].append(told)
        self._ids.add(told.id)
        self._bytes += len(told.raw)
        while len(self._all) > self.most or self._bytes > MOST_BYTES:
            self._forget_oldest()

    def count(self) -> None:
        """Refresh the figure."""
        HELD.labels(self.stream).set(len(self._all))

    def _forget_oldest(self) -> None:
        oldest = self._all.popleft()
        of_hub = self.by_hub[oldest.hub]
        of_hub.popleft()
        if not of_hub:
            del self.by_hub[oldest.hub]
        self._ids.discard(oldest.id)
        self._bytes -= len(oldest.raw)
        self.since = oldest.sequence

    @property
    def position(self) -> Position:
        """Where the stream has been heard to."""
        return Position(self.made, self.sequence, self._all[-1].mark if self._all else UNMARKED)

    def reaches(self, place: Position) -> bool:
        """Whether everything after `place` is held, and `place` is one of this very stream."""
        if place.made != self.made or not self.since <= place.sequence <= self.sequence:
            return False
        mark = next((one.mark for one in reversed(self._all) if one.sequence <= place.sequence), UNMARKED)
        return UNMARKED in (mark, place.mark) or mark == place.mark

    def after(self, hub: str, sequence: int) -> Iterator[Told]:
        """What happened in a hub after a place, the latest first."""
        for told in reversed(self.by_hub.get(hub, ())):
            if told.sequence <= sequence:
                return
            yield told
