"""Pulling messages: a fetch whose time is over ends in one way, the one FastStream knows."""

from __future__ import annotations

from typing import Any

from nats.errors import TimeoutError as NatsTimeout
from nats.js import JetStreamContext

_fetch = JetStreamContext.PullSubscription.fetch


async def _fetch_or_time_out(self: JetStreamContext.PullSubscription, *args: Any, **kwargs: Any) -> Any:
    try:
        return await _fetch(self, *args, **kwargs)
    except NatsTimeout:
        raise
    except TimeoutError as error:
        raise NatsTimeout from error


def time_out_alike() -> None:
    """Let every fetch that runs out of time raise nats.errors.TimeoutError.

    Where hardly any time is left nats-py raises asyncio's own TimeoutError. FastStream's batch subscriber does not
    expect that one: its task ends, is started again, and what it had fetched for the batch is thrown away in silence,
    until the server delivers it anew when `ack_wait` is over. A quarter of the facts came 15 s late so.
    """
    JetStreamContext.PullSubscription.fetch = _fetch_or_time_out  # type: ignore[method-assign,unused-ignore]
