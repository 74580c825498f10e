"""`foci people`: erase somebody who cannot ask for it, and see which erasures are not complete."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast
from uuid import UUID

import typer

from services.cli.cell import admin, ask, fail, settings
from shared.contracts.base import Request
from shared.contracts.directory.erasure import ErasePerson, ErasureStep, ListOpenErasures, OpenErasures

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


async def _asked(request: Request[ErasureStep] | Request[OpenErasures]) -> object:
    local = settings()
    async with admin(local) as client:
        return await ask(client, local, request)
