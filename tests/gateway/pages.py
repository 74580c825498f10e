"""Small pages as tests read them: what stands in one, and what holds of every one."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import httpx2

# As browsers send it.
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


class Seen(HTMLParser):
    """What stands in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.setdefault(self._open[-1], []).append(data)

    def named(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of each element of that name."""
        return [attributes for name, attributes in self.tags if name == tag]


def sound(answer: httpx2.Response, page: Seen, language: str, *, buttons: int) -> None:
    """What holds of every page: language, structure, nothing active, nothing from elsewhere, nothing kept."""
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == language
    assert page.named("html") == [{"lang": language}]
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in page.named("meta")
    for tag in ("title", "main", "h1"):
        assert len(page.named(tag)) == 1, tag
    assert page.words["title"][0].startswith(page.words["h1"][0])
    assert len(page.named("form")) == len(page.named("button")) == buttons
    if buttons:
        assert page.named("form") == [{"method": "post"}], "to its own address"
        assert page.named("button") == [{"type": "submit"}]
        assert page.words["button"][0].strip()
    active = {"script", "a", "img", "iframe", "link", "object", "embed", "input", "svg"}
    assert active.isdisjoint(tag for tag, _ in page.tags)
    for _, attributes in page.tags:
        assert not any(name.startswith("on") or name in ("style", "src", "href") for name in attributes)
    style = b64encode(sha256(page.words["style"][0].encode()).digest()).decode()
    assert answer.headers["content-security-policy"] == (
        f"default-src 'none'; style-src 'sha256-{style}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["vary"] == "Accept, Accept-Language"
    assert "etag" not in answer.headers
