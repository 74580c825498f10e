"""`foci notify preview`: what the messages of a kind look like, in every language."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, cast

import typer
from rich.box import ROUNDED
from rich.console import Console, Group
from rich.panel import Panel
from rich.text import Text

from services.cli.cell import admin, ask, fail, settings
from shared.contracts.notify.notices import Preview, PreviewNotices, Previews
from shared.contracts.notify.words import NoticeKind
from shared.kit.errors import Unavailable

notify_app = typer.Typer(no_args_is_help=True)


@notify_app.callback()
def _notify_group() -> None:
    """What people are told, and how it looks."""


@notify_app.command("preview")
def preview(
    kind: Annotated[NoticeKind, typer.Argument(help="The kind of notice.", metavar="KIND")],
    language: Annotated[
        str | None, typer.Option(help="Only in this language, for example sv; else in all.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="Write .txt, .html and .eml files into this folder instead.", file_okay=False),
    ] = None,
) -> None:
    """Show every message of KIND with invented things, as it would be sent."""
    found = asyncio.run(_previews(kind))
    languages = sorted({one.language for one in found})
    if language is not None and language not in languages:
        fail(f"Notify writes {', '.join(languages)}; it does not write {language}.", 2)
    wanted = [one for one in found if language in {None, one.language}]
    console = Console()
    if out is None:
        for one in wanted:
            console.print(_panel(one))
        return
    for path in _write(wanted, out):
        console.print(str(path), markup=False, highlight=False, soft_wrap=True)


async def _previews(kind: NoticeKind) -> tuple[Preview, ...]:
    local = settings()
    async with admin(local) as client:
        try:
            answer = cast("Previews", await ask(client, local, PreviewNotices(kind=kind)))
        except Unavailable:
            fail("Notify does not answer. Is it running? `foci status` tells; `foci up` starts the stack.")
    return answer.items


def _panel(one: Preview) -> Panel:
    head = Text(one.subject, style="bold")
    return Panel(
        Group(head, Text(), Text(one.text.rstrip("\n"))),
        title=f"{one.kind} · {one.news} · {one.language}",
        title_align="left",
        box=ROUNDED,
    )


def _write(previews: Sequence[Preview], folder: Path) -> list[Path]:
    """One file per form; several messages with the same news are numbered."""
    seen: Counter[str] = Counter()
    written = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for one in previews:
            name = f"{one.kind}-{one.news}"
            seen[f"{name}.{one.language}"] += 1
            number = seen[f"{name}.{one.language}"]
            stem = f"{name}{'' if number == 1 else f'-{number}'}.{one.language}"
            for ending, content in (("txt", one.text), ("html", one.html), ("eml", one.source)):
                path = folder / f"{stem}.{ending}"
                path.write_bytes(content.encode())  # as it is: a mail's lines end in CR LF
                written.append(path)
    except OSError as error:
        fail(f"{folder} cannot be written: {error.strerror or error}")
    return written
