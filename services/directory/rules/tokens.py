"""What people and programs prove themselves with: how tokens are made, hashed, replaced and signed, and keys sealed."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from shared.kit.principal import ALGORITHM
from shared.kit.tokens import ACCESS_TYPE, AUDIENCE, LIFETIME, issuer_of

Chance = Callable[[int], bytes]
"""So many bytes nobody can guess."""

SECRET_BYTES = 32
REFRESH = "foci_rt_"
"""What refresh tokens begin with, so that scanners for secrets find one that lies about."""
PUBLISHED_BEFORE = timedelta(minutes=15)
"""So long a key is published before it signs: longer than anybody may keep the list of keys (see the gateway's JWKS)."""
STILL_CHECKED = LIFETIME + timedelta(minutes=1)
"""So long a key is published after it has signed its last: a token's life, and clocks that are apart."""
_NONCE = 12
_ID, _SEAL = 16, 16
"""Bytes of a session's id, and of the seal under which a refresh token names it."""


@lru_cache(maxsize=16)
def _derived(secret: str, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=f"foci {purpose}".encode()).derive(
        secret.encode()
    )


def _written(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def new_token(prefix: str, chance: Chance) -> str:
    """A token nobody can guess: 256 bits."""
    return prefix + _written(chance(SECRET_BYTES))


def hash_of(token: str) -> bytes:
    """What is kept of a token. It has 256 bits of chance: nothing slower than SHA-256 is needed."""
    return sha256(token.encode()).digest()


def first_refresh_token(session: UUID, secret: str, chance: Chance) -> str:
    """The token a session begins with. Nobody can guess it, and it names its session under a seal (see `session_of`)."""
    return _naming(session, chance(SECRET_BYTES), secret)


def successor_of(token: str, secret: str) -> str:
    """The refresh token that replaces this one, the same each time it is asked.

    So a repeat whose answer got lost hears the same again although only hashes are kept; who has the older token and not the
    service's secret cannot find it.
    """
    word = hmac.digest(_derived(secret, "refresh tokens"), token.encode(), "sha256")
    session = session_of(token, secret)
    return REFRESH + _written(word) if session is None else _naming(session, word, secret)


def session_of(token: str, secret: str) -> UUID | None:
    """The session a refresh token names; None when it names none, or was not made under this secret.

    So one that was replaced long ago still ends its session when it comes again, although nothing is kept of it. Nobody else
    can make one that does, though many know a session's id.
    """
    try:
        raw = urlsafe_b64decode(token.removeprefix(REFRESH) + "==")
    except ValueError:
        return None
    said, seal_given = raw[:-_SEAL], raw[-_SEAL:]
    if len(said) != _ID + SECRET_BYTES or not hmac.compare_digest(_sealed(said, secret), seal_given):
        return None
    return UUID(bytes=said[:_ID])


def _naming(session: UUID, word: bytes, secret: str) -> str:
    said = session.bytes + word
    return REFRESH + _written(said + _sealed(said, secret))


def _sealed(said: bytes, secret: str) -> bytes:
    return hmac.digest(_derived(secret, "sessions in refresh tokens"), said, "sha256")[:_SEAL]


def counted_as(what: str, secret: str) -> bytes:
    """A keyed hash by which somebody's wishes are counted: nobody reads from it who it was."""
    return hmac.digest(_derived(secret, "sign-in counts"), what.encode(), "sha256")


@dataclass(frozen=True)
class SigningKey:
    """A key that signs access tokens."""

    kid: str
    private: Ed25519PrivateKey

    @property
    def x(self) -> str:
        """Its public half as RFC 8037 writes it."""
        return _written(self.private.public_key().public_bytes_raw())


def new_key(chance: Chance) -> SigningKey:
    """A new key; its name says nothing."""
    return SigningKey(_written(chance(9)), Ed25519PrivateKey.from_private_bytes(chance(32)))


def seal(key: SigningKey, secret: str, chance: Chance) -> bytes:
    """The private key encrypted (AES-256-GCM), bound to its name."""
    nonce = chance(_NONCE)
    sealed = AESGCM(_derived(secret, "token keys")).encrypt(
        nonce, key.private.private_bytes_raw(), key.kid.encode()
    )
    return nonce + sealed


def unseal(kid: str, sealed: bytes, secret: str) -> SigningKey:
    """The key again; InvalidTag when it was sealed under another secret or name."""
    raw = AESGCM(_derived(secret, "token keys")).decrypt(sealed[:_NONCE], sealed[_NONCE:], kid.encode())
    return SigningKey(kid, Ed25519PrivateKey.from_private_bytes(raw))


def access_token(key: SigningKey, person: UUID, session: UUID, *, cell: str, now: datetime) -> str:
    """The word that `person` has signed in, good for LIFETIME in one cell (RFC 9068's type, so that no other token passes)."""
    claims = {
        "iss": issuer_of(cell),
        "aud": AUDIENCE,
        "sub": str(person),
        "sid": str(session),
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
    }
    headers = {"kid": key.kid, "typ": ACCESS_TYPE}
    return jwt.encode(claims, key.private, algorithm=ALGORITHM, headers=headers)
