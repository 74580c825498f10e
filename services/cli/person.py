"""`foci person`: an account for somebody, with a role in a hub; they sign in by mail."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast

import typer

from deploy.local.settings import LocalSettings
from services.cli.cell import admin, ask, settings
from shared.contracts.directory.requests import OpenAccount, PersonView
from shared.contracts.directory.words import Role


def person(
    hub: Annotated[str, typer.Option(help="Slug of the hub, for example alvhamn-coffice.")],
    role: Annotated[Role, typer.Option(help="What the person is in that hub.")],
    name: Annotated[str, typer.Option(help="What they are called.")],
    email: Annotated[str, typer.Option(help="Where links to sign in with are sent.")],
    language: Annotated[str, typer.Option(help="What they read: sv, da, en.")] = "en",
) -> None:
    """Give somebody an account and a role in a hub, and print their id; how a new hub gets its first admin."""
    request = OpenAccount(hub=hub, name=name, role=role, email=email, language=language)
    typer.echo(asyncio.run(_person(settings(), request)))


async def _person(local: LocalSettings, request: OpenAccount) -> str:
    async with admin(local) as client:
        return str(cast("PersonView", await ask(client, local, request)).id)
