"""Mail over SMTP (RFC 5321): connections kept open, and one of five outcomes for whatever a mail server does."""

from __future__ import annotations

import asyncio
import contextlib
import re
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parseaddr
from enum import StrEnum
from typing import Literal, Self

import aiosmtplib
from opentelemetry import trace
from opentelemetry.trace import SpanKind

from services.notify.rules.mail import Mail
from services.notify.settings import Settings
from shared.kit.causes import within
from shared.kit.telemetry import logger

log = logger(__name__)
tracer = trace.get_tracer("foci.notify")

Tls = Literal["none", "starttls", "implicit"]
_ENHANCED = re.compile(r"^([245])\.(\d{1,3})\.(\d{1,3})(?:\s|$)")
_DOTS = re.compile(rb"^\.", re.MULTILINE)
_OF_THE_SENDER = {"7", "8", "9"}
"""Third digits of 5.1.x that speak of the sender's address or of a server on the way (RFC 3463, RFC 7505)."""
_GO_ON, _CLOSING, _TOO_LARGE = 354, 421, 552


class Result(StrEnum):
    """What became of a mail."""

    ACCEPTED = "accepted"
    LATER = "later"
    """Surely not taken; it may be another time."""
    NEVER = "never"
    """Refused for good, for what it is."""
    BAD_ADDRESS = "bad-address"
    """Refused for good, because there is no such address."""
    UNKNOWN = "unknown"
    """The connection went after the last byte: it may have been taken or not."""


@dataclass(frozen=True)
class Outcome:
    """What became of a mail, and why: a step, a code, an enhanced code; never what the server said of an address."""

    result: Result
    reason: str


@dataclass(frozen=True)
class Waits:
    """Seconds that the parts of sending may take; a mail is done with, one way or another, after `longest`.

    RFC 5321, 4.5.3.2 grants servers on the internet minutes. This one is our own relay.
    """

    turn: float = 45
    begin: float = 20
    end: float = 40
    away: float = 5
    """So long a server that could not be reached is left alone."""
    idle: float = 30
    """So long an unused connection is thought to be still there."""

    @property
    def longest(self) -> float:
        """From the beginning of `send` to its end."""
        return self.turn + self.begin + self.end


@dataclass(frozen=True)
class Server:
    """Where the mail server is, and how to be let in."""

    host: str
    port: int
    tls: Tls
    user: str | None
    password: str | None
    name: str
    """How we introduce ourselves."""

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """As configured."""
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
        return cls(
            host=settings.smtp_host,
            port=settings.smtp_port,
            tls=settings.smtp_tls,
            user=settings.smtp_user,
            password=password,
            name=settings.mail_domain,
        )


class _Away(Exception):
    """No connection can be made, or the server wants none."""


class _Refused(Exception):
    """The server said no, to all of us or to this mail."""

    def __init__(self, step: str, code: int, said: str) -> None:
        super().__init__(step, code)
        found = _ENHANCED.match(said)
        self.step, self.code = step, code
        self.enhanced = "" if found is None else ".".join(found.groups())

    @property
    def outcome(self) -> Outcome:
        """What the refusal means for the mail."""
        reason = " ".join(word for word in (self.step, str(self.code), self.enhanced) if word)
        return Outcome(self._result(), reason)

    def _result(self) -> Result:
        if not 500 <= self.code < 600:
            return Result.LATER
        if self.step == "mail":
            # Us the server does not like: that is for the operator to mend, and no fault of the mail.
            return Result.NEVER if self.code == _TOO_LARGE else Result.LATER
        kind, subject, detail = self.enhanced.split(".") if self.enhanced else ("", "", "")
        if (kind, subject) == ("5", "1") and detail not in _OF_THE_SENDER:
            return Result.BAD_ADDRESS
        return Result.NEVER


@dataclass
class _Line:
    """A connection to the mail server."""

    client: aiosmtplib.SMTP
    used: bool = False
    since: float = 0.0

    async def hand_envelope(self, mail: Mail, size: int) -> None:
        """Up to the server's `354 go on`; _Refused, ValueError or aiosmtplib's errors otherwise."""
        if parseaddr(mail.to)[1] != mail.to:
            raise ValueError("the library would send to whatever address it can read out of this")
        wide = not mail.ascii
        if wide and not self.client.supports_extension("smtputf8"):
            raise _Refused("rcpt", 553, "5.6.7 ")
        options = ["SMTPUTF8"] if wide else []
        if self.client.supports_extension("size"):
            options.append(f"SIZE={size}")
        try:
            await self.client.mail(mail.sender, options=options, encoding="utf-8")
            await self.client.rcpt(mail.to, encoding="utf-8")
        except aiosmtplib.SMTPSenderRefused as error:
            raise _Refused("mail", error.code, error.message) from None
        except aiosmtplib.SMTPRecipientRefused as error:
            raise _Refused("rcpt", error.code, error.message) from None
        answer = await self.client.execute_command(b"DATA")
        if answer.code != _GO_ON:
            raise _Refused("data", answer.code, answer.message)

    async def end(self, content: bytes, within: float) -> Outcome:
        """The mail itself; from its last byte on nobody knows what became of it until the server says so."""
        protocol = self.client.protocol
        if protocol is None or not protocol.is_connected:
            return Outcome(Result.LATER, "lost before the mail")
        protocol.write(content)
        try:
            answer = await protocol.read_response(timeout=within)
        except (aiosmtplib.SMTPException, OSError) as error:
            self.client.close()
            return Outcome(Result.UNKNOWN, f"end {type(error).__name__}")
        if answer.code == _CLOSING:
            self.client.close()
        if 200 <= answer.code < 300:
            return Outcome(Result.ACCEPTED, f"end {answer.code}")
        return _Refused("end", answer.code, answer.message).outcome


