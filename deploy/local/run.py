"""Runs the stack until somebody stops it, and says what a person needs to know."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import ssl
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx2
from nats.errors import Error as NatsError

from deploy.local.demo import Demo, size
from deploy.local.demo_data import FIRST_HUB
from deploy.local.demo_door import DemoFailed
from deploy.local.erased import ErasedList, brought_back_at, erase_again, kept
from deploy.local.forks import NurseryEnded
from deploy.local.home import AlreadyRunning, Home
from deploy.local.narrator import Narrator
from deploy.local.privileges import CannotDropPrivileges
from deploy.local.restore import mend
from deploy.local.servers import ServersMissing
from deploy.local.settings import LocalSettings
from deploy.local.stack import CannotStart, Stack
from deploy.local.supervisor import DidNotStart
from shared.contracts.users import SERVICES
from shared.kit.errors import FociError
from shared.kit.ids import utc_now
from shared.kit.life import end

STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# What can be said in a sentence; anything else is a fault of ours and shows where it happened.
EXPECTED = (
    CannotStart,
    DidNotStart,
    NurseryEnded,
    ServersMissing,
    CannotDropPrivileges,
    asyncpg.PostgresError,
    NatsError,
    FociError,
    OSError,
)


async def run(settings: LocalSettings, narrator: Narrator) -> int:
    """Start, stay until a signal, stop; returns the exit code."""
    stack = Stack(settings, narrator)
    asked_to_stop = asyncio.Event()
    for number in STOPS:
        asyncio.get_running_loop().add_signal_handler(number, asked_to_stop.set)
    starting = asyncio.create_task(_start(stack))
    stopping = asyncio.create_task(asked_to_stop.wait())
    try:
        await asyncio.wait({starting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            cell, list_of = stack.settings.cell, stack.home.erased
            async with kept(stack.connect_as_admin, cell, list_of, narrator):
                await stopping
        return 0
    except AlreadyRunning:
        narrator.say(_already_running(stack.home), bad=True)
        return 1
    except EXPECTED as error:
        narrator.say(str(error) or repr(error), bad=True)
        return 1
    finally:
        await asyncio.gather(end(starting), end(stopping))
        await asyncio.gather(starting, stopping, return_exceptions=True)  # of no interest to who has ended it
        if stack.supervisor.running:
            narrator.say("stopping …")
            await stack.down()
            narrator.say("stopped; the data stays in " + str(stack.home.root))


async def _start(stack: Stack) -> None:
    started = utc_now()
    await stack.up()
    await mend_restored(stack)
    with contextlib.suppress(DemoFailed):
        await load_demo(stack)
    seconds = (utc_now() - started) / timedelta(seconds=1)
    stack.narrator.say(f"Foci runs ({seconds:.1f} s). Ctrl-C stops it.")
    for line in where_to_look(stack):
        stack.narrator.console.print(f"  {line}", markup=False)


async def mend_restored(stack: Stack) -> None:
    """After a restore: every service mends what the streams know and its database does not, and who had been erased is
    erased again. Again, if it was cut short."""
    if not stack.home.restored.exists():
        return
    cell, erased = stack.settings.cell, ErasedList(stack.home.erased)
    nats = await stack.connect_as_admin()
    try:
        with stack.narrator.step("mending what is apart since the backup"):
            found = {name: await mend(nats, cell, name, stack.narrator.say) for name in SERVICES}
            here = await erase_again(nats, cell, erased.since(brought_back_at(stack.home.restored)))
    finally:
        await nats.close()
    stack.home.restored.unlink()
    said = ", ".join(f"{name} {forgotten}" for name, (forgotten, _) in found.items())
    stack.narrator.say(f"restored; facts the streams knew and the databases did not: {said}")
    stack.narrator.say(f"people the backup had brought back, erased again: {here}")


async def load_demo(stack: Stack) -> None:
    """The demo federation, at the first start only."""
    if not stack.settings.demo or stack.home.demo_loaded.exists():
        return
    nats = await stack.connect_as_admin()
    try:
        with stack.narrator.counting("demo federation", size()) as counter:
            # Plain HTTP: the 140 authorities this machine trusts need not be read.
            untrusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            async with httpx2.AsyncClient(
                base_url=stack.gateway_url, timeout=10, trust_env=False, verify=untrusting
            ) as gateway:
                key = stack.home.token_key()
                today = utc_now().date()
                await Demo(nats, gateway, stack.settings.cell, key, today, counter.advance).load()
    except DemoFailed as error:
        stack.narrator.say(f"the demo federation is not complete; the next start goes on. {error}", bad=True)
        raise
    finally:
        await nats.close()
    stack.home.demo_loaded.touch()
    stack.narrator.say("demo federation loaded")


def where_to_look(stack: Stack) -> Iterator[str]:
    """Said when everything runs."""
    url = stack.gateway_url
    foci = Path(sys.executable).with_name("foci")
    with contextlib.suppress(ValueError):
        foci = foci.relative_to(Path.cwd())
    yield f"gateway    {url}/v1/hubs"
    yield f"documents  {url}/v1/openapi.json  {url}/v1/asyncapi.json"
    yield f"health     {url}/healthz  {url}/readyz  {url}/metrics"
    yield f"logs       {stack.home.root / 'logs'}"
    yield f"mail       {stack.mail_url} (every mail is caught there, none is delivered)"
    yield f"status     {foci} status"
    yield f"a token    {foci} token --hub {FIRST_HUB} --role member"


def _already_running(home: Home) -> str:
    state = home.state()
    return (
        f"Foci is already running from {home.root} (process {state.get('supervisor', 'unknown')}, "
        f"gateway {state.get('urls', {}).get('gateway', 'starting')}). Stop it there with Ctrl-C, "
        "or choose another FOCI_HOME and FOCI_PORT."
    )
