"""Development tokens: a person's bearer token, signed with the key only this FOCI_HOME has."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import datetime, timedelta
from uuid import UUID

import jwt

LIFETIME = timedelta(hours=12)


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
    plain = unicodedata.normalize("NFKD", told).encode("ascii", "ignore").decode()
    words = re.findall(r"[a-z0-9]+", plain)
    if " ".join(words) != told:
        # Something was lost on the way: without a mark two names could share an address.
        words.append(hashlib.blake2b(told.encode(), digest_size=3).hexdigest())
    return f"{'.'.join(words)[-60:]}@people.example"
