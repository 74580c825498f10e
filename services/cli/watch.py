"""`foci watch occupancy`: how full hubs and spaces are, as a live table or one line per change."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

import typer
from nats.errors import Error as NatsError
from nats.js.errors import Error as JetStreamError
from pydantic import ValidationError
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.live import Live
from rich.table import Table

from services.cli.cell import fail, nats_url, settings
from services.cli.occupancy_stream import Credentials, Lost, follow
from shared.contracts.base import ALL_SPACES
from shared.contracts.booking.facts import Occupancy, OccupancyChangedV1

EVERYTHING = "occupancy.>"
AGAIN_S = 1.0
BAR = 10

watch_app = typer.Typer(no_args_is_help=True)


@watch_app.callback()
def _watch_group() -> None:
    """Follow what happens, live."""


@watch_app.command("occupancy")
def occupancy(
    hub: Annotated[list[str] | None, typer.Option(help="Only this hub; may be repeated.")] = None,
    credentials: Annotated[
        Path | None,
        typer.Option(
            help="File from `foci operator-credentials`; else this machine's admin.", dir_okay=False
        ),
    ] = None,
    once: Annotated[bool, typer.Option("--once", help="Print the figures as they are and end.")] = False,
) -> None:
    """Show capacity, booked, free and present per space, first as they are, then at every change.

    A table on a terminal, one line per change elsewhere. Ctrl-C ends it.
    """
    known = None if credentials is None else _read(credentials)
    subjects = filters(known, tuple(hub or ()))
    console = Console(soft_wrap=True)
    try:
        asyncio.run(_watch(console, known, subjects, once=once))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _read(path: Path) -> Credentials:
    try:
        return Credentials.model_validate_json(path.read_text())
    except (OSError, ValidationError) as error:
        fail(f"{path} is no file from `foci operator-credentials`: {str(error).splitlines()[0]}", 2)


def filters(credentials: Credentials | None, hubs: tuple[str, ...]) -> tuple[str, ...]:
    """The subjects to follow; credentials for some hubs are asked for no more than they give."""
    wanted = tuple(f"occupancy.{hub}.>" for hub in hubs)
    if credentials is None or EVERYTHING in credentials.subjects:
        return wanted or (EVERYTHING,)
    refused = sorted(set(wanted) - set(credentials.subjects))
    if refused:
        given = ", ".join(credentials.subjects)
        fail(f"These credentials do not reach {', '.join(refused)}; they give {given}.", 2)
    return wanted or credentials.subjects


@dataclass
class Figures:
    """The latest figures by hub and space."""

    latest: dict[tuple[str, str], Occupancy] = field(default_factory=dict)

    def take(self, message: bytes) -> Occupancy | None:
        """The figures in a message if they are news, else None."""
        figures = OccupancyChangedV1.model_validate_json(message).data
        known = self.latest.get((figures.hub, figures.space))
        if known is not None and known.version >= figures.version:
            return None
        self.latest[figures.hub, figures.space] = figures
        return figures

    def in_order(self) -> list[Occupancy]:
        """By hub, the whole hub before its spaces."""
        return sorted(self.latest.values(), key=lambda one: (one.hub, one.space != ALL_SPACES, one.space))


class Screen(Protocol):
    """Where the figures are shown."""

    def show(self, news: Occupancy, /) -> None:
        """Something has changed."""

    def complete(self) -> None:
        """The figures as they are have all arrived."""

    def say(self, sentence: str) -> None:
        """Something about the connection."""


class Lines:
    """One line per change, for files, pipes and screen readers."""

    def __init__(self, console: Console, figures: Figures) -> None:
        self._console = console
        self._figures = figures
        self._said = ""

    def show(self, news: Occupancy) -> None:
        """Print the change."""
        self._console.print(line(news), markup=False, highlight=False)
        self._said = ""

    def complete(self) -> None:
        """Say so."""
        self.say("changes from here on" if self._figures.latest else "no figures yet; changes from here on")

    def say(self, sentence: str) -> None:
        """Print it as a comment, not again and again."""
        if sentence != self._said:
            self._said = sentence
            self._console.print(f"# {sentence}", markup=False, highlight=False)


class LiveTable:
    """A table that changes in place."""

    def __init__(self, live: Live, figures: Figures) -> None:
        self._live = live
        self._figures = figures
        self._note = "reading the figures as they are …"

    def show(self, _: Occupancy) -> None:
        """Draw the table again at the next refresh."""
        self._live.update(table(self._figures, self._note))

    def complete(self) -> None:
        """The table is whole from now on."""
        self.say(f"live since {time.strftime('%H:%M:%S')}; Ctrl-C ends it")

    def say(self, sentence: str) -> None:
        """Say it under the table."""
        if self._note != sentence:
            self._note = sentence
            self._live.update(table(self._figures, sentence))


@contextmanager
def _screen(console: Console, figures: Figures, *, once: bool) -> Iterator[Screen]:
    if once or not console.is_terminal:
        yield Lines(console, figures)
        return
    with Live(Table(), console=console, refresh_per_second=5) as live:
        yield LiveTable(live, figures)


async def _watch(
    console: Console, credentials: Credentials | None, subjects: tuple[str, ...], *, once: bool
) -> None:
    figures = Figures()
    with _screen(console, figures, once=once) as screen:
        while True:
            try:
                await _show_until_lost(credentials, subjects, figures, screen, once=once)
            except (Lost, NatsError, JetStreamError, OSError, TimeoutError) as error:
                reason = str(error) or type(error).__name__
                if once:
                    where = nats_url(settings()) if credentials is None else credentials.url
                    fail(f"Occupancy cannot be read at {where}: {reason}")
                screen.say(f"no connection ({reason}); trying again")
                await asyncio.sleep(AGAIN_S)
            else:
                break
    if once and console.is_terminal:
        console.print(table(figures, time.strftime("%H:%M:%S")))


async def _show_until_lost(
    credentials: Credentials | None,
    subjects: tuple[str, ...],
    figures: Figures,
    screen: Screen,
    *,
    once: bool,
) -> None:
    was_complete = False
    async with aclosing(follow(credentials, subjects)) as messages:
        async for message, complete in messages:
            news = None if message is None else figures.take(message)
            if news is not None:
                screen.show(news)
            if complete and once:
                return
            if complete and not was_complete:
                was_complete = True
                screen.complete()


def line(news: Occupancy) -> str:
    """One change as text."""
    where = f"{news.hub} {'(whole hub)' if news.space == ALL_SPACES else news.space}"
    return (
        f"{news.at.isoformat(timespec='seconds')} {where}: capacity {news.capacity}, booked {news.booked}, "
        f"free {news.free}, present {news.present}"
    )


def bar(booked: int, capacity: int) -> str:
    """How full in a picture: a full block for what is booked, a dot for what is free."""
    if capacity == 0:
        return "closed"
    filled = round(BAR * booked / capacity)
    if 0 < booked < capacity:
        filled = min(max(filled, 1), BAR - 1)  # "nearly" must not look like "all" or "none"
    return "█" * filled + "·" * (BAR - filled)


def table(figures: Figures, note: str) -> Table:
    """All figures: numbers and a bar, never a colour alone."""
    made = Table(
        title="Occupancy", title_justify="left", caption=note, caption_justify="left", box=SIMPLE_HEAD
    )
    made.add_column("hub, space", overflow="fold")
    for title in ("capacity", "booked", "free", "present"):
        made.add_column(title, justify="right", no_wrap=True)
    made.add_column("how full", no_wrap=True)
    made.add_column("since", no_wrap=True)
    hub = ""
    for one in figures.in_order():
        if hub and hub != one.hub:
            made.add_section()
        hub = one.hub
        whole = one.space == ALL_SPACES
        made.add_row(
            one.hub if whole else f"  {one.space}",
            *(str(number) for number in (one.capacity, one.booked, one.free, one.present)),
            bar(one.booked, one.capacity),
            f"{one.at.astimezone():%H:%M}",
            style="bold" if whole else None,
        )
    return made
