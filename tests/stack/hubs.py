"""Hubs and people in a running stack, made as the platform's own operator does; quicker than the whole demo."""

from __future__ import annotations

import asyncio
import urllib.error
import urllib.request
from typing import Any

import nats

from deploy.local.tokens import development_token, made_up_address
from shared.contracts.base import Request
from shared.contracts.directory.requests import EnsurePerson, HubProfile, PersonView, RegisterHub
from shared.contracts.directory.words import HubKind, Role
from shared.contracts.users import ADMIN, inbox_prefix
from shared.kit.ids import utc_now
from shared.kit.requester import Requester
from tests.stack.console import Started, eventually

ZONE = "Europe/Stockholm"


def register(console: Started, hub: str) -> None:
    """Returns when booking has heard of it."""
    profile = HubProfile(id=hub, name=hub.title(), kind=HubKind.ASSOCIATION, time_zone=ZONE)
    asyncio.run(_ask(console, RegisterHub(profile=profile)))
    eventually(
        f"booking knows {hub}", lambda: _is_known(f"http://127.0.0.1:{console.port}/v1/hubs/{hub}/spaces")
    )


def token_of(console: Started, hub: str, role: str, name: str, language: str) -> tuple[str, str]:
    """A token of a person who reads that language, made if missing, and the address mail to them goes to."""
    address = made_up_address(name)
    person = EnsurePerson(hub=hub, name=name, role=Role(role), email=address, language=language)
    made = PersonView.model_validate_json(asyncio.run(_ask(console, person)))
    return development_token(console.home.token_key(), made.id, now=utc_now()), address


async def _ask(console: Started, request: Request[Any]) -> bytes:
    url = console.home.state()["urls"]["nats"]
    admin = await nats.connect(url, nkeys_seed_str=console.home.seed(ADMIN), inbox_prefix=inbox_prefix(ADMIN))
    try:
        return (await Requester(admin, utc_now).send(request, cell="local", seconds=10)).body
    finally:
        await admin.close()


def _is_known(url: str) -> bool:
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=10):
            return True
    except urllib.error.HTTPError:
        return False
