"""A real mail server for tests, which can be told to refuse, to be silent and to hang up at any step."""

from __future__ import annotations

import asyncio
import ssl
from collections import defaultdict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any, cast

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

CUT = "cut"
"""Instead of an answer: hang up."""
HANG = "hang"
"""Instead of an answer: nothing, until the other side gives up."""
CUT_AFTER = "cut-after"
"""At the end of a mail: take it, and hang up without saying so."""


@dataclass(frozen=True)
class Taken:
    """A mail the server has taken."""

    sender: str
    to: str
    raw: bytes
    at: float
    """Seconds by the event loop's clock."""
    connection: int

    @property
    def message(self) -> EmailMessage:
        """Parsed by the standard library."""
        return message_from_bytes(self.raw, policy=policy.default)

    @property
    def text(self) -> str:
        """What it says, in plain text."""
        body = self.message.get_body(("plain",))
        assert body is not None
        return str(body.get_content())

    @property
    def message_id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])


@dataclass
class PostOffice:
    """What the server was told to do, and what it has taken.

    `answers[step, address]` (or `[step, ""]` for anybody) are the next answers at MAIL, RCPT, DATA and END; after those it
    takes everything. `always` is the same for ever.
    """

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    answers: dict[tuple[str, str], deque[str]] = field(default_factory=lambda: defaultdict(deque))
    always: dict[tuple[str, str], str] = field(default_factory=dict)
    connections: int = 0
    open: int = 0
    most_open: int = 0
    quits: int = 0
    _sessions: list[_Session] = field(default_factory=list)

    def say(self, step: str, address: str, *answers: str) -> None:
        """The next answers at a step for an address."""
        self.answers[step, address].extend(answers)

    def mails_to(self, address: str) -> list[Taken]:
        """What was taken for an address."""
        return [one for one in self.taken if one.to == address]

    def hang_up(self) -> None:
        """Cut all connections there are."""
        for session in list(self._sessions):
            session.cut()

    def answer(self, step: str, address: str) -> str | None:
        """What to say now; None: yes."""
        for key in ((step, address), (step, "")):
            if self.answers[key]:
                return self.answers[key].popleft()
            if key in self.always:
                return self.always[key]
        return None


class _Session(SMTP):
    """One connection."""

    def __init__(self, office: PostOffice, **options: Any) -> None:
        super().__init__(_Handler(office), hostname="post.example", ident="post", **options)
        self.office = office
        self.number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not self.number:  # with STARTTLS it is made twice
            self.office.connections += 1
            self.office.open += 1
            self.office.most_open = max(self.office.most_open, self.office.open)
            self.number = self.office.connections
            self.office._sessions.append(self)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self in self.office._sessions:
            self.office._sessions.remove(self)
            self.office.open -= 1
        super().connection_lost(error)

    def cut(self) -> None:
        assert self.transport is not None
        cast("asyncio.WriteTransport", self.transport).abort()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # aiosmtpd's name
        address = self.envelope.rcpt_tos[0] if self.envelope and self.envelope.rcpt_tos else ""
        if not await _obeyed(self, said := self.office.answer("DATA", address)):
            return
        if said is not None:
            await self.push(said)
            return
        await super().smtp_DATA(arg)


async def _obeyed(session: SMTP, said: str | None) -> bool:
    """False when there is nothing more to do on this connection."""
    if said == HANG:
        await asyncio.Event().wait()
    if said == CUT:
        session.cut()  # type: ignore[attr-defined]
        return False
    return True


class _Handler:
    def __init__(self, office: PostOffice) -> None:
        self.office = office

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        said = self.office.answer("MAIL", "")
        if said is None:
            envelope.mail_from = address
            envelope.mail_options.extend(options)
            return "250 2.1.0 well"
        return said if await _obeyed(server, said) else "421 gone"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _: Session, envelope: Envelope, address: str, __: list[str]
    ) -> str:
        said = self.office.answer("RCPT", address)
        if said is None:
            envelope.rcpt_tos.append(address)
            return "250 2.1.5 well"
        return said if await _obeyed(server, said) else "421 gone"

    async def handle_DATA(self, server: SMTP, _: Session, envelope: Envelope) -> str:  # noqa: N802
        (address,) = envelope.rcpt_tos
        said = self.office.answer("END", address)
        if said in (None, CUT_AFTER):
            content = envelope.content
            raw = content.encode() if isinstance(content, str) else content or b""
            now = asyncio.get_running_loop().time()
            number = server.number  # type: ignore[attr-defined]
            self.office.taken.append(Taken(envelope.mail_from or "", address, raw, now, number))
        if said == CUT_AFTER:
            said = CUT
        if not await _obeyed(server, said):
            return "421 gone"
        return said or "250 2.0.0 taken"

    async def handle_QUIT(self, _: SMTP, __: Session, ___: Envelope) -> str:  # noqa: N802
        self.office.quits += 1
        return "221 2.0.0 bye"


@asynccontextmanager
async def post_office(
    *,
    tls: ssl.SSLContext | None = None,
    implicit: bool = False,
    login: tuple[str, str] | None = None,
    port: int = 0,
    smtputf8: bool = True,
) -> AsyncIterator[PostOffice]:
    """A mail server on a free port of this machine."""

    def authenticated(_: SMTP, __: Session, ___: Envelope, ____: str, given: LoginPassword) -> AuthResult:
        return AuthResult(success=(given.login, given.password) == credentials, handled=False)

    credentials = tuple(word.encode() for word in login or ())
    office = PostOffice()
    options: dict[str, Any] = {"enable_SMTPUTF8": smtputf8, "loop": asyncio.get_running_loop()}
    if tls and not implicit:
        options |= {"tls_context": tls, "require_starttls": True}
    if login:
        options |= {
            "authenticator": authenticated, "auth_required": True, "auth_require_tls": tls is not None and not implicit,
        }  # fmt: skip
    server = await asyncio.get_running_loop().create_server(
        lambda: _Session(office, **options), "127.0.0.1", port, ssl=tls if implicit else None
    )
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        server.close()
        office.hang_up()
        await server.wait_closed()
