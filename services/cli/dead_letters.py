"""`foci dead-letters`: look at facts that a consumer has given up on, and hand them to it again."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast
from uuid import UUID

import orjson
import typer
from rich.console import Console
from rich.table import Table

from services.cli.cell import admin, ask, fail, settings
from shared.contracts.operations import (
    DeadLetter,
    DeadLetterPage,
    ListDeadLetters,
    ReplayDeadLetter,
    ShowDeadLetter,
)
from shared.contracts.users import SERVICES
from shared.kit.errors import FociError

NOT_ALL_REPLAYED = 1

dead_letters_app = typer.Typer(
    help="Facts that a consumer has given up on: look, mend the cause, replay.", no_args_is_help=True
)

Service = Annotated[str, typer.Argument(help=f"Whose consumer gave up: {', '.join(SERVICES)}.")]


def known_service(service: str) -> str:
    """The service, or a sentence that says which there are."""
    if service not in SERVICES:
        fail(f"There is no service {service!r}; there is: {', '.join(SERVICES)}.", 2)
    return service


@dead_letters_app.command("list")
def list_letters(
    service: Service,
    replayed: Annotated[bool, typer.Option("--replayed", help="Also those replayed already.")] = False,
    most: Annotated[int, typer.Option("--most", min=1, help="How many to show.")] = 50,
) -> None:
    """List dead letters, newest first."""
    letters = asyncio.run(_collect(known_service(service), replayed=replayed, most=most))
    if not letters:
        typer.echo(f"{service} has no dead letters{'' if replayed else ' that have not been replayed'}.")
        return
    Console(soft_wrap=True).print(_table(service, letters))


@dead_letters_app.command("show")
def show(service: Service, id: Annotated[UUID, typer.Argument(help="The dead letter's id.")]) -> None:
    """Show one dead letter: why it was given up, and its body."""
    letter = asyncio.run(_show(known_service(service), id))
    for name, value in (
        ("id", letter.id),
        ("consumer", letter.consumer),
        ("subject", letter.subject),
        ("attempts", letter.attempts),
        ("failed", letter.failed_at.isoformat(timespec="seconds")),
        ("replayed", letter.replayed_at.isoformat(timespec="seconds") if letter.replayed_at else "no"),
        ("reason", letter.reason),
    ):
        typer.echo(f"{name:<9} {value}")
    typer.echo(readable(letter.body or ""))


@dead_letters_app.command("replay")
def replay(
    service: Service,
    ids: Annotated[list[UUID] | None, typer.Argument(help="Which; or --all.")] = None,
    all: Annotated[bool, typer.Option("--all", help="All that have not been replayed.")] = False,
) -> None:
    """Hand dead letters to their consumer once more. One that fails again stays; exit code 1 says so.

    A fact that its consumer has taken in meanwhile by another way does nothing: its effect happens once.
    """
    if bool(ids) == all:
        fail("Say which dead letters to replay: ids, or --all.", 2)
    done, failed = asyncio.run(_replay(known_service(service), ids))
    typer.echo(f"{done} replayed, {failed} failed again.")
    if failed:
        raise typer.Exit(NOT_ALL_REPLAYED)


async def _collect(service: str, *, replayed: bool, most: int) -> list[DeadLetter]:
    local = settings()
    found: list[DeadLetter] = []
    cursor: str | None = None
    async with admin(local) as client:
        while len(found) < most:
            request = ListDeadLetters(limit=min(most - len(found), 200), cursor=cursor, replayed=replayed)
            page = cast("DeadLetterPage", await ask(client, local, request, service))
            found.extend(page.items)
            cursor = page.cursor
            if cursor is None:
                break
    return found


async def _show(service: str, id: UUID) -> DeadLetter:
    local = settings()
    async with admin(local) as client:
        return cast("DeadLetter", await ask(client, local, ShowDeadLetter(id=id), service))


async def _replay(service: str, ids: list[UUID] | None) -> tuple[int, int]:
    """How many were taken in, and how many failed again, oldest first: facts of one entity belong in that order."""
    local = settings()
    if ids is None:
        ids = [letter.id for letter in await _collect(service, replayed=False, most=100_000)]
    done = failed = 0
    async with admin(local) as client:
        for letter in sorted(ids):
            try:
                await ask(client, local, ReplayDeadLetter(id=letter), service)
            except FociError as error:
                typer.echo(f"{letter}: {error.detail}", err=True)
                failed += 1
            else:
                done += 1
    return done, failed


def _table(service: str, letters: list[DeadLetter]) -> Table:
    table = Table(title=f"Dead letters of {service}", title_justify="left")
    for title in ("id", "failed", "consumer", "subject", "attempts", "reason", "replayed"):
        table.add_column(title, overflow="fold", no_wrap=title == "id")
    for letter in letters:
        table.add_row(
            str(letter.id),
            letter.failed_at.isoformat(timespec="seconds"),
            letter.consumer,
            letter.subject,
            str(letter.attempts),
            letter.reason.split("\n", 1)[0],
            letter.replayed_at.isoformat(timespec="seconds") if letter.replayed_at else "no",
        )
    return table


def readable(body: str) -> str:
    """JSON laid out for reading; what is no JSON as it came, made harmless for a terminal."""
    try:
        return orjson.dumps(orjson.loads(body), option=orjson.OPT_INDENT_2).decode()
    except orjson.JSONDecodeError:
        return body.encode("unicode_escape").decode()
