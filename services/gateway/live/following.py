"""From the streams into the hall: one ordered consumer per stream, for all who read along on this replica."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from nats.aio.client import Client
from nats.aio.msg import Msg

from services.gateway.live.cursors import stream_mark
from services.gateway.live.hall import Hall
from services.gateway.live.held import Held, Told
from shared.contracts.catalogue import fact_class
from shared.contracts.directory.facts import PersonErasedV1
from shared.contracts.live import LIVE_STREAMS, TOPIC_OF
from shared.contracts.streams import OCCUPANCY, STREAMS
from shared.contracts.users import GATEWAY
from shared.kit.ordered import Ordered, Place, Source
from shared.kit.telemetry import logger

log = logger(__name__)

EARLIER_MS = 10_000
"""How long before its stream was made a fact may have been stated and be told.

Longer than a transaction may take and clocks may differ: what was committed after readers have been told to read again must
reach them, however old its id is.
"""


@dataclass
class FactsHeard:
    """Hears one service's facts. What is in the stream already is only kept, then the hall goes on from its end."""

    hall: Hall
    stream: str
    _held: Held
    _waiting: int = 0
    _told_before: frozenset[bytes] = frozenset()
    """Ids of facts that were held when their stream was made anew: stated once more they are no news."""

    async def begin(self, place: Place, waiting: int) -> None:
        """A stream that is heard for the first time, or has been made anew, or has gone on without us for too long."""
        made = stream_mark(place.made_at)
        if made != self._held.made:
            self._told_before = self._held.ids
        self._held = Held(self.stream, self.hall.limits.held)
        self._held.start_over(made, place.made_at, place.sequence)
        self._waiting = waiting
        self._open_if_there()

    def _open_if_there(self) -> None:
        if self._waiting <= 0 and self.hall.held.get(self.stream) is not self._held:
            self.hall.go_on_with(self._held)

    async def hear(self, messages: Sequence[Msg]) -> None:
        """Keep what can be told, and tell it once the end has been reached."""
        for message in messages:
            told = self._kept(message)
            if self._waiting > 0:
                # Fewer may come than were counted: the first of them may have grown too old for the stream meanwhile.
                self._waiting = min(self._waiting - 1, message.metadata.num_pending)
                self._open_if_there()
            else:
                self.hall.hear(self.stream, told)

    def _kept(self, message: Msg) -> Told | None:
        held = self._held
        held.sequence = message.metadata.sequence.stream
        kind = fact_class(message.subject)
        if kind is PersonErasedV1 and self._waiting <= 0:
            self.hall.recheck(PersonErasedV1.model_validate_json(message.data).person)
        if kind not in TOPIC_OF:
            return None
        known = _id_of(message)
        if known is None or held.knows(known) or known in self._told_before:
            return None
        if _is_older_than_its_stream(known, held.made_at):
            return None
        hub = message.subject.split(".", 2)[1]
        told = Told(kind, hub, held.sequence, self.hall.next_order(), known, message.data)
        held.keep(told)
        return told

    async def look(self) -> None:
        """Nothing changes by time alone."""


@dataclass
class FiguresHeard:
    """Hears occupancy: the latest of each space at first, then every change."""

    hall: Hall
    _held: Held
    _waiting: int = 0

    async def begin(self, place: Place, waiting: int) -> None:
        """All of it anew."""
        self._held = Held(OCCUPANCY, 0)
        self._held.start_over(stream_mark(place.made_at), place.made_at, place.sequence)
        self._waiting = waiting
        self.hall.go_on_with(self._held)

    async def hear(self, messages: Sequence[Msg]) -> None:
        """Tell staff, and know which hubs' public figures are to be asked for."""
        for message in messages:
            _, hub, space, _ = message.subject.split(".")
            sequence = message.metadata.sequence.stream
            self.hall.hear_figures(hub, space, sequence, message.data.decode())

    async def look(self) -> None:
        """Nothing changes by time alone."""


def _id_of(message: Msg) -> bytes | None:
    given = (message.headers or {}).get("Nats-Msg-Id", "")
    try:
        return UUID(given.partition("+")[0]).bytes
    except ValueError:
        log.warning("a fact without an id is not told live", subject=message.subject)
        return None


def _is_older_than_its_stream(id: bytes, made_at: datetime | None) -> bool:
    """Whether a fact was stated before its stream was made: then it is stated once more, and everybody has been told to
    read again what is (a UUIDv7 begins with its moment in milliseconds)."""
    return made_at is not None and int.from_bytes(id[:6]) < made_at.timestamp() * 1000 - EARLIER_MS


def followers(nc: Client, hall: Hall) -> Iterator[tuple[str, Ordered]]:
    """What has to be kept going, by stream."""
    for stream in STREAMS:
        if stream.name not in LIVE_STREAMS:
            continue
        latest = stream.name == OCCUPANCY
        listener = (
            FiguresHeard(hall, Held(OCCUPANCY, 0))
            if latest
            else FactsHeard(hall, stream.name, Held(stream.name, 0))
        )
        [subjects] = stream.subjects
        source = Source(stream.name, subjects, GATEWAY, back=hall.limits.held, latest=latest)
        yield stream.name, Ordered(nc, source, listener)
