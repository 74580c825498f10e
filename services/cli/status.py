"""`foci status`: what runs, how it is, how far consumers are behind."""

from __future__ import annotations

import asyncio
import contextlib
import time
from dataclasses import dataclass
from typing import Any

import psutil
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError
from rich.console import Console
from rich.table import Table

from deploy.local.home import Home
from deploy.local.probes import status_of
from deploy.local.settings import LocalSettings
from services.cli.cell import connect, fail, settings

NOT_RUNNING = 3


@dataclass(frozen=True)
class Row:
    """One process as it is now."""

    name: str
    state: str
    pid: str
    up: str
    ready: str
    memory: str
    restarts: str


def status() -> None:
    """Show every process of the running stack, the streams and the consumers. Exit code 3 when nothing runs."""
    local = settings()
    home = Home(local.home)
    if not home.is_running():
        fail(f"Foci is not running from {home.root}.", NOT_RUNNING)
    state = home.state()
    rows, streams = asyncio.run(_look(local, state))
    console = Console()
    console.print(_processes(rows, state))
    if isinstance(streams, str):
        console.print(streams, markup=False)
    else:
        console.print(_streams(streams))


async def _look(local: LocalSettings, state: dict[str, Any]) -> tuple[list[Row], list[tuple[str, ...]] | str]:
    rows = await asyncio.gather(*(_row(name, known) for name, known in state.get("processes", {}).items()))
    return list(rows), await _bus(local)


async def _row(name: str, known: dict[str, Any]) -> Row:
    memory, up = "–", "–"
    with contextlib.suppress(psutil.Error, TypeError):
        process = psutil.Process(known["pid"])
        everything = [process, *process.children(recursive=True)]
        memory = f"{sum(_own_memory(one) for one in everything) / 2**20:.0f} MB"
        up = duration(time.time() - known["created"])
    return Row(
        name,
        known["words"],
        str(known["pid"] or "–"),
        up,
        await _readiness(name, known),
        memory,
        str(known["restarts"]),
    )


def _own_memory(process: psutil.Process) -> int:
    """Without what PostgreSQL's processes share, which would be counted once for each."""
    try:
        memory = process.memory_info()
    except psutil.Error:
        return 0
    return int(memory.rss - getattr(memory, "shared", 0)) if process.name() == "postgres" else int(memory.rss)


async def _readiness(name: str, known: dict[str, Any]) -> str:
    if not known["url"]:
        return "–"
    answer = await status_of(known["url"] + ("/healthz" if name == "nats" else "/readyz"))
    return {200: "yes", None: "no answer"}.get(answer, f"no ({answer})")


def duration(seconds: float) -> str:
    """A time span in at most two units."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


async def _bus(local: LocalSettings) -> list[tuple[str, ...]] | str:
    """Streams with their consumers; a sentence when they cannot be asked for."""
    try:
        client = await connect(local)
    except (OSError, NatsError, TimeoutError) as error:
        return f"The streams cannot be asked for: {error or type(error).__name__}"
    rows: list[tuple[str, ...]] = []
    try:
        jetstream = client.jetstream(timeout=3)
        for stream in await jetstream.streams_info():
            name = str(stream.config.name)
            rows.append((name, "", f"{stream.state.messages}", "", ""))
            for consumer in await jetstream.consumers_info(name):
                behind, working = str(consumer.num_pending or 0), str(consumer.num_ack_pending or 0)
                rows.append(("", consumer.name, "", behind, working))
    except (NatsError, JetStreamError, TimeoutError) as error:
        return f"The streams cannot be asked for: {error or type(error).__name__}"
    finally:
        await client.close()
    return rows


def _processes(rows: list[Row], state: dict[str, Any]) -> Table:
    mail = state["urls"].get("mail", "–")
    title = f"Foci, cell {state['cell']}, {state['urls']['gateway']}\nMail: {mail}"
    table = Table(title=title, title_justify="left")
    for title in ("process", "state", "pid", "up", "ready", "memory", "restarts"):
        table.add_column(title, justify="right" if title in ("pid", "up", "memory", "restarts") else "left")
    for row in rows:
        table.add_row(row.name, row.state, row.pid, row.up, row.ready, row.memory, row.restarts)
    return table


def _streams(rows: list[tuple[str, ...]]) -> Table:
    table = Table(title="Streams", title_justify="left")
    for title in ("stream", "consumer", "messages", "behind", "being worked on"):
        table.add_column(
            title, justify="right" if title in ("messages", "behind", "being worked on") else "left"
        )
    for row in rows:
        table.add_row(*row)
    return table
