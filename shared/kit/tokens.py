"""Access tokens: what who signs them and who checks them must agree on."""

from __future__ import annotations

from datetime import timedelta

AUDIENCE = "foci"
ACCESS_TYPE = "at+jwt"
"""The type in the header (RFC 9068): links and assertions, signed alike, have another."""
LIFETIME = timedelta(minutes=5)


def issuer_of(cell: str) -> str:
    """Who signs the access tokens of a cell."""
    return f"foci:{cell}"
