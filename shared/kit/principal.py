"""Who asks, and the gateway's signed word for it that services believe."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from shared.kit.errors import FociError, Forbidden

ALGORITHM = "EdDSA"
LIFETIME = timedelta(seconds=60)
ISSUER = "foci-gateway"
CLOCKS_APART = timedelta(seconds=30)
REMEMBERED = 10_000


class Unauthenticated(FociError):
    """Nobody has said who asks, or not believably."""

    kind = "unauthenticated"
    status = 401
    code = "unauthenticated"
    title = "Sign in first"


@dataclass(frozen=True)
class Principal:
    """A person acting in one hub, with their role there; `hub` and `role` are None outside any hub."""

    person: UUID
    hub: str | None = None
    role: str | None = None

    def within(self, hub: str) -> str | None:
        """The role in `hub`; a word for one hub says nothing about another."""
        return self.role if self.hub == hub else None


def load_private_key(pem: str) -> Ed25519PrivateKey:
    """An Ed25519 private key from PEM text."""
    key = load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        sentence = "the assertion key must be an Ed25519 private key in PEM form"
        raise ValueError(sentence)  # noqa: TRY004  # the setting is wrong, not a type in our code
    return key


def load_public_key(pem: str) -> Ed25519PublicKey:
    """An Ed25519 public key from PEM text."""
    key = load_pem_public_key(pem.encode())
    if not isinstance(key, Ed25519PublicKey):
        sentence = "the assertion key must be an Ed25519 public key in PEM form"
        raise ValueError(sentence)  # noqa: TRY004  # the setting is wrong, not a type in our code
    return key


def sign(principal: Principal, key: Ed25519PrivateKey, *, cell: str, now: datetime) -> str:
    """The gateway's word for a principal, good for a minute in one cell."""
    claims = {
        "iss": ISSUER,
        "aud": cell,
        "sub": str(principal.person),
        "hub": principal.hub,
        "role": principal.role,
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
    }
    return jwt.encode(claims, key, algorithm=ALGORITHM)


class Verifier:
    """Checks assertions and remembers those checked until they expire: a check costs 136 µs, a look-up none."""

    def __init__(self, key: Ed25519PublicKey, cell: str) -> None:
        self._key = key
        self._cell = cell
        self._known: dict[str, tuple[Principal, float]] = {}

    def verify(self, token: str, *, now: datetime) -> Principal:
        """The principal the gateway vouches for; Unauthenticated when the word is forged, foreign or stale."""
        moment = now.timestamp()
        known = self._known.get(token)
        if known is not None and known[1] > moment:
            return known[0]
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=[ALGORITHM],
                audience=self._cell,
                issuer=ISSUER,
                options={"require": ["exp", "sub", "aud", "iss"], "verify_exp": False, "verify_iat": False},
            )
            expires_at = self._expiry(claims, moment)
            principal = Principal(UUID(claims["sub"]), claims.get("hub"), claims.get("role"))
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
            raise Unauthenticated("The request carries no valid assertion.") from error
        self._known[token] = (principal, expires_at)
        if len(self._known) > REMEMBERED:
            # The oldest is the next to expire: they all live equally long.
            del self._known[next(iter(self._known))]
        return principal

    def _expiry(self, claims: dict[str, Any], moment: float) -> float:
        """When the word ends; measured by the caller's clock, and with allowance for the gateway's being ahead."""
        expires_at = float(claims["exp"])
        if not moment < expires_at <= moment + (LIFETIME + CLOCKS_APART).total_seconds():
            raise jwt.ExpiredSignatureError
        return expires_at


def required(principal: Principal | None) -> Principal:
    """The principal, or Unauthenticated when nobody has signed in."""
    if principal is None:
        raise Unauthenticated("This needs a signed-in person: send `Authorization: Bearer <token>`.")
    return principal


def require_role(principal: Principal | None, hub: str, roles: frozenset[str], what: str) -> Principal:
    """The principal if they have one of `roles` in `hub`; otherwise Forbidden with a sentence about `what`."""
    known = required(principal)
    if known.within(hub) not in roles:
        raise Forbidden(f"{what} needs one of these roles in {hub}: {', '.join(sorted(roles))}.")
    return known
