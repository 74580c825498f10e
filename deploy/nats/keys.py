"""NATS user keys: the seed stays with the user, the server only knows the public half."""

from __future__ import annotations

import os
from typing import cast

import nkeys


def new_seed() -> str:
    """The seed of a new user key."""
    seed: bytes = nkeys.encode_seed(os.urandom(32), prefix=nkeys.PREFIX_BYTE_USER)
    return seed.decode()


def public_key(seed: str) -> str:
    """What the server is told about the user."""
    return cast("bytes", nkeys.from_seed(seed.encode()).public_key).decode()
