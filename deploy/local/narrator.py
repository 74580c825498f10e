"""Tells the person at the console what happens: live progress on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

PLAIN_EVERY_S = 2.0


class Counter:
    """Progress of one long step."""

    def __init__(self, console: Console, what: str, total: int) -> None:
        self._console, self._what, self._total = console, what, total
        self._done = 0
        self._said_at = time.monotonic()
        self._bar: Progress | None = None

    def attach(self, bar: Progress) -> None:
        """Show a bar instead of lines."""
        self._bar = bar
        bar.add_task(self._what, total=self._total)

    def advance(self) -> None:
        """One more is done."""
        self._done += 1
        if self._bar is not None:
            self._bar.advance(self._bar.task_ids[0])
        elif time.monotonic() - self._said_at >= PLAIN_EVERY_S:
            self._said_at = time.monotonic()
            self._console.print(f"  … {self._what}: {self._done} of {self._total}")


class Narrator:
    """One voice for everything the stack says."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False, soft_wrap=True)

    def say(self, sentence: str, *, bad: bool = False) -> None:
        """One line with the time; never by colour alone."""
        clock = time.strftime("%H:%M:%S")
        mark = "!" if bad else "·"
        self.console.print(f"{clock} {mark} {sentence}", style="bold yellow" if bad else None, markup=False)

    @contextmanager
    def step(self, what: str) -> Iterator[None]:
        """Something that takes a moment: shown while it lasts on a terminal, and with its time afterwards."""
        started = time.monotonic()
        if self.console.is_terminal:
            with self.console.status(f"{what} …"):
                yield
        else:
            yield
        self.say(f"{what} ({time.monotonic() - started:.1f} s)")

    @contextmanager
    def counting(self, what: str, total: int) -> Iterator[Counter]:
        """Something with many parts."""
        counter = Counter(self.console, what, total)
        if not self.console.is_terminal:
            self.say(f"{what} ({total} parts) …")
            yield counter
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.console, transient=True) as bar:
            counter.attach(bar)
            yield counter
