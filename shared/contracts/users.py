"""Who is on the bus, and by what name; light, as whoever only asks needs no more of the published language than its question."""

from __future__ import annotations

SERVICES = ("directory", "booking", "events", "matching", "notify")
"""The services that own data."""
GATEWAY = "gateway"
ADMIN = "admin"
OPERATOR = "operator"
USERS: tuple[str, ...] = (GATEWAY, ADMIN, *SERVICES)
"""Every user of a cell besides the operators'."""


def inbox_prefix(user: str) -> str:
    """Where replies to a user's own requests arrive; a shared prefix would let one read another's replies."""
    return f"_INBOX_{user}"


def follows(service: str) -> str:
    """What a service may follow of its own facts, for every hub."""
    return f"hubs.*.{service}.>"
