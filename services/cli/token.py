"""`foci token`: a bearer token for development."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast

import typer

from deploy.local.home import Home
from deploy.local.settings import LocalSettings
from deploy.local.tokens import development_token, made_up_address
from services.cli.cell import admin, ask, settings
from shared.contracts.directory.requests import EnsurePerson, PersonView
from shared.contracts.directory.words import Role
from shared.kit.ids import utc_now


def token(
    hub: Annotated[str, typer.Option(help="Slug of the hub, for example alvhamn-coffice.")],
    role: Annotated[Role, typer.Option(help="What the person is in that hub.")],
    person: Annotated[str | None, typer.Option(help="The person's name; made if missing.")] = None,
) -> None:
    """Print a token for a person with that role, good for 12 hours, alone on standard output.

    For development: only a gateway started with this FOCI_HOME's key takes it.
    """
    typer.echo(asyncio.run(_token(settings(), hub, role, person or f"Test {role.value.capitalize()}")))


async def _token(local: LocalSettings, hub: str, role: Role, name: str) -> str:
    async with admin(local) as client:
        person = EnsurePerson(hub=hub, name=name, role=role, email=made_up_address(name))
        answer = cast("PersonView", await ask(client, local, person))
    return development_token(Home(local.home).token_key(), answer.id, now=utc_now())
