"""Who asks: a token becomes a person, a person in a hub becomes a principal with a signed assertion."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from hashlib import blake2b, sha256
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.gateway.auth.keys import KeyRing
from services.gateway.auth.memory import Memory
from shared.contracts.directory.api_tokens import ApiTokenAccess
from shared.kit.errors import Unavailable
from shared.kit.ids import Clock
from shared.kit.principal import ALGORITHM, CLOCKS_APART, Principal, Unauthenticated, sign
from shared.kit.tokens import ACCESS_TYPE, API_TOKEN, AUDIENCE, LIFETIME, issuer_of

__all__ = ["REMEMBER_S", "Authenticator", "Caller", "KeyRing", "Memory", "api_token_in"]

DEV_ISSUER = "foci-dev"
REMEMBER_S = 30.0
LONGEST_TOKEN = 4096
CheckToken = Callable[[str], Awaitable[ApiTokenAccess]]
"""What the API token of this hash is good for; RemoteProblem when it is none."""
LONGEST_LEFT_S = (LIFETIME + CLOCKS_APART).total_seconds()
"""No access token can have longer to go."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sends a request, and with which API token, if with one."""

    person: UUID
    token: ApiTokenAccess | None = None


class Authenticator:
    """Turns bearer tokens into persons and vouches for principals; checked tokens are remembered until they expire."""

    def __init__(
        self, dev_key: Ed25519PublicKey | None, assertion_key: Ed25519PrivateKey, clock: Clock, *, cell: str
    ) -> None:
        self._dev_key = dev_key
        self._assertion_key = assertion_key
        self._clock = clock
        self._cell = cell
        self._callers: Memory[bytes, Caller] = Memory()
        self._assertions: Memory[tuple[Principal, str], str] = Memory()
        self.check_api_token: CheckToken | None = None
        """Set by main, like what fetches the keys."""
        self.keys = KeyRing(clock, on_loss=self._callers.forget_all)

    async def caller(self, authorization: str | None) -> Caller | None:
        """Whom an Authorization header names, None when there is none; Unauthenticated when it is no good."""
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("Send `Authorization: Bearer <token>`.")
        if len(token) > LONGEST_TOKEN:
            raise _invalid()
        if (hashed := api_token_in(authorization)) is not None:
            return await self._holder(hashed)
        mark = _mark(token)
        known = self._callers.get(mark, self._clock().timestamp())
        return await self._check(token, mark) if known is None else known

    def good_until(self, authorization: str | None) -> float | None:
        """When the token in a header that has named a person expires, seconds since 1970; None without one."""
        if authorization is None:
            return None
        return self._callers.until(_mark(authorization.partition(" ")[2]))

    async def _holder(self, hashed: str) -> Caller:
        """Who acts with an API token. Never remembered: a revoked one ends with the request after."""
        if self.check_api_token is None:
            raise Unavailable("Foci is starting. Try again in a moment.", retry_after=2)
        known = await self.check_api_token(hashed)
        return Caller(known.id, token=known)

    async def _check(self, token: str, mark: bytes) -> Caller:
        try:
            header = jwt.get_unverified_header(token)
            signed_in = header.get("typ") == ACCESS_TYPE
            claims = await self._access(token, header) if signed_in else self._development(token)
            caller = Caller(UUID(claims["sub"]))
            expires = float(claims["exp"])
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
            raise _invalid() from error
        now = self._clock().timestamp()
        if expires <= now:
            raise Unauthenticated("The token has expired. Get a new one.")
        if signed_in and expires > now + LONGEST_LEFT_S:
            raise _invalid()
        self._callers.put(mark, caller, expires)
        return caller

    async def _access(self, token: str, header: dict[str, Any]) -> dict[str, Any]:
        kid = header.get("kid")
        known = await self.keys.key(kid) if isinstance(kid, str) else None
        if known is None:
            raise _invalid()
        return _decoded(token, known.key, issuer_of(self._cell), "sid")

    def _development(self, token: str) -> dict[str, Any]:
        if self._dev_key is None:
            raise Unauthenticated("Development tokens are not accepted here.")
        return _decoded(token, self._dev_key, DEV_ISSUER)

    def vouch(self, principal: Principal, cell: str) -> str:
        """The signed word for a principal, reused for 30 of its 60 seconds."""
        now = self._clock()
        signed = self._assertions.get((principal, cell), now.timestamp())
        if signed is None:
            signed = sign(principal, self._assertion_key, cell=cell, now=now)
            self._assertions.put((principal, cell), signed, now.timestamp() + REMEMBER_S)
        return signed


def api_token_in(authorization: str | None) -> str | None:
    """The hash of the API token in an Authorization header; None without one that directory would be asked about."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not token.startswith(API_TOKEN) or len(token) > LONGEST_TOKEN:
        return None
    return sha256(token.encode()).hexdigest()


def _decoded(token: str, key: Ed25519PublicKey, issuer: str, *more: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(
        token,
        key,
        # Never from the token: the header is its sender's word.
        algorithms=[ALGORITHM],
        audience=AUDIENCE,
        issuer=issuer,
        # When it ends is measured by the injected clock; when it was made says nothing.
        options={"require": ["exp", "sub", "aud", "iss", *more], "verify_exp": False, "verify_iat": False},
    )
    return claims


def _mark(token: str) -> bytes:
    # By hash, so that the process holds no list of tokens for somebody to find.
    return blake2b(token.encode(), digest_size=16).digest()


def _invalid() -> Unauthenticated:
    return Unauthenticated("The token is not valid. Get a new one.")
