"""Small pages for people who follow a link in a message: what it would do, a button, what came of it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_time, get_timezone_name
from babel.lists import format_list
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import Response

from services.gateway.pages.words import LANGUAGES, Words

HERE = Path(__file__).parent
STYLE = (HERE / "page.css").read_text("utf-8")
# One style sheet, known by its hash; no script, no picture, nothing from anywhere; the form goes to its own address.
POLICY = "; ".join(
    (
        "default-src 'none'",
        f"style-src 'sha256-{b64encode(sha256(STYLE.encode()).digest()).decode()}'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
# A mail's address is a secret and what stands here is one person's: nothing of it is kept or handed on.
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Vary": "Accept, Accept-Language",
    "X-Robots-Tag": "noindex",
}
TEMPLATES = Environment(
    loader=FileSystemLoader(HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
_PAGE = TEMPLATES.get_template("page.html.j2")


@dataclass(frozen=True)
class Group:
    """A list under a small heading."""

    title: str
    entries: Sequence[str]


@dataclass(frozen=True)
class Section:
    """A part of a longer page: a heading, some lines, some lists."""

    title: str
    lines: Sequence[str] = ()
    groups: Sequence[Group] = ()


@dataclass(frozen=True)
class Page:
    """A heading, some lines, and what the button says that does it; no button where there is nothing to do."""

    title: str
    lines: Sequence[str]
    sections: Sequence[Section] = ()
    button: str | None = None
    code: str | None = None
    """The check-in code, to be shown large."""
    onward: str | None = None
    """Where to go on."""


def page_response(page: Page, language: str, *, status: int = 200) -> Response:
    """The page in one of LANGUAGES."""
    text = _PAGE.render(page=page, language=language, words=LANGUAGES[language], style=Markup(STYLE))  # noqa: S704  # ours
    headers = {**HEADERS, "Content-Language": language}
    return Response(text, status_code=status, media_type="text/html", headers=headers)


def moment(at: datetime, zone: str, words: Words) -> str:
    """A moment in the hub's zone, in words; who reads it may be anywhere, so the zone is named."""
    there = at.astimezone(ZoneInfo(zone))
    day = format_date(there, "full", locale=words.locale)
    time = format_time(there, "short", locale=words.locale)
    return f"{day} {time} ({get_timezone_name(there, 'long', locale=words.locale)})"


def listed(names: Sequence[str], words: Words) -> str:
    """Words in a row, as one lists them in the language."""
    return format_list(names, locale=words.locale)
