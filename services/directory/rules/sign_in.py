"""The rules of signing in: how long a link works, how often one may be asked for, when a session is over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address

from shared.kit.errors import Conflict, FociError
from shared.kit.principal import Unauthenticated

LINK_LIFETIME = timedelta(minutes=15)
WINDOW = timedelta(minutes=15)
"""Wishes are counted in windows of this length."""
SESSION_LIFETIME = timedelta(days=90)
"""So long one stays signed in at most."""
IDLE = timedelta(days=30)
"""So long one stays signed in without coming (NIST SP 800-63B-4, 2.1.3: at most 30 days)."""
REPEATED_WITHIN = timedelta(seconds=10)
"""So long a replaced refresh token is answered with the one it was replaced by: two tabs ask at once, answers get lost."""
_HOME_NETWORK = 64
"""Bits of an IPv6 address that a household has for itself."""


class TooManySignIns(FociError):
    """So many links have been asked for this address, or from this place, that the next has to wait."""

    kind = "limited"
    status = 429
    code = "too-many-requests"
    title = "Too many requests"


class LinkUsed(Conflict):
    """The link has signed somebody in already."""

    code = "link-used"
    title = "The link has been used"


class SessionOver(Unauthenticated):
    """The session has ended, or there was none."""

    code = "session-over"
    title = "Sign in again"


@dataclass(frozen=True)
class Limits:
    """How many links may be asked for in a window."""

    per_address: int
    per_client: int


def window_of(now: datetime) -> datetime:
    """The beginning of the window that `now` lies in."""
    return now - timedelta(seconds=now.timestamp() % WINDOW.total_seconds())


def too_many(now: datetime) -> TooManySignIns:
    """The refusal that says when the next may be asked for."""
    wait = int((window_of(now) + WINDOW - now).total_seconds()) + 1
    return TooManySignIns(
        f"So many links have been asked for that the next has to wait. Try again in {wait} s.",
        retry_after=wait,
    )


def place_of(client: str) -> str:
    """Where somebody comes from as it is counted: who has one IPv6 address has very many."""
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:
        return client
    if isinstance(address, IPv6Address):
        return (
            str(address.ipv4_mapped)
            if address.ipv4_mapped
            else f"{int(address) >> (128 - _HOME_NETWORK):x}/{_HOME_NETWORK}"
        )
    return str(address)


def over() -> SessionOver:
    """The refusal, the same whatever the reason."""
    return SessionOver("You are not signed in any more. Sign in again.")
