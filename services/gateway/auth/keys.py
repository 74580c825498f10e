"""The public keys of access tokens: asked of directory, kept for a minute, and asked again when a new one is met."""

from __future__ import annotations

import asyncio
from base64 import urlsafe_b64decode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.contracts.directory.sessions import TokenKey, TokenKeys
from shared.kit.errors import FociError
from shared.kit.ids import Clock
from shared.kit.telemetry import logger

log = logger(__name__)

KEPT_S = 60.0
"""Seconds after which the list is asked for again."""
APART_S = 1.0
"""Seconds between two questions, however many tokens name keys that nobody has."""

Fetch = Callable[[], Awaitable[TokenKeys]]


@dataclass(frozen=True)
class PublicKey:
    """A key and until when it counts; None while it signs or will."""

    key: Ed25519PublicKey
    until: datetime | None

    @classmethod
    def of(cls, known: TokenKey) -> PublicKey:
        """From what directory says."""
        raw = urlsafe_b64decode(known.x + "=" * (-len(known.x) % 4))
        return cls(Ed25519PublicKey.from_public_bytes(raw), known.until)


class KeyRing:
    """The keys that may be met now. Directory being away does no harm while the list is known."""

    def __init__(self, clock: Clock, *, on_loss: Callable[[], None]) -> None:
        self.fetch: Fetch | None = None
        """Set by main: who asks, needs to know who vouches."""
        self._clock = clock
        self._on_loss = on_loss
        self._said = TokenKeys(items=())
        self._keys: dict[str, PublicKey] = {}
        self._asked_at = 0.0
        self._turn = asyncio.Lock()

    async def key(self, kid: str) -> PublicKey | None:
        """The key of that name, if it counts now; Unavailable when no key is known and nobody can be asked."""
        await self._look(unknown=kid not in self._keys)
        found = self._keys.get(kid)
        over = found is not None and found.until is not None and found.until <= self._clock()
        return None if over else found

    async def listed(self) -> TokenKeys:
        """The list as directory said it."""
        await self._look(unknown=False)
        return self._said

    async def _look(self, *, unknown: bool) -> None:
        if not self._is_due(unknown):
            return
        async with self._turn:
            # Whoever waited here may find that it has just been asked.
            if self._is_due(unknown) and self.fetch is not None:
                await self._ask(self.fetch)

    def _is_due(self, unknown: bool) -> bool:
        age = abs(self._clock().timestamp() - self._asked_at)
        return age >= (APART_S if unknown or not self._keys else KEPT_S)

    async def _ask(self, fetch: Fetch) -> None:
        try:
            said = await fetch()
        except FociError as error:
            if not self._keys:
                raise
            self._asked_at = self._clock().timestamp() - KEPT_S + APART_S  # again soon
            log.warning("keys of access tokens not asked for", error=error.code)
            return
        self._asked_at = self._clock().timestamp()
        keys = {one.kid: PublicKey.of(one) for one in said.items}
        if any(kid not in keys for kid in self._keys):
            # What was signed with a key that counts no more is not to be remembered as good.
            self._on_loss()
        self._said, self._keys = said, keys
