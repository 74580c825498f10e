"""A replica of the gateway that is told to stop says so first, answers on, and breaks no connection under a request."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from services.gateway.leaving import Departure, LeavingServer
from shared.kit.health import Readiness, routes
from tests.waiting import eventually

STAYS_S = 0.8


@asynccontextmanager
async def served() -> AsyncIterator[tuple[LeavingServer, str]]:
    """A server as the gateway's, around something that answers at once, or when its own end may come."""
    readiness, may_end = Readiness(), asyncio.Event()

    async def answer(request: Request) -> PlainTextResponse:
        if request.url.path == "/late":
            await may_end.wait()
        return PlainTextResponse("here")

    departure = Departure(readiness)
    app = Starlette(routes=[Route("/", answer), Route("/late", answer), *routes(readiness)])
    config = uvicorn.Config(app, port=0, http="httptools", log_config=None, timeout_graceful_shutdown=10)
    server = LeavingServer(config, departure, STAYS_S)
    task = asyncio.create_task(server.serve())
    app.state.may_end = may_end
    try:
        await eventually(lambda: server.started)
        yield server, f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = server.force_exit = True
        await task


async def test_it_is_unready_at_once_and_answers_until_that_is_known() -> None:
    async with served() as (server, url), httpx2.AsyncClient(base_url=url) as client:
        assert (await client.get("/readyz")).status_code == 200
        assert "connection" not in (await client.get("/")).headers
        server.should_exit = True
        told = time.monotonic()

        async def unready() -> bool:
            return (await client.get("/readyz")).status_code == 503

        await eventually(unready, within=STAYS_S / 2)
        assert (await client.get("/readyz")).json()["needs"] == {"stay": "Leaving"}
        for _ in range(3):
            answer = await client.get("/")
            assert (answer.status_code, answer.headers["connection"]) == (200, "close")
        # Begun before the door shuts and answered after it.
        late = asyncio.create_task(client.get("/late"))

        async def shut() -> bool:
            async with httpx2.AsyncClient() as other:
                try:
                    await other.get(f"{url}/healthz")
                except httpx2.ConnectError:
                    return True
            return False

        await eventually(shut)
        assert time.monotonic() - told >= STAYS_S
        assert not late.done()
        server.config.app.state.may_end.set()  # type: ignore[union-attr]
        assert (await late).text == "here"


async def test_a_second_signal_ends_the_waiting() -> None:
    async with served() as (server, _):
        server.should_exit = server.force_exit = True
        told = time.monotonic()

        await eventually(lambda: not server.servers[0].is_serving())
        assert time.monotonic() - told < STAYS_S
