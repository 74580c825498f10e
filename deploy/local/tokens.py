"""Development tokens: a person's bearer token, signed with the key only this FOCI_HOME has."""

from __future__ import annotations

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
