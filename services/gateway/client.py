"""Sending requests to services: one generic typed call that finds the hub's cell and vouches for the person."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from time import monotonic
from typing import Any
from uuid import UUID

from services.gateway.auth import REMEMBER_S, Authenticator, Memory
from shared.contracts.base import Request
from shared.contracts.directory.api_tokens import ApiTokenAccess, CheckApiToken
from shared.contracts.directory.requests import AccessView, GetAccess
from shared.contracts.directory.sessions import GetTokenKeys, TokenKeys
from shared.kit.errors import Unavailable
from shared.kit.ids import Clock
from shared.kit.principal import Principal
from shared.kit.problems import RemoteProblem
from shared.kit.requester import Reply, Requester

Place = tuple[UUID | None, str]
EXPORTS_AT_ONCE = 2
ASKED_AT_ONCE = 32
"""Questions for roles on their way to the directory; the others of a rush wait here instead of being sent back there."""


@dataclass
class Services:
    """What the gateway's ways to the services have in common, whoever asks."""

    cell: str
    authenticator: Authenticator
    clock: Clock
    deadline_s: float
    requester: Requester | None = None
    access: Memory[Place, AccessView] = field(default_factory=Memory)
    exported: Memory[UUID, float] = field(default_factory=Memory)
    exporting: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(EXPORTS_AT_ONCE))
    asking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(ASKED_AT_ONCE))

    async def token_keys(self) -> TokenKeys:
        """The keys that access tokens are checked with."""
        reply = await self.errand().ask(GetTokenKeys(), person=None)
        return TokenKeys.model_validate_json(reply.body)

    async def check_api_token(self, hashed: str) -> ApiTokenAccess:
        """What the API token of this hash is good for now."""
        reply = await self.errand().ask(CheckApiToken(hash=hashed), person=None)
        return ApiTokenAccess.model_validate_json(reply.body)

    def forget(self, hub: str, person: UUID) -> None:
        """Ask for the person's role in the hub anew next time."""
        self.access.forget((person, hub))

    def errand(self) -> Errand:
        """The way of one HTTP request, which is answered within the deadline however much it asks."""
        return Errand(self, monotonic() + self.deadline_s)


@dataclass(frozen=True, slots=True)
class Errand:
    """One HTTP request's way to the services.

    Where a hub lives and what a person is there is remembered for 30 seconds. A refusal on the ground of a role that
    was remembered is checked against the directory once more, so that somebody who has just joined is not turned away.
    """

    services: Services
    until: float

    async def ask(self, request: Request[Any], *, person: UUID | None, key: str | None = None) -> Reply:
        """Send a request that is about no hub in particular, in this gateway's own cell."""
        cell = self.services.cell
        assertion = None
        if person is not None:
            assertion = self.services.authenticator.vouch(Principal(person), cell)
        return await self._send(request, cell, assertion, key)

    async def ask_in(
        self, hub: str, request: Request[Any], *, person: UUID | None, key: str | None = None
    ) -> Reply:
        """Send a request about a hub to the cell it lives in, with the person's role there."""
        access, fresh = await self._access(hub, person)
        try:
            return await self._send_as(access, request, person, key)
        except RemoteProblem as refusal:
            if fresh or person is None or refusal.document.get("status") != 403:
                raise
            self.forget(hub, person)
            again, _ = await self._access(hub, person)
            if again == access:
                raise
            # A refusal is stored under its key; the same key must not now hear another answer.
            if key is not None and request.changes:
                raise
            return await self._send_as(again, request, person, key)

    async def ask_as(self, principal: Principal, request: Request[Any], *, key: str | None = None) -> Reply:
        """Send a request about the principal's hub for somebody who has proved to be that person there, not who else."""
        if principal.hub is None:
            raise ValueError("a request about a hub needs one")
        access, _ = await self._access(principal.hub, None)
        assertion = self.services.authenticator.vouch(principal, access.cell)
        return await self._send(request, access.cell, assertion, key)

    async def access(self, hub: str, person: UUID | None) -> AccessView:
        """Where the hub lives, and what the person is there; NotFound when there is no such hub."""
        access, _ = await self._access(hub, person)
        return access

    def forget(self, hub: str, person: UUID) -> None:
        """The person's role in the hub has changed."""
        self.services.forget(hub, person)

    async def _access(self, hub: str, person: UUID | None) -> tuple[AccessView, bool]:
        services = self.services
        now = services.clock().timestamp()
        known = services.access.get((person, hub), now)
        if known is not None:
            return known, False
        async with services.asking:
            reply = await self._send(GetAccess(hub=hub, person=person), services.cell, None, None)
        access = AccessView.model_validate_json(reply.body)
        services.access.put((person, hub), access, now + REMEMBER_S)
        return access, True

    async def _send_as(
        self, access: AccessView, request: Request[Any], person: UUID | None, key: str | None
    ) -> Reply:
        assertion = None
        if person is not None:
            principal = Principal(person, access.hub, access.role)
            assertion = self.services.authenticator.vouch(principal, access.cell)
        return await self._send(request, access.cell, assertion, key)

    async def _send(self, request: Request[Any], cell: str, assertion: str | None, key: str | None) -> Reply:
        requester = self.services.requester
        if requester is None:
            raise Unavailable("Foci is starting. Try again in a moment.", retry_after=2)
        left = self.until - monotonic()
        if left <= 0:
            raise Unavailable("Foci did not answer in time. Try again shortly.", retry_after=2)
        return await requester.send(request, cell=cell, seconds=left, assertion=assertion, key=key)
