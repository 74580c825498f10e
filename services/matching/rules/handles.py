"""Ids that stand for somebody towards one reader: the same every time, another for every reader, and telling nobody who it is.

Ids of people are known to many: a hub's staff sees them beside names in lists of bookings. An id shown before both have said
yes is therefore none of those. It is the person's id enciphered, as one block, under a key of the reader's own, so the service
can read it back without a table of all pairs, and nobody else can: two readers cannot compare, and a hash of known ids fits none.
"""

from __future__ import annotations

import hmac
from uuid import UUID

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB


class Handles:
    """How one reader names other people; `secret` is the service's, the same on all replicas."""

    def __init__(self, secret: bytes, reader: UUID) -> None:
        key = hmac.digest(secret, reader.bytes, "sha256")
        # A single block of 16 bytes, each another person's: what ECB gives away, equal blocks, cannot occur.
        self._cipher = Cipher(AES(key), ECB())  # noqa: S305

    def of(self, person: UUID) -> UUID:
        """The reader's id for the person."""
        step = self._cipher.encryptor()
        return UUID(bytes=step.update(person.bytes) + step.finalize())

    def person(self, handle: UUID) -> UUID:
        """Whose it is; for what was never given out, an id nobody has."""
        step = self._cipher.decryptor()
        return UUID(bytes=step.update(handle.bytes) + step.finalize())
