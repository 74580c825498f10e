"""`foci import skills`: ESCO's official CSV files become concepts, and a second run changes only what has changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated, TypeVar, cast

import typer
from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from services.cli.calendar.terminal import HALF_WAY, DryRun, progress
from services.cli.cell import admin, ask, fail, settings
from services.cli.skills.esco import (
    BrokenFileError,
    Files,
    Left,
    Links,
    NothingFoundError,
    look,
    read_links,
    read_skills,
)
from shared.contracts.base import Request
from shared.contracts.matching.skills import (
    EndImport,
    ImportCount,
    ImportedSkill,
    ImportEnded,
    ImportSkills,
    LinkSkills,
)
from shared.kit.errors import FociError

T = TypeVar("T")
Ask = Callable[[Request], Awaitable[BaseModel]]  # type: ignore[type-arg]
LARGEST_REQUEST = 400_000
"""Characters: the bus takes a megabyte, and a letter may be three bytes."""
MOST_AT_ONCE = 250


def skills(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder with ESCO's unpacked CSV files.", exists=True, file_okay=False),
    ],
    languages: Annotated[
        list[str] | None, typer.Option("--language", help="Only these languages; else all that are there.")
    ] = None,
    dry_run: DryRun = False,
) -> None:
    """Bring in ESCO's skills from its official CSV files: skills_<language>.csv, and the relations beside them.

    Every file is read to its end before anything is sent. Run again, only what changed is changed; skills that are
    no longer in the files are found no more. Exit code: 0 done, 1 matching refused or is away, 2 a file is refused.
    """
    console = Console()
    left = Left()
    try:
        files = _chosen(look(folder), languages)
        with console.status("Reading the files"):
            known, links = _read(files, left)
    except (BrokenFileError, NothingFoundError) as refused:
        fail(f"{refused} Nothing was imported.", 2)
    console.print(f"{len(known)} skills in {', '.join(sorted(files.skills))}", highlight=False)
    if dry_run:
        _tell(console, {}, None, left)
        return
    counts, ended = asyncio.run(_import(files, sorted(known), links, console))
    _tell(console, counts, ended, left)


def _chosen(files: Files, languages: list[str] | None) -> Files:
    absent = sorted(set(languages or ()) - set(files.skills))
    if absent:
        raise NothingFoundError(f"There is no skills_{absent[0]}.csv among the files.")
    wanted = {code: file for code, file in files.skills.items() if not languages or code in languages}
    return Files(wanted, files.broader, files.related)


def _read(files: Files, left: Left) -> tuple[set[str], Links]:
    """Every row of every file once: a fault in the last line of the last one stops all of it."""
    known = {one.concept for file in files.skills.values() for one in read_skills(file, left)}
    return known, read_links(files, known, left)


async def _import(
    files: Files, known: list[str], links: Links, console: Console
) -> tuple[dict[str, ImportCount], ImportEnded]:
    local = settings()
    async with admin(local) as client:

        async def send(request: Request) -> BaseModel:  # type: ignore[type-arg]
            return await ask(client, local, request)

        try:
            return await carry_out(send, files, known, links, console)
        except (FociError, BrokenFileError):
            typer.secho(HALF_WAY, err=True)
            raise


async def carry_out(
    send: Ask, files: Files, known: list[str], links: Links, console: Console
) -> tuple[dict[str, ImportCount], ImportEnded]:
    """Send everything in parts: names language by language, then neighbours; the end tells everybody."""
    counts: dict[str, ImportCount] = {}
    with progress(console, (len(files.skills) + 1) * len(known)) as advance:
        for language, file in files.skills.items():
            for items in _fitting(read_skills(file, Left())):
                part = ImportSkills(language=language, items=tuple(items))
                counts[language] = _sum(counts.get(language), await send(part))
                for item in items:
                    advance(item.preferred)
        after = ""
        for some in _some(iter(known), MOST_AT_ONCE):
            until = None if some[-1] == known[-1] else some[-1]
            request = LinkSkills(after=after, until=until, items=tuple(links.of(one) for one in some))
            counts["neighbours"] = _sum(counts.get("neighbours"), await send(request))
            after = some[-1]
            for one in some:
                advance(one)
    return counts, cast("ImportEnded", await send(EndImport()))


def _sum(before: ImportCount | None, part: BaseModel) -> ImportCount:
    done = cast("ImportCount", part)
    if before is None:
        return done
    return ImportCount(**{name: value + getattr(before, name) for name, value in done})


def _some(items: Iterator[T], most: int) -> Iterator[list[T]]:
    while some := list(islice(items, most)):
        yield some


def _fitting(items: Iterator[ImportedSkill]) -> Iterator[list[ImportedSkill]]:
    """Parts that the bus can carry: some skills have a hundred names."""
    some: list[ImportedSkill] = []
    size = 0
    for one in items:
        length = 200 + sum(len(label) + 4 for label in (one.preferred, *one.alternatives, *one.hidden))
        if some and (size + length > LARGEST_REQUEST or len(some) == MOST_AT_ONCE):
            yield some
            some, size = [], 0
        some.append(one)
        size += length
    if some:
        yield some


def _tell(console: Console, counts: dict[str, ImportCount], ended: ImportEnded | None, left: Left) -> None:
    if counts:
        table = Table("", "new", "changed", "as before", "retired")
        for name, count in counts.items():
            table.add_row(name, *(str(n) for n in (count.added, count.changed, count.same, count.retired)))
        console.print(table)
    if ended is not None:
        console.print(
            f"Vocabulary {ended.vocabulary}; {ended.matched} of our own skills are the same as one of these.",
            highlight=False,
        )
    if left.drafts or left.groups or left.labels:
        console.print(
            f"Left out: {left.drafts} unreleased skills, {left.groups} groups and links to them, "
            f"{left.labels} labels that are too long or too many.",
            highlight=False,
        )
