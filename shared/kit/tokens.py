"""Access tokens: what who signs them and who checks them must agree on."""

from __future__ import annotations

from datetime import timedelta

AUDIENCE = "foci"
ACCESS_TYPE = "at+jwt"
"""The type in the header (RFC 9068): links and assertions, signed alike, have another."""
API_TOKEN = "foci_at_"  # noqa: S105  # how they begin, not one of them
"""What API tokens begin with: the gateway knows them by it, and scanners for secrets find one that lies about."""
LIFETIME = timedelta(minutes=5)


def issuer_of(cell: str) -> str:
    """Who signs the access tokens of a cell."""
    return f"foci:{cell}"
