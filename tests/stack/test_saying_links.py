"""Saying links ends when it is told to, also when the bus's library has swallowed that."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nats.aio.client import Client
from nats.aio.msg import Msg

from deploy.local.links import Links, _next, say_links


class Deaf:
    """Swallows one cancellation, as `asyncio.wait_for` does before Python 3.12 when a result comes together with it."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    async def waits(self) -> None:
        self.begun.set()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.Event().wait()


async def test_a_stop_that_is_lost_while_connecting_ends_it_all_the_same() -> None:
    deaf = Deaf()

    async def connect() -> Client:
        await deaf.waits()
        raise OSError("the bus has gone")

    links = Links(Ed25519PrivateKey.generate(), "local", "http://127.0.0.1")
    task = asyncio.create_task(say_links(links, connect, print))
    await deaf.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)


async def test_a_stop_that_is_lost_while_a_message_comes_ends_it_before_the_next() -> None:
    deaf, nats, arrived = Deaf(), Client(), asyncio.Queue[Msg]()
    arrived.put_nowait(Msg(nats))

    async def follow() -> None:
        await deaf.waits()
        await _next(nats, arrived)

    task = asyncio.create_task(follow())
    await deaf.begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(task, 5)
    assert arrived.qsize() == 1
