"""The small HTTP door of a service for its keepers: alive, ready, metrics."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shared.kit import telemetry

Check = Callable[[], Awaitable[None]]
"""Raises when the thing it is about does not answer."""

CHECK_WITHIN = 1.5
REMEMBER = 0.5
NOTE_EVERY = 5.0


class Readiness:
    """Whether the process can do its work now; the answer is remembered for half a second, probes cost little."""

    def __init__(self) -> None:
        self._checks: dict[str, Check] = {}
        self._checked_at = -1.0
        self._result: dict[str, str] = {}
        self._lock = asyncio.Lock()
        self._noted: set[str] = set()

    def needs(self, name: str, check: Check) -> None:
        """Be ready only while `check` passes."""
        self._checks[name] = check
        self.forget()

    def forget(self) -> None:
        """Something has just changed: look again when asked next. A start need not wait for half a second to be noticed."""
        self._checked_at = -1.0

    async def result(self) -> Mapping[str, str]:
        """Each needed thing with `ok` or what is wrong with it; nothing needed yet means still starting."""
        async with self._lock:
            if time.monotonic() - self._checked_at > REMEMBER:
                self._result = {name: await _checked(check) for name, check in self._checks.items()}
                self._checked_at = time.monotonic()
            return self._result or {"start": "not finished"}

    async def note(self) -> None:
        """Set the figure to how it is now."""
        result = await self.result()
        for need in self._noted - result.keys():  # what was needed only to start is needed no more
            telemetry.READY.remove(need)
        for need, state in result.items():
            telemetry.READY.labels(need).set(state == "ok")
        self._noted = set(result)

    async def keep_noting(self) -> None:
        """Set it every few seconds, for whoever does not ask at `/metrics`; ends only when cancelled."""
        while True:
            await self.note()
            await asyncio.sleep(NOTE_EVERY)


async def _checked(check: Check) -> str:
    try:
        async with asyncio.timeout(CHECK_WITHIN):
            await check()
    except Exception as error:  # noqa: BLE001  # whatever is wrong with a dependency, the answer is "not ready" and why
        return type(error).__name__
    return "ok"


def routes(readiness: Readiness) -> list[Route]:
    """`/healthz` (the process), `/readyz` (what it needs), `/metrics` (Prometheus)."""

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    async def readyz(_: Request) -> Response:
        result = await readiness.result()
        ready = all(state == "ok" for state in result.values())
        return JSONResponse(
            {"status": "ok" if ready else "unavailable", "needs": dict(result)}, 200 if ready else 503
        )

    async def metrics(_: Request) -> Response:
        await readiness.note()
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)]
