"""Development tokens: a person's bearer token, signed with the key only this FOCI_HOME has."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime, timedelta
from uuid import UUID

import jwt

LIFETIME = timedelta(hours=12)
LIKE = str.maketrans({"ø": "o", "æ": "ae"})
"""Letters that are not another one with a mark."""
LONGEST_LOCAL = 64
"""What may stand before the @ (RFC 5321, 4.5.3.1.1)."""


def development_token(private_pem: str, person: UUID, *, now: datetime) -> str:
    """What `Authorization: Bearer` takes, for half a day. Who may do what is looked up, not written into it."""
    claims = {
        "iss": "foci-dev",
        "aud": "foci",
        "sub": str(person),
        "iat": int(now.timestamp()),
        "exp": int((now + LIFETIME).timestamp()),
    }
    return jwt.encode(claims, private_pem, algorithm="EdDSA")


def made_up_address(name: str) -> str:
    """An address for a made-up person, always the same for a name, in a domain that reaches nobody (RFC 2606)."""
    told = name.casefold()
    plain = unicodedata.normalize("NFKD", told.translate(LIKE)).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain)
    local = ".".join(words)
    if " ".join(words) != told or len(local) > LONGEST_LOCAL:
        # Something is lost on the way: without a mark, which no name can have, two could share an address.
        mark = hashlib.blake2b(told.encode(), digest_size=4).hexdigest()
        local = f"{local[: LONGEST_LOCAL - len(mark) - 1].rstrip('.')}-{mark}".lstrip("-")
    return f"{local}@people.example"
