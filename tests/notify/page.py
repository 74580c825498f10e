"""Reads a mail's HTML as an assistive program would, and measures its colours."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "br", "img", "hr", "link"}
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_COLOUR = re.compile(r"(?<![-\w])(color|background):\s*(#[0-9a-f]{6})")


@dataclass
class Page(HTMLParser):
    """A page taken apart; what does not nest is a fault."""

    markup: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)
    """Words and where they lead."""
    words: dict[str, list[str]] = field(default_factory=dict)
    """What stands in elements, by name."""
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(self.markup)
        self.close()
        self.faults += [f"<{name}> is not closed" for name, _, _ in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note it; void elements are over at once."""
        known = dict(attrs)
        if len(known) != len(attrs):
            self.faults.append(f"<{tag}> says an attribute twice")
        self.tags.append((tag, known))
        if tag not in VOID:
            self._open.append((tag, known, []))

    def handle_endtag(self, tag: str) -> None:
        """The innermost open element must be it."""
        if not self._open or self._open[-1][0] != tag:
            self.faults.append(f"</{tag}> closes nothing")
            return
        name, known, said = self._open.pop()
        text = " ".join("".join(said).split())
        self.words.setdefault(name, []).append(text)
        if name == "a":
            self.links.append((text, known.get("href") or ""))

    def handle_data(self, data: str) -> None:
        """Text belongs to every element around it."""
        for _, _, said in self._open:
            said.append(data)

    def handle_comment(self, data: str) -> None:
        """There are none, and what people give must make none."""
        self.faults.append(f"a comment: {data!r}")

    @property
    def shape(self) -> list[tuple[str, tuple[str, ...]]]:
        """The elements with the names of their attributes: the same whatever titles say."""
        return [(tag, tuple(sorted(known))) for tag, known in self.tags]


def contrasts(style: str) -> dict[str, float]:
    """How far each colour of text stands out from the page behind it (WCAG 2.2, 1.4.3), by mode and rule."""
    light, _, dark = style.partition("@media (prefers-color-scheme: dark) {")
    found = {}
    for mode, rules in (("light", light), ("dark", dark)):
        pairs = {
            (selector.strip(), name): colour
            for selector, body in _RULE.findall(rules)
            for name, colour in _COLOUR.findall(body)
        }
        behind = pairs["body", "background"]
        for (selector, name), colour in pairs.items():
            if name == "color":
                found[f"{mode} {selector}"] = contrast(colour, behind)
    return found


def contrast(one: str, other: str) -> float:
    """From 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
