"""The embedded stack's mail server: takes every mail, delivers none, and shows them on a small page."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from email.parser import BytesHeaderParser
from pathlib import Path
from typing import Any

import uvicorn
from aiosmtpd.smtp import SMTP, Envelope, Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from deploy.local.mailbox_pages import list_page, mail_page

log = logging.getLogger(__name__)

KEPT = 2000
"""So many mails stay; the oldest go first."""
UNFINISHED = ".part"
LARGEST = 10 * 1024 * 1024
LISTED = 200
_HEAD = BytesHeaderParser(policy=policy.default)


@dataclass(frozen=True)
class Mail:
    """One mail as it was taken."""

    id: str
    recipients: tuple[str, ...]
    raw: bytes

    @property
    def message(self) -> EmailMessage:
        """Parsed, whatever it is."""
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def head(self) -> Message:
        """Its headers alone."""
        return _HEAD.parsebytes(self.raw)

    @property
    def at(self) -> datetime:
        """When it was taken."""
        return datetime.fromtimestamp((uuid.UUID(self.id).int >> 80) / 1000, UTC)


class Mailbox:
    """A folder with a file for each mail; the name is a UUIDv7, so names are in order of arrival."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        for unfinished in folder.glob(f"*{UNFINISHED}"):
            unfinished.unlink()  # nobody has been told 250 for these
        self._names = sorted(path.name for path in folder.glob("*.eml"))
        self._recipients: dict[str, tuple[str, ...]] = {}
        """By name, of those that have been read: whoever waits for a mail looks again and again, and all the others stay."""

    def keep(self, id: str, recipients: tuple[str, ...], raw: bytes) -> None:
        """Write a mail, whole or not at all; the recipients stand in a header, as mail servers note them."""
        head = "".join(f"X-Envelope-To: {one}\r\n" for one in recipients).encode("utf-8", "replace")
        name = f"{id}.eml"
        unfinished = self._folder / f"{name}{UNFINISHED}"
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(head + raw)
        unfinished.replace(self._folder / name)
        self._names.append(name)
        while len(self._names) > KEPT:
            oldest = self._names.pop(0)
            self._recipients.pop(oldest, None)
            (self._folder / oldest).unlink(missing_ok=True)

    def newest(self, *, to: str | None = None) -> Iterator[Mail]:
        """Mails, newest first; with `to` only those to an address."""
        for name in reversed(self._names):
            if to is not None and to not in self._recipients.get(name, (to,)):
                continue
            mail = self.read(name.removesuffix(".eml"))
            if mail is not None and (to is None or to in mail.recipients):
                yield mail

    def read(self, id: str) -> Mail | None:
        """One mail, or None; only names that are in the box are ever opened."""
        name = f"{id}.eml"
        if name not in self._names:
            return None
        with contextlib.suppress(FileNotFoundError):
            raw = (self._folder / name).read_bytes()
            if name not in self._recipients:
                found = _HEAD.parsebytes(raw).get_all("X-Envelope-To", [])
                self._recipients[name] = tuple(str(one) for one in found)
            return Mail(id, self._recipients[name], raw)
        return None

    def __len__(self) -> int:
        return len(self._names)


class Taker:
    """What the SMTP server does with a mail."""

    def __init__(self, mailbox: Mailbox, ids: Any) -> None:
        self._mailbox = mailbox
        self._ids = ids

    async def handle_DATA(self, _: SMTP, __: Session, envelope: Envelope) -> str:  # noqa: N802  # aiosmtpd's name
        """Keep it; what has been said 250 to is in its file, though not forced to the disk."""
        content = envelope.content
        raw = content.encode() if isinstance(content, str) else content or b""
        try:
            self._mailbox.keep(str(self._ids()), tuple(envelope.rcpt_tos), raw)
        except OSError as error:
            # By itself the library would answer 500: never try this mail again.
            log.warning("a mail could not be kept: %s", error)
            return "452 4.3.1 cannot be kept now"
        return "250 2.0.0 kept; nothing is delivered from here"


def make_app(mailbox: Mailbox) -> Starlette:
    """The pages: a list, each mail, its source, and the list as JSON for programs."""

    async def index(request: Request) -> Response:
        shown = [mail for mail, _ in zip(mailbox.newest(to=_to(request)), range(LISTED), strict=False)]
        return _page(list_page(shown, total=len(mailbox), to=_to(request)))

    async def one(request: Request) -> Response:
        mail = mailbox.read(request.path_params["id"])
        return _page(mail_page(mail)) if mail else PlainTextResponse("There is no such mail.", 404)

    async def source(request: Request) -> Response:
        mail = mailbox.read(request.path_params["id"])
        if mail is None:
            return PlainTextResponse("There is no such mail.", 404)
        return Response(mail.raw, media_type="text/plain; charset=utf-8", headers=SAFE)

    async def as_json(request: Request) -> Response:
        found = zip(mailbox.newest(to=_to(request)), range(LISTED), strict=False)
        return JSONResponse({"items": [_summary(mail) for mail, _ in found]})

    async def healthz(_: Request) -> Response:
        return JSONResponse({"status": "ok"})

    return Starlette(
        routes=[
            Route("/", index),
            Route("/mails.json", as_json),
            Route("/mails/{id}", one),
            Route("/mails/{id}/source", source),
            Route("/healthz", healthz),
            Route("/readyz", healthz),
        ]
    )


SAFE = {
    # What came in is somebody else's HTML: it runs nothing and loads nothing.
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; frame-src 'self'; base-uri 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def _page(html: str) -> Response:
    return HTMLResponse(html, headers=SAFE)


def _to(request: Request) -> str | None:
    return request.query_params.get("to") or None


def _summary(mail: Mail) -> dict[str, Any]:
    head = mail.head
    return {
        "id": mail.id,
        "at": mail.at.isoformat(),
        "to": list(mail.recipients),
        "subject": str(head.get("Subject", "")),
        "message_id": str(head.get("Message-ID", "")),
        "list_id": str(head.get("List-Id", "")),
    }


async def serve(smtp_port: int, http_port: int, folder: Path, ids: Any, host: str = "127.0.0.1") -> None:
    """Take mails and show them until SIGTERM."""
    mailbox = Mailbox(folder)
    loop = asyncio.get_running_loop()
    smtp = await loop.create_server(
        lambda: SMTP(
            Taker(mailbox, ids), data_size_limit=LARGEST, enable_SMTPUTF8=True, hostname="foci.local"
        ),
        host,
        smtp_port,
    )
    page = uvicorn.Server(
        uvicorn.Config(make_app(mailbox), host=host, port=http_port, log_level="warning", access_log=False)
    )
    loop.add_signal_handler(signal.SIGTERM, lambda: setattr(page, "should_exit", True))
    async with smtp:
        await page.serve()


if __name__ == "__main__":
    from shared.kit.ids import new_id

    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]), new_id, *sys.argv[4:5]))
