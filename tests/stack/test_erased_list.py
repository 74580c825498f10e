"""Keeping the list of the erased ends when the stack stops, whatever it is doing."""

from __future__ import annotations

import asyncio
from pathlib import Path

from nats.aio.client import Client

from deploy.local.erased import kept
from deploy.local.narrator import Narrator


async def test_keeping_the_list_ends_although_a_cancellation_is_lost(tmp_path: Path) -> None:
    """As `asyncio.wait_for`, which nats-py waits with, loses one before Python 3.12: Ctrl-C did nothing any more."""
    connecting, lost = asyncio.Event(), asyncio.Event()

    async def connect() -> Client:
        connecting.set()
        if not lost.is_set():
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost.set()
        raise OSError("there is no server")

    async with asyncio.timeout(20), kept(connect, "local", tmp_path / "erased.jsonl", Narrator()):
        await connecting.wait()
    assert lost.is_set()
