"""What both imports share at the terminal: their options, reading a file, showing how far they are, explaining."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from services.cli.calendar.entry import Limits
from services.cli.gateway import GatewayError, RefusalError

GivenFile = Annotated[
    Path, typer.Argument(help="An iCalendar file (.ics).", exists=True, dir_okay=False, readable=True)
]
GivenHub = Annotated[str, typer.Option(help="The hub, by its slug.")]
GivenName = Annotated[
    str | None,
    typer.Option("--calendar", help="What the calendar is called; else its own name, else the file's."),
]
ReportTo = Annotated[
    Path | None, typer.Option("--report", help="Write the report as JSON, too.", dir_okay=False)
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")]
GatewayUrl = Annotated[
    str | None, typer.Option(help="Where the gateway is; else FOCI_URL, else the running stack.")
]
OperatorToken = Annotated[str | None, typer.Option(help="An operator's token; else FOCI_TOKEN.")]

HALF_WAY = "Stopped half-way. What was done stays; run the same command again to go on."
_PLAIN_STEPS = 20


def bytes_of(file: Path, limits: Limits) -> bytes:
    """The file, and never more of it than it takes to refuse it."""
    with file.open("rb") as opened:
        return opened.read(limits.file_bytes + 1)


@contextmanager
def progress(console: Console, total: int) -> Iterator[Callable[[str], None]]:
    """A bar on a terminal, now and then a line elsewhere."""
    if not total:
        yield lambda _title: None
    elif console.is_terminal:
        columns = (
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.description}", markup=False),
        )
        with Progress(*columns, console=console, transient=True) as bar:
            task = bar.add_task("", total=total)
            yield lambda title: bar.update(task, advance=1, description=title[:40])
    else:
        done = 0

        def advance(_title: str) -> None:
            nonlocal done
            done += 1
            if done % max(1, total // _PLAIN_STEPS) == 0 or done == total:
                console.print(f"{done} of {total}", markup=False, highlight=False)

        yield advance


def explained(error: GatewayError) -> str:
    """What to say, and what to do about it."""
    if isinstance(error, RefusalError) and error.status == 401:
        hint = "Give an operator's token with --token or FOCI_TOKEN"
        return f"{error} {hint}; `foci token --hub HUB --role operator` prints one."
    if isinstance(error, RefusalError) and error.status == 403:
        return f"{error} An import is an operator's act."
    return str(error)
