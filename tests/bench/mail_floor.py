"""Notify's SMTP client alone, in a process of its own: mails that are built already, to a mail server that takes them all."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import uvloop

from services.notify.channels.smtp import MailServer, Result, Server
from services.notify.rules.mail import Mail


async def send(port: int, connections: int, mails: Sequence[Mail]) -> float:
    """Send them all; seconds it took."""
    server = MailServer(
        Server("127.0.0.1", port, "none", None, None, "foci.example"), connections=connections
    )
    left = iter(mails)

    async def one_after_the_other() -> None:
        for mail in left:
            outcome = await server.send(mail)
            if outcome.result is not Result.ACCEPTED:
                raise RuntimeError(f"not accepted: {outcome}")

    started = time.monotonic()
    async with asyncio.TaskGroup() as senders:
        for _ in range(connections):
            senders.create_task(one_after_the_other())
    seconds = time.monotonic() - started
    await server.close()
    return seconds


def kept(file: Path, number: int) -> list[Mail]:
    """So many mails of those the mail server has kept, the same ones again if they are too few."""
    known = json.loads(file.read_text())
    mails = [Mail("", sender, to, content.encode()) for sender, to, content in known]
    return [mails[place % len(mails)] for place in range(number)]


if __name__ == "__main__":
    port, connections, number = (int(word) for word in sys.argv[1:4])
    sys.stdout.write(f"{uvloop.run(send(port, connections, kept(Path(sys.argv[4]), number)))}\n")
