"""Is it there? Cheap questions to servers and services."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import urlsplit

import nats
from nats.aio.client import Client

TIMEOUT_S = 3.0


async def status_of(url: str) -> int | None:
    """The HTTP status a GET is answered with; None when nobody answers."""
    parts = urlsplit(url)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port or 80)
            try:
                writer.write(
                    f"GET {parts.path or '/'} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode()
                )
                await writer.drain()
                words = (await reader.readline()).split()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return None
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else None


async def answers_ok(url: str) -> bool:
    """Whether a GET is answered with 200."""
    return await status_of(url) == 200


async def _quiet(_: Exception) -> None:
    """The library would print a trace for each try; what matters is raised to the caller."""


async def connect_once(url: str, **options: Any) -> Client:
    """A NATS client, or an error within seconds; left to itself the library tries for minutes, also without reconnecting."""
    async with asyncio.timeout(TIMEOUT_S):
        return await nats.connect(
            url.split(","),
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0.1,
            error_cb=_quiet,
            **options,
        )
