"""Pulling messages, where FastStream and nats-py by themselves would lose some until `ack_wait` is over.

Lost is what has been delivered and is handed to nobody: the server delivers it anew, but only 15 s later. Both ways are
closed around `fetch`, the one call through which every message comes.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary, WeakSet

import nats.errors
from faststream.nats import NatsBroker
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.errors import ServiceUnavailableError

from shared.kit.telemetry import logger

Pull = JetStreamContext.PullSubscription

IDLE_FETCH = 2.0
"""Seconds a fetch waits for a first message. Each one more costs the server and this process a third of a millisecond; one that
the server has lost, because another node leads the consumer now, is missed for so long."""
BATCH = 200
"""Who asks for so many at once has nothing in hand yet."""
LAST_LOOK = 0.01
"""Seconds for a fetch that can only find what has come already."""

FINISH_WITHIN = 10.0

_fetch = Pull.fetch
log = logger(__name__)


@dataclass
class Leaving:
    """A subscription to which nothing is delivered any more."""

    finished: asyncio.Event = field(default_factory=asyncio.Event)
    told: bool = False

    async def nothing_left(self) -> None:
        """At first time is up, so that a batch takes in what it has in hand; who then asks again has finished."""
        if not self.told:
            self.told = True
            raise nats.errors.TimeoutError
        self.finished.set()
        await asyncio.Event().wait()  # until the subscriber's task is cancelled


_waiting: WeakSet[Pull] = WeakSet()
"""Those with a fetch that has no message yet."""
_leaving: WeakKeyDictionary[Pull, Leaving] = WeakKeyDictionary()


async def _fetch_well(
    self: Pull,
    batch: int = 1,
    timeout: float | None = 5,  # noqa: ASYNC109  # nats-py's own signature, but for heartbeats, which nobody here asks for
) -> list[Msg]:
    leaving = _leaving.get(self)
    if leaving is not None:
        if self._sub.pending_msgs == 0:
            await leaving.nothing_left()
        timeout = LAST_LOOK
    try:
        if leaving is None and batch == BATCH:
            return await _batch(self, timeout)
        if batch == 1:
            return await _one(self, timeout)
        return await _fetch(self, batch, timeout)
    except nats.errors.TimeoutError:
        raise
    except TimeoutError as error:
        raise nats.errors.TimeoutError from error


async def _one(pull: Pull, within: float | None) -> list[Msg]:
    _waiting.add(pull)
    try:
        return await _fetch(pull, 1, within)
    except ServiceUnavailableError as error:
        raise nats.errors.TimeoutError from error
    finally:
        _waiting.discard(pull)


async def _batch(pull: Pull, gather_s: float | None) -> list[Msg]:
    """One as soon as there is one, and what comes soon after it.

    Left to itself nats-py asks twice for each batch, and whoever wants small ones soon asks all the time: ten times a second
    for nothing, by eight idle consumers, were a seventh of a core.
    """
    first = await _one(pull, IDLE_FETCH)
    try:
        return first + await _fetch(pull, BATCH - 1, gather_s)
    except (nats.errors.Error, TimeoutError):
        return first


def lose_nothing() -> None:
    """Let every fetch know who is leaving, and let every one that runs out of time raise nats.errors.TimeoutError.

    Where hardly any time is left nats-py raises asyncio's own TimeoutError. FastStream's batch subscriber does not
    expect that one: its task ends, is started again, and what it had fetched for the batch is thrown away in silence.
    A quarter of the facts came 15 s late so.
    """
    Pull.fetch = _fetch_well  # type: ignore[method-assign,assignment]


def _pulls(broker: NatsBroker) -> list[Pull]:
    return [pull for one in broker.subscribers if (pull := getattr(one, "subscription", None)) is not None]


async def _end_waiting(pull: Pull) -> None:
    """End a fetch that waits for a first message; one that gathers more ends soon, and would lose those it has.

    Not by saying that its time is over: it would wait on until that is so by its own clock.
    """
    if pull in _waiting:
        await pull._sub._pending_queue.put(Msg(pull._nc, headers={"Status": "503"}))


async def ask_again(broker: NatsBroker) -> None:
    """To be called when the connection is back: what had been asked of the server before, it does not know any more."""
    for pull in _pulls(broker):
        await _end_waiting(pull)


async def leave(broker: NatsBroker) -> None:
    """Stop a broker whose subscribers pull, once they have taken in what had come to them.

    FastStream cancels a fetch whatever it holds. So the server is told first that nobody listens any more: when that is
    answered nothing will come, and each subscriber is finished when it asks for more. If the server is away, or a
    handler takes longer than FINISH_WITHIN, what is in hand is delivered anew as after a crash.
    """
    try:
        async with asyncio.timeout(FINISH_WITHIN):
            await _finish([pull for pull in _pulls(broker) if pull._nc.is_connected])
    except (TimeoutError, nats.errors.Error) as error:
        log.warning("stopped pulling with messages in hand; they will be delivered anew", error=error)
    finally:
        await broker.stop()


async def _finish(pulls: list[Pull]) -> None:
    for pull in pulls:
        await pull._nc._send_unsubscribe(pull._sub._id)
    for pull in (*pulls[:1], *pulls[:1]):
        await pull._nc.flush()  # twice, because its ping overtakes what the library has still to send
    everybody = [_leaving.setdefault(pull, Leaving()) for pull in pulls]
    for pull in pulls:
        await _end_waiting(pull)
    await asyncio.gather(*(one.finished.wait() for one in everybody))
