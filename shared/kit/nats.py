"""Connections to NATS that never give up, and notice soon when the other end has gone."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError

from shared.contracts.users import inbox_prefix
from shared.kit.settings import ProcessSettings
from shared.kit.telemetry import logger

log = logger(__name__)


def connect_options(settings: ProcessSettings, user: str) -> dict[str, Any]:
    """Options for nats-py and FastStream alike; by default nats-py stops trying after two minutes."""
    options: dict[str, Any] = {
        "name": f"foci-{user}",
        "max_reconnect_attempts": -1,
        "reconnect_time_wait": 0.25,
        "ping_interval": 10,
        "max_outstanding_pings": 2,
        "connect_timeout": 2,
    }
    if settings.nats_seed is not None:
        options["nkeys_seed_str"] = settings.nats_seed.get_secret_value()
    if settings.nats_ca is not None:
        options["tls"] = ssl.create_default_context(cafile=settings.nats_ca)
    return options


def own_inbox(user: str) -> bytes:
    """The inbox prefix the server lets this user subscribe to."""
    return inbox_prefix(user).encode()


class Closed:
    """Notes that a connection is closed for good, which the library does by itself when the server says no to it."""

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    async def note(self) -> None:
        """To be called back when the connection has been closed."""
        self._closed.set()

    async def never(self) -> None:
        """Return never; ConnectionError when the connection has been closed, and only a new process has another."""
        await self._closed.wait()
        raise ConnectionError("NATS has closed the connection for good")


async def connect(settings: ProcessSettings, user: str, closed: Closed | None = None) -> Client:
    """Connect as `user`, waiting for the server as long as it takes."""

    made: list[Client] = []

    async def on_disconnect() -> None:
        # The library calls this too when we hang up ourselves; that is nothing to warn of.
        if not any(client.is_closed for client in made):
            log.warning("NATS connection lost; reconnecting", user=user)

    async def on_reconnect() -> None:
        log.info("NATS connection is back", user=user)

    async def on_error(error: Exception) -> None:
        log.warning("NATS says no", user=user, error=error)

    while True:
        try:
            client = await nats.connect(
                settings.nats_servers,
                inbox_prefix=own_inbox(user),
                disconnected_cb=on_disconnect,
                reconnected_cb=on_reconnect,
                error_cb=on_error,
                closed_cb=closed.note if closed else None,
                **{**connect_options(settings, user), "allow_reconnect": True},
            )
            made.append(client)
            return client
        except (NatsError, OSError, TimeoutError) as error:
            log.warning("NATS is not there yet", user=user, error=error)
            await asyncio.sleep(0.5)


PATIENCE_S = 60
"""Longer than the library keeps a connection that does not answer, so no ping is ever given up on a live one."""


class Pulse:
    """Asks the server for an answer, one question at a time, and never gives a question up.

    nats-py's reader dies of an answer that comes when nobody waits for it any more (2.16: `set_result` on a cancelled
    future); requests then get no replies until the connection is found stale 20 to 30 seconds later.
    """

    def __init__(self, nc: Client) -> None:
        self._nc = nc
        self._asked: asyncio.Task[None] | None = None
        self._connection = 0

    async def beats(self, within: float = 1.0) -> None:
        """Return when the server has answered; ConnectionError or TimeoutError when it has not."""
        if not self._nc.is_connected:
            raise ConnectionError("NATS is away")
        connection = self._nc.stats["reconnects"]
        if self._asked is None or connection != self._connection:
            self._asked = asyncio.create_task(self._nc.flush(timeout=PATIENCE_S))
            self._asked.add_done_callback(lambda asked: asked.cancelled() or asked.exception())
            self._connection = connection
        asked = self._asked
        done, _ = await asyncio.wait({asked}, timeout=within)
        if not done:
            raise TimeoutError("NATS does not answer")
        self._asked = None
        asked.result()
