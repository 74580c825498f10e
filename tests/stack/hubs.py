"""A hub in a running stack, registered as the platform's own operator does; quicker than the whole demo."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request

import nats

from shared.contracts.access import ADMIN, inbox_prefix
from shared.contracts.directory.requests import HubProfile, RegisterHub
from shared.contracts.directory.words import HubKind
from shared.kit.ids import utc_now
from shared.kit.requester import Requester
from tests.stack.console import Console, eventually

ZONE = "Europe/Stockholm"


def register(console: Console, hub: str) -> None:
    """Returns when booking has heard of it."""
    asyncio.run(_register(console, hub))
    eventually(
        f"booking knows {hub}", lambda: _is_known(f"http://127.0.0.1:{console.port}/v1/hubs/{hub}/spaces")
    )


async def _register(console: Console, hub: str) -> None:
    profile = HubProfile(id=hub, name=hub.title(), kind=HubKind.ASSOCIATION, time_zone=ZONE)
    url = console.home.state()["urls"]["nats"]
    admin = await nats.connect(url, nkeys_seed_str=console.home.seed(ADMIN), inbox_prefix=inbox_prefix(ADMIN))
    try:
        await Requester(admin, utc_now).send(RegisterHub(profile=profile), cell="local", seconds=10)
    finally:
        await admin.close()


def _is_known(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10):
            return True
    except urllib.error.HTTPError:
        return False
