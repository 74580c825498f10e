"""Loads the demo federation into the stack of deploy/compose.yaml; what is there already stays."""

from __future__ import annotations

import asyncio
import sys

import httpx2
from nats.errors import Error as NatsError

from deploy.local.demo import Demo, size
from deploy.local.demo_door import DemoFailed
from deploy.local.home import Home
from deploy.local.narrator import Narrator
from deploy.local.probes import connect_once
from deploy.local.settings import LocalSettings
from shared.contracts.users import ADMIN, inbox_prefix
from shared.kit.ids import utc_now


async def load(settings: LocalSettings, narrator: Narrator) -> None:
    """By the ports the containers publish on this machine, with the keys of FOCI_HOME."""
    home = Home(settings.home)
    url = home.state().get("urls", {}).get("nats")
    if url is None:
        raise DemoFailed(f"{home.root} has no keys of a stack; run `make image-secrets`, set FOCI_HOME")
    nats = await connect_once(url, inbox_prefix=inbox_prefix(ADMIN), nkeys_seed_str=home.seed(ADMIN))
    try:
        with narrator.counting("demo federation", size()) as counter:
            gateway_url = f"http://127.0.0.1:{settings.port}"
            async with httpx2.AsyncClient(base_url=gateway_url, timeout=10, trust_env=False) as gateway:
                key, today = home.token_key(), utc_now().date()
                await Demo(nats, gateway, settings.cell, key, today, counter.advance).load()
    finally:
        await nats.close()


def main() -> int:
    """Entry; returns the exit code."""
    narrator = Narrator()
    try:
        asyncio.run(load(LocalSettings(), narrator))
    except (DemoFailed, NatsError, OSError) as error:
        narrator.say(f"the demo federation is not complete: {error or repr(error)}", bad=True)
        return 1
    narrator.say("demo federation loaded")
    return 0


if __name__ == "__main__":
    sys.exit(main())
