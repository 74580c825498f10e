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
    answer = asyncio.run(_republish(known_service(service), entity))
    typer.echo(f"{service} has stated {answer.stated} {answer.entity} again.")


async def _republish(service: str, entity: str) -> Republished:
    local = settings()
    async with admin(local) as client:
        return cast("Republished", await ask(client, local, Republish(entity=entity), service))
