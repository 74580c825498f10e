"""Addresses as keyed hashes: enough to know one again that mail came back from, too little to read."""

from __future__ import annotations

import hmac
from functools import lru_cache

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_INFO = b"foci addresses"


@lru_cache(maxsize=8)
def _key(secret: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(secret.encode())


def address_hash(address: str, secret: str) -> bytes:
    """The hash an address is known by, however its letters are written; `secret` is the service's key."""
    return hmac.digest(_key(secret), address.strip().casefold().encode(), "sha256")


def lane_of(address: str, secret: str) -> str:
    """The lane of the address's domain: a hash, because a domain can be somebody's name."""
    domain = address.rpartition("@")[2].casefold()
    return hmac.digest(_key(secret), b"@" + domain.encode(), "sha256").hex()[:24]
