"""`foci mend`: after a database was restored from a backup, what its service told the world since is put right."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from deploy.local.restore import mend as mend_one
from services.cli.cell import admin, settings
from services.cli.dead_letters import known_service
from shared.contracts.users import SERVICES


def mend(
    service: Annotated[
        list[str] | None,
        typer.Argument(
            help=f"Whose database was restored: {', '.join(SERVICES)}; all of them if none is named."
        ),
    ] = None,
) -> None:
    """Have SERVICE state again what the world was told and its database has forgotten, and hear again what others stated.

    What the database does not know is stated as gone: bookings made after the backup are cancelled, and people hear of it.
    Restore a newer backup instead if there is one. Where nothing is forgotten nothing happens; it may be repeated.
    """
    for name in [known_service(one) for one in service or SERVICES]:
        forgotten, mended = asyncio.run(_mend(name))
        typer.echo(
            f"{name}: {forgotten} forgotten facts, {mended} things stated again; it hears again what others stated."
        )


async def _mend(service: str) -> tuple[int, int]:
    local = settings()
    async with admin(local) as client:
        return await mend_one(client, local.cell, service, lambda line: typer.echo(f"{line} …", err=True))
