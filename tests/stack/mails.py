"""What a running stack has mailed, read at the mail server's page."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from re import findall

import httpx2

from tests.stack.console import Started, eventually

_READ: dict[tuple[str, str], bytes] = {}


@dataclass(frozen=True)
class Mails:
    """The page of one stack."""

    console: Started

    @property
    def url(self) -> str:
        """Where the page is."""
        return str(self.console.home.state()["urls"]["mail"])

    def to(self, address: str) -> list[EmailMessage]:
        """Every mail to an address, the oldest first; none while the page is away."""
        try:
            listed = httpx2.get(f"{self.url}/mails.json", params={"to": address}, timeout=10).json()["items"]
            raw = [self._source(one["id"]) for one in reversed(listed)]
        except httpx2.TransportError:
            return []
        return [message_from_bytes(one, policy=policy.default) for one in raw]

    def _source(self, id: str) -> bytes:
        """Of a mail, which stays as it is: read once, however often somebody looks."""
        known = _READ.get((self.url, id))
        if known is None:
            got = httpx2.get(f"{self.url}/mails/{id}/source", timeout=10)
            known = _READ[self.url, id] = got.raise_for_status().content
        return known

    def wait(self, address: str, number: int = 1, *, seconds: float = 30.0) -> list[EmailMessage]:
        """Mails to an address, when there are so many."""
        eventually(f"{number} mails to {address}", lambda: len(self.to(address)) >= number, seconds=seconds)
        return self.to(address)


def text_of(mail: EmailMessage) -> str:
    """What a mail says, as plain text."""
    part = mail.get_body(("plain",))
    assert part is not None, mail
    return str(part.get_content())


def links_in(mail: EmailMessage) -> dict[str, str]:
    """The mail's links by what they do: each is asked, which does nothing."""
    links = findall(r"http://\S+/v1/links/[\w.-]+", text_of(mail))
    seen = {link: httpx2.get(link, timeout=20) for link in links}
    return {
        answer.json().get("purpose", "unsubscribe"): link
        for link, answer in seen.items()
        if answer.is_success
    }
