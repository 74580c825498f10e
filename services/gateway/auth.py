"""Who asks: a token becomes a person, a person in a hub becomes a principal with a signed assertion."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.kit.ids import Clock
from shared.kit.principal import ALGORITHM, Principal, Unauthenticated, sign

DEV_ISSUER = "foci-dev"
AUDIENCE = "foci"
REMEMBER_S = 30.0
MOST = 100_000
LONGEST_TOKEN = 4096

K = TypeVar("K")
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Remembers values for a while, the least recently used forgotten first; nothing is lost when it forgets."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._kept: OrderedDict[K, tuple[V, float]] = OrderedDict()

    def get(self, key: K, now: float) -> V | None:
        """The value, if it is still good at `now`."""
        kept = self._kept.get(key)
        if kept is None or kept[1] <= now:
            return None
        self._kept.move_to_end(key)
        return kept[0]

    def put(self, key: K, value: V, until: float) -> None:
        """Remember `value` until then."""
        self._kept[key] = (value, until)
        self._kept.move_to_end(key)
        if len(self._kept) > self._most:
            self._kept.popitem(last=False)

    def until(self, key: K) -> float | None:
        """Until when a value is remembered; None when it is not."""
        kept = self._kept.get(key)
        return None if kept is None else kept[1]

    def forget(self, key: K) -> None:
        """Ask anew next time."""
        self._kept.pop(key, None)


@dataclass(frozen=True)
class Authenticator:
    """Turns bearer tokens into persons and vouches for principals; checked tokens are remembered until they expire."""

    dev_key: Ed25519PublicKey | None
    assertion_key: Ed25519PrivateKey
    clock: Clock
    persons: Memory[bytes, UUID]
    assertions: Memory[tuple[Principal, str], str]

    @classmethod
    def of(
        cls, dev_key: Ed25519PublicKey | None, assertion_key: Ed25519PrivateKey, clock: Clock
    ) -> Authenticator:
        """An authenticator that remembers nothing yet."""
        return cls(dev_key, assertion_key, clock, Memory(), Memory())

    def person(self, authorization: str | None) -> UUID | None:
        """The person an Authorization header names, None when there is none; Unauthenticated when it is no good."""
        if authorization is None:
            return None
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Unauthenticated("Send `Authorization: Bearer <token>`.")
        if len(token) > LONGEST_TOKEN:
            raise Unauthenticated("The token is not valid. Get a new one.")
        mark = _mark(token)
        known = self.persons.get(mark, self.clock().timestamp())
        return self._check(token, mark) if known is None else known

    def good_until(self, authorization: str | None) -> float | None:
        """When the token in a header that has named a person expires, seconds since 1970; None without one."""
        if authorization is None:
            return None
        return self.persons.until(_mark(authorization.partition(" ")[2]))

    def _check(self, token: str, mark: bytes) -> UUID:
        if self.dev_key is None:
            raise Unauthenticated("Development tokens are not accepted here.")
        try:
            claims = jwt.decode(
                token,
                self.dev_key,
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=DEV_ISSUER,
                # When it ends is measured by the injected clock; when it was made says nothing.
                options={"require": ["exp", "sub", "aud", "iss"], "verify_exp": False, "verify_iat": False},
            )
            person, expires = UUID(claims["sub"]), float(claims["exp"])
        except (jwt.InvalidTokenError, ValueError, TypeError, AttributeError) as error:
            raise Unauthenticated("The token is not valid. Get a new one.") from error
        if expires <= self.clock().timestamp():
            raise Unauthenticated("The token has expired. Get a new one.")
        self.persons.put(mark, person, expires)
        return person

    def vouch(self, principal: Principal, cell: str) -> str:
        """The signed word for a principal, reused for 30 of its 60 seconds."""
        now = self.clock()
        signed = self.assertions.get((principal, cell), now.timestamp())
        if signed is None:
            signed = sign(principal, self.assertion_key, cell=cell, now=now)
            self.assertions.put((principal, cell), signed, now.timestamp() + REMEMBER_S)
        return signed


def _mark(token: str) -> bytes:
    # By hash, so that the process holds no list of tokens for somebody to find.
    return blake2b(token.encode(), digest_size=16).digest()
