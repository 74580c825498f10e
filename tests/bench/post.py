"""A mail server that takes everything, with as little SMTP (RFC 5321) as a client needs, so that the clients are measured.

aiosmtpd, which the catcher and the tests use, takes longer for a mail than the client that sends it. As every mail server
that answers for what it has taken (RFC 5321, 6.1) it says 250 when the mail is on disk; told to, it only counts mails.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import uvloop

_END = b"\r\n.\r\n"
_ANSWERS = {
    b"EHLO": b"250-post\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250 SIZE 10485760\r\n",
    b"MAIL": b"250 2.1.0 well\r\n",
    b"RCPT": b"250 2.1.5 well\r\n",
    b"RSET": b"250 2.0.0 well\r\n",
    b"QUIT": b"221 2.0.0 bye\r\n",
}


@dataclass
class Taken:
    """How many mails were taken, when the last was (`time.monotonic()`), and the first of them, to be sent again."""

    keep: int
    number: int = 0
    last: float = 0.0
    kept: list[tuple[str, str, str]] = field(default_factory=list)
    """Sender, recipient, content."""

    def take(self, sender: str, to: str, content: bytes) -> None:
        """One more."""
        self.number += 1
        self.last = time.monotonic()
        if len(self.kept) < self.keep:
            self.kept.append((sender, to, content.replace(b"\r\n..", b"\r\n.").decode()))


class Post(asyncio.Protocol):
    """One connection. `XSAID` tells number and time of what was taken; `XKEPT file` writes down what was kept."""

    def __init__(self, taken: Taken, queue: Path | None) -> None:
        self._taken, self._queue = taken, queue
        self._read = b""
        self._in_mail = False
        self._sender = self._to = ""
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)  # uvloop's own is no subclass
        self._transport.write(b"220 post ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._read += data
        while self._mail_read() if self._in_mail else self._line_answered():
            pass

    def _mail_read(self) -> bool:
        content, ended, rest = self._read.partition(_END)
        if not ended:
            return False
        self._read, self._in_mail = rest, False
        if self._queue is None:
            self._take(content)
        else:
            writing = asyncio.get_running_loop().run_in_executor(None, _written, self._queue, content)
            writing.add_done_callback(lambda done: self._take(content) if not done.exception() else None)
        return True

    def _take(self, content: bytes) -> None:
        self._taken.take(self._sender, self._to, content + b"\r\n")
        self._transport.write(b"250 2.0.0 taken\r\n")

    def _line_answered(self) -> bool:
        line, ended, rest = self._read.partition(b"\r\n")
        if not ended:
            return False
        self._read = rest
        verb = line[:4].upper()
        self._transport.write(self._answer(verb, line))
        if verb == b"QUIT":
            self._transport.close()
        return True

    def _answer(self, verb: bytes, line: bytes) -> bytes:
        if verb == b"MAIL":
            self._sender = _address(line)
        elif verb == b"RCPT":
            self._to = _address(line)
        elif verb == b"DATA":
            self._in_mail = True
            return b"354 go on\r\n"
        elif verb == b"XSAI":
            return f"250 {self._taken.number} {self._taken.last}\r\n".encode()
        elif verb == b"XKEP":
            Path(line.decode().split(" ", 1)[1]).write_text(json.dumps(self._taken.kept))
            return b"250 kept\r\n"
        return _ANSWERS.get(verb, b"502 5.5.1 what?\r\n")


def _written(queue: Path, content: bytes) -> None:
    """A file of its own, as a mail server's queue has it; nobody delivers it, so it goes when it is safe."""
    file, name = tempfile.mkstemp(dir=queue)
    try:
        os.write(file, content)
        os.fsync(file)
    finally:
        os.close(file)
        Path(name).unlink()


def _address(line: bytes) -> str:
    return line.partition(b"<")[2].partition(b">")[0].decode()


async def serve(port: int, keep: int, queue: Path | None) -> None:
    """Until the process ends."""
    taken = Taken(keep)
    server = await asyncio.get_running_loop().create_server(lambda: Post(taken, queue), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]) if sys.argv[3:] else None))
