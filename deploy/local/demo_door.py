"""The demo's way to the gateway: as this or that person, again until it works, once however often it is tried."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import httpx2

from deploy.local.tokens import development_token
from shared.kit.ids import utc_now

PATIENCE_S = 60.0
# A fact is on its way (404), a service is starting (503), the rate limit was reached (429).
PASSING = {404, 429, 500, 502, 503}
NOT_HEARD_YET = "belongs-nowhere"
"""What is said of somebody who has joined, while that fact is on its way."""


class DemoFailed(Exception):
    """The demo federation could not be loaded; what is there stays, the next start goes on."""


@dataclass(frozen=True)
class Door:
    """The gateway, and the key that signs development tokens."""

    gateway: httpx2.AsyncClient
    token_key: str

    async def post(
        self, path: str, body: dict[str, Any], *, person: UUID, key: str | None = None
    ) -> dict[str, Any]:
        """Make something; "there already" (409) is as good, and says so in the document's `status`."""
        more = {} if key is None else {"Idempotency-Key": key}
        return await self._send("POST", path, person, json=body, headers=more)

    async def get(self, path: str, *, person: UUID, **asked: str) -> dict[str, Any]:
        """Read something."""
        return await self._send("GET", path, person, params=asked)

    async def patch(self, path: str, body: dict[str, Any], *, person: UUID, version: int) -> dict[str, Any]:
        """Change something as it was read at that version."""
        return await self._send("PATCH", path, person, json=body, headers={"If-Match": f'"{version}"'})

    async def put(self, path: str, body: dict[str, Any], *, person: UUID) -> dict[str, Any]:
        """Let something be so; the same again changes nothing."""
        return await self._send("PUT", path, person, **({"json": body} if body else {}))

    async def delete(self, path: str, *, person: UUID) -> dict[str, Any]:
        """Cancel something; done already is as good."""
        return await self._send("DELETE", path, person)

    async def _send(self, method: str, path: str, person: UUID, **more: Any) -> dict[str, Any]:
        token = development_token(self.token_key, person, now=utc_now())
        headers = {"Authorization": f"Bearer {token}", **more.pop("headers", {})}
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while True:
            try:
                answer = await self.gateway.request(method, path, headers=headers, **more)
            except httpx2.TransportError as error:
                said, passing = repr(error), True
            else:
                if answer.is_success or answer.status_code == 409:
                    document: dict[str, Any] = answer.json()
                    return document
                said = answer.text
                passing = answer.status_code in PASSING or NOT_HEARD_YET in said
            if not passing or asyncio.get_running_loop().time() > deadline:
                raise DemoFailed(f"{method} {path}: {said}")
            await asyncio.sleep(0.2)
