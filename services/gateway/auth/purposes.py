"""What each API token may be used for: the addresses its purpose needs, in its own hub, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping

from shared.contracts.directory.api_tokens import ApiTokenAccess
from shared.contracts.directory.words import TokenPurpose
from shared.kit.errors import Forbidden

HUB = "/v1/hubs/{hub}"
Address = tuple[str, str]
"""Method and path, as the route is written."""

_SEEN: frozenset[Address] = frozenset(
    ("GET", f"{HUB}{path}") for path in ("", "/spaces", "/spaces/{space}", "/occupancy", "/availability")
)
PURPOSES: Mapping[TokenPurpose, frozenset[Address]] = {
    TokenPurpose.OCCUPANCY: _SEEN,
    TokenPurpose.KIOSK: _SEEN
    | {
        ("GET", f"{HUB}/bookings"),
        ("GET", f"{HUB}/bookings/{{booking}}"),
        ("POST", f"{HUB}/bookings/{{booking}}/check-in"),
        ("POST", f"{HUB}/bookings/{{booking}}/check-out"),
        ("GET", f"{HUB}/events"),
        ("GET", f"{HUB}/events/{{event}}"),
        ("POST", f"{HUB}/events/{{event}}/check-in"),
    },
    TokenPurpose.WEBHOOKS: frozenset(
        {
            ("GET", f"{HUB}/webhooks"),
            ("POST", f"{HUB}/webhooks"),
            ("GET", f"{HUB}/webhooks/{{webhook}}"),
            ("PATCH", f"{HUB}/webhooks/{{webhook}}"),
            ("DELETE", f"{HUB}/webhooks/{{webhook}}"),
            ("POST", f"{HUB}/webhooks/{{webhook}}/rotate-secret"),
            ("POST", f"{HUB}/webhooks/{{webhook}}/test"),
            ("GET", f"{HUB}/webhooks/{{webhook}}/deliveries"),
            ("GET", f"{HUB}/webhooks/{{webhook}}/deliveries/{{delivery}}"),
            ("POST", f"{HUB}/webhooks/{{webhook}}/deliveries/{{delivery}}/redeliver"),
        }
    ),
}


class NotForThisToken(Forbidden):
    """The token is for something else, or for another hub."""

    code = "not-for-this-token"
    title = "The token is not for this"


# Narrower than how routes are found: `{event}` must not be `….ics`, which is another address.
_NAMED = re.compile(r"{(\w+)}")
_SLUGS = frozenset({"hub", "space"})
_SLUG, _ID = "[a-z0-9-]+", "[0-9a-fA-F-]{36}"


def _compiled(addresses: frozenset[Address]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((method, re.compile(_NAMED.sub(_taken, path) + r"\Z")) for method, path in sorted(addresses))


def _taken(named: re.Match[str]) -> str:
    return rf"(?P<{named[1]}>{_SLUG if named[1] in _SLUGS else _ID})"


_PATTERNS = {purpose: _compiled(addresses) for purpose, addresses in PURPOSES.items()}


def check_purpose(token: ApiTokenAccess, method: str, path: str) -> None:
    """NotForThisToken unless the token is for this address; what is not listed is refused, also what comes tomorrow."""
    for allowed, pattern in _PATTERNS[token.purpose]:
        if allowed == method and (found := pattern.match(path)) is not None:
            if found["hub"] == token.hub:
                return
            break
    raise NotForThisToken(f"This token is for {token.purpose} in {token.hub}, and for nothing else.")