class MailServer:
    """The way to one mail server, with at most so many connections, which are used again and again."""

    def __init__(
        self,
        server: Server,
        *,
        connections: int,
        waits: Waits | None = None,
        trusted: ssl.SSLContext | None = None,
    ) -> None:
        """`trusted` says whose certificates are believed; None: those the machine believes."""
        self.waits = waits or Waits()
        self._server = server
        self._turns = asyncio.Semaphore(connections)
        self._idle: list[_Line] = []
        self._trusted = trusted
        self._away_until = 0.0

    async def send(self, mail: Mail, *, still: Callable[[], bool] = lambda: True) -> Outcome:
        """Hand over one mail. Ends within `waits.longest`, and raises nothing but cancellation.

        `still` is asked before the mail itself goes: false means that it is no longer ours to send.
        """
        try:
            async with asyncio.timeout(self.waits.turn):
                await self._turns.acquire()
        except TimeoutError:
            return Outcome(Result.LATER, "no connection free")
        try:
            with within(tracer, "SMTP send", kind=SpanKind.CLIENT) as current:
                outcome = await self._send(mail, still)
                current.set_attribute("foci.result", outcome.result.value)
                return outcome
        finally:
            self._turns.release()

    async def close(self) -> None:
        """Take leave of the server."""
        idle, self._idle = self._idle, []
        await asyncio.gather(*(_leave(line) for line in idle))

    async def _send(self, mail: Mail, still: Callable[[], bool]) -> Outcome:
        content = dotted(mail.content)
        try:
            async with asyncio.timeout(self.waits.begin):
                line = await self._begun(mail, len(content))
        except _Refused as refused:
            return refused.outcome
        except _Away as away:
            return Outcome(Result.LATER, f"away {away}")
        except (aiosmtplib.SMTPException, OSError) as error:  # TimeoutError is one
            return Outcome(Result.LATER, f"lost {type(error).__name__}")
        except ValueError:
            return Outcome(Result.BAD_ADDRESS, "address cannot be written")
        done = False
        try:
            if not still():
                return Outcome(Result.LATER, "too late")
            outcome = await line.end(content, self.waits.end)
            done = True
            return outcome
        finally:
            # After `354` a connection is of use again only when the server has answered the mail.
            self._give_back(line) if done else line.client.close()

    async def _begun(self, mail: Mail, size: int) -> _Line:
        while True:
            line = await self._line()
            ready = False
            try:
                await line.hand_envelope(mail, size)
                ready = True
                return line
            except _Refused as refused:
                if refused.code != _CLOSING:
                    await self._wiped(line)
                    ready = True
                    raise
                if not line.used:
                    raise
            except (aiosmtplib.SMTPServerDisconnected, ConnectionError):
                if not line.used:
                    raise
            finally:
                if not ready:
                    line.client.close()
            # The server has hung up on a connection it thought unused; nothing was given to it yet.

    async def _wiped(self, line: _Line) -> None:
        """Forget the mail that was begun, and use the connection again."""
        try:
            await line.client.rset()
        except (aiosmtplib.SMTPException, OSError):
            line.client.close()
        self._give_back(line)

    def _give_back(self, line: _Line) -> None:
        line.used, line.since = True, asyncio.get_running_loop().time()
        if line.client.is_connected:
            self._idle.append(line)

    async def _line(self) -> _Line:
        now = asyncio.get_running_loop().time()
        while self._idle:
            line = self._idle.pop()
            if line.client.is_connected and now - line.since < self.waits.idle:
                return line
            line.client.close()
        if now < self._away_until:
            raise _Away("lately")
        try:
            return _Line(await self._connected())
        except (aiosmtplib.SMTPException, OSError) as error:
            # Nobody else need find it out for themselves in the next moments.
            self._away_until = now + self.waits.away
            code = getattr(error, "code", None)
            reason = type(error).__name__ if code is None else f"{type(error).__name__} {code}"
            log.warning("mail server away", reason=reason, again_in_s=self.waits.away)
            raise _Away(reason) from error

    async def _connected(self) -> aiosmtplib.SMTP:
        client = aiosmtplib.SMTP(
            hostname=self._server.host,
            port=self._server.port,
            username=self._server.user,
            password=self._server.password,
            local_hostname=self._server.name,
            timeout=self.waits.begin / 3,
            use_tls=self._server.tls == "implicit",
            start_tls=self._server.tls == "starttls",
            tls_context=await self._context(),
        )
        connected = False
        try:
            await client.connect()
            await client.ehlo()
            connected = True
            return client
        finally:
            if not connected:
                client.close()

    async def _context(self) -> ssl.SSLContext | None:
        if self._server.tls != "none" and self._trusted is None:
            # Reading the machine's certificates takes a while; once is enough.
            self._trusted = await asyncio.to_thread(ssl.create_default_context)
        return self._trusted


async def _leave(line: _Line) -> None:
    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
        await line.client.quit(timeout=2)
    line.client.close()


def dotted(content: bytes) -> bytes:
    """A mail as DATA wants it (RFC 5321, 4.5.2): dots that begin a line doubled, and the dot that ends it."""
    ended = content if content.endswith(b"\r\n") else content + b"\r\n"
    return _DOTS.sub(b"..", ended) + b".\r\n"
