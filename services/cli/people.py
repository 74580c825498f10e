"""`foci people`: erase somebody who cannot ask for it, see which erasures are not complete, keep them over a restore."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, cast
from uuid import UUID

import typer

from deploy.local.erased import EVER, ErasedList, erase_again, note_new
from services.cli.cell import admin, ask, fail, settings
from shared.contracts.base import Request
from shared.contracts.directory.erasure import (
    Erased,
    ErasePerson,
    ErasureStep,
    ListOpenErasures,
    OpenErasures,
)

people_app = typer.Typer(help="Erase people, and see whether it is complete.", no_args_is_help=True)


@people_app.command("erase")
def erase(
    person: Annotated[UUID, typer.Argument(help="The person's id.")],
    sure: Annotated[bool, typer.Option("--sure", help="It cannot be undone.")] = False,
) -> None:
    """Erase PERSON everywhere, at once and for good; prints the number of the receipt, which is theirs to have."""
    if not sure:
        fail("This erases the person in every service and cannot be undone. Say --sure.", 2)
    step = cast("ErasureStep", asyncio.run(_asked(ErasePerson(person=person))))
    typer.echo(f"Erased. The receipt: /v1/me/erasure/{step.number}")


@people_app.command("erasures")
def erasures() -> None:
    """List erasures that some service has not answered, the oldest first."""
    found = cast("OpenErasures", asyncio.run(_asked(ListOpenErasures()))).items
    if not found:
        typer.echo("Every erasure is complete.")
    for one in found:
        since = one.erased_at.isoformat(timespec="seconds")
        typer.echo(f"{one.person}  since {since}  waits for {', '.join(one.waiting_for)}")


@people_app.command("erased")
def erased(
    into: Annotated[
        Path,
        typer.Argument(help="File to add to, one person in a line. Keep it where no backup takes it back."),
    ],
) -> None:
    """Write down in INTO who has been erased since it was last added to, with a hash of the receipt's number.

    The list must survive the databases: a backup that is brought back does not know who was erased after it. The
    embedded stack keeps one by itself, `erased.jsonl` in FOCI_HOME; elsewhere let this run every few minutes.
    """
    known = ErasedList(into)
    typer.echo(f"{asyncio.run(_noted(known))} new, {len(known)} in all.")


@people_app.command("erase-again")
def again(
    file: Annotated[
        Path, typer.Argument(help="What `foci people erased` wrote.", exists=True, dir_okay=False)
    ],
    since: Annotated[datetime | None, typer.Option(help="Only who was erased then (UTC) or later.")] = None,
) -> None:
    """After a backup of directory was brought back: erase everybody in FILE again whom it brought back.

    Their receipts are good again. It may be repeated; who is not here stays so.
    """
    people = ErasedList(file).since(since.replace(tzinfo=UTC) if since else EVER)
    typer.echo(f"{asyncio.run(_erased_again(people))} of {len(people)} were here again and have been erased.")


async def _noted(known: ErasedList) -> int:
    local = settings()
    async with admin(local) as client:
        return await note_new(client, local.cell, known)


async def _erased_again(people: list[Erased]) -> int:
    local = settings()
    async with admin(local) as client:
        return await erase_again(client, local.cell, people)


async def _asked(request: Request[ErasureStep] | Request[OpenErasures]) -> object:
    local = settings()
    async with admin(local) as client:
        return await ask(client, local, request)
