"""Which URLs a webhook can have, decided from the text alone; where a name leads is looked at by `channels/http.py`."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, quote, urlsplit

import idna

from shared.kit.errors import Conflict, Invalid

PORTS = frozenset({443, 8443})
"""Where web servers with TLS listen; with any port, webhooks would look for open doors on other people's machines."""
LONGEST_URL = 2000
_DEFAULT_PORTS = {"https": 443, "http": 80}
_PATH_SAFE = "/:@!$&'()*+,;=-._~%"
_QUERY_SAFE = _PATH_SAFE + "?"


class TargetRefused(Invalid):
    """No webhook is sent to such a URL."""

    code = "webhook-url"
    title = "Not a URL for a webhook"


class TargetNotPublic(Invalid):
    """The URL's name leads to an address that is not on the public internet."""

    code = "webhook-not-public"
    title = "Not on the public internet"


class TargetNotFound(Invalid):
    """The URL's name leads nowhere."""

    code = "webhook-host-not-found"
    title = "The name cannot be found"


class TooManyWebhooks(Conflict):
    """The hub has as many webhooks as it can have."""

    code = "too-many-webhooks"
    title = "Too many webhooks"


class WebhookNotActive(Conflict):
    """Nothing is sent while it is paused or gone."""

    code = "webhook-not-active"
    title = "The webhook is not active"


class MessageTooLarge(Conflict):
    """The message is beyond what is sent to a webhook."""

    code = "message-too-large"
    title = "The message is too large"


class UnknownFactType(Invalid):
    """There is no such type of fact, or none that webhooks are sent."""

    code = "unknown-fact-type"
    title = "No such type"


@dataclass(frozen=True)
class Target:
    """Where a webhook's messages go: the parts of its URL, in ASCII, as they are sent."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def place(self) -> str:
        """The machine and door, `host:port`; what settings trust and concurrency is counted by."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The whole URL."""
        named = self.place
        if self.port == _DEFAULT_PORTS[self.scheme]:
            named = named.rpartition(":")[0]
        return f"{self.scheme}://{named}{self.path}"


def target_of(url: str, trusted: Container[str] = ()) -> Target:
    """The target a URL names; TargetRefused says what is wrong with it.

    A `host:port` in `trusted` may speak http and be an address: a test's own server, the embedded demo.
    """
    parts = _split(url)
    if parts.username is not None or parts.password is not None:
        raise _refused("Leave out the user and password; check the signature instead.")
    if "#" in url:
        raise _refused("Leave out the fragment (#); it is never sent.")
    scheme, host = parts.scheme, parts.hostname
    if scheme not in _DEFAULT_PORTS or not host:
        raise _refused("It must be a complete URL that begins with https://.")
    port = _DEFAULT_PORTS[scheme] if parts.port is None else parts.port
    path = quote(parts.path or "/", safe=_PATH_SAFE)
    if parts.query:
        path += "?" + quote(parts.query, safe=_QUERY_SAFE)
    target = Target(scheme, host, port, path)
    if target.place in trusted:
        return target
    if scheme != "https":
        raise _refused("It must begin with https://.")
    if port not in PORTS:
        ports = " or ".join(str(one) for one in sorted(PORTS))
        raise _refused(f"The port must be {ports}.")
    return Target(scheme, _name(host), port, path)


def _split(url: str) -> SplitResult:
    if len(url) > LONGEST_URL:
        raise _refused(f"It must have at most {LONGEST_URL} characters.")
    # Parsers differ about these: some drop them, some read a host's end in them.
    if any(letter.isspace() or letter in '\\"<>^`{|}' or not letter.isprintable() for letter in url):
        raise _refused("It has a space, a backslash or another character that no URL has.")
    try:
        parts = urlsplit(url)
        _ = parts.port  # is only read when asked for
    except ValueError:
        raise _refused("It cannot be read as a URL.") from None
    return parts


def _name(host: str) -> str:
    """The host as DNS is asked for it (RFC 5891); addresses, in whatever writing, are no names."""
    if _is_address(host):
        raise _refused("Give a name, not an address: the certificate is checked against it.")
    try:
        # UTS 46 maps other alphabets' digits and full stops, so what looks like an address is one.
        ascii_name = idna.encode(host.rstrip("."), uts46=True, transitional=False).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise _refused("The name in it is not one DNS can have.") from None
    labels = ascii_name.split(".")
    if _is_address(ascii_name) or len(labels) < 2 or not any(letter.isalpha() for letter in labels[-1]):
        raise _refused("Give a full name such as hooks.example.org.")
    if _is_number(labels[-1]):
        raise _refused("Give a full name such as hooks.example.org.")
    return ascii_name


def _is_number(label: str) -> bool:
    """True for what resolvers read as a part of an address: `0x7f`, `0177`, `127`."""
    try:
        int(label, 0)
    except ValueError:
        return label.isdigit()
    return True


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def _refused(sentence: str) -> TargetRefused:
    return TargetRefused(sentence, field="url")
