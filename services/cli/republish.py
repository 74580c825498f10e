"""`foci republish`: a service states again what is, so that a read model can be filled or rebuilt."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast

import typer

from services.cli.cell import admin, ask, settings
from services.cli.dead_letters import known_service
from shared.contracts.operations import Republish, Republished


def republish(
    service: Annotated[str, typer.Argument(help="The service that owns them, for example booking.")],
    entity: Annotated[
        str, typer.Argument(help="What to state again, for example spaces; a wrong word lists what there is.")
    ],
) -> None:
    """Have SERVICE state a snapshot of every ENTITY it owns; consumers that know it already drop it."""
    stated = asyncio.run(_republish(known_service(service), entity))
    typer.echo(f"{service} has stated {stated} {entity} again.")


async def _republish(service: str, entity: str) -> int:
    local = settings()
    stated, cursor = 0, None
    async with admin(local) as client:
        while True:
            wanted = Republish(entity=entity, cursor=cursor)
            answer = cast("Republished", await ask(client, local, wanted, service))
            stated, cursor = stated + answer.stated, answer.cursor
            if cursor is None:
                return stated
            typer.echo(f"{stated} so far …", err=True)
