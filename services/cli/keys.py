"""`foci keys`: the keys that access tokens are signed with."""

from __future__ import annotations

import asyncio
from typing import Annotated, cast

import typer

from deploy.local.settings import LocalSettings
from services.cli.cell import admin, ask, settings
from shared.contracts.directory.sessions import RotateTokenKeys, TokenKeys

keys_app = typer.Typer(help="The keys that access tokens are signed with.", no_args_is_help=True)


@keys_app.callback()
def keys() -> None:
    """The keys that access tokens are signed with."""


@keys_app.command("rotate")
def rotate(
    at_once: Annotated[
        bool, typer.Option(help="For a key that has leaked: the older ones count no more from now on.")
    ] = False,
) -> None:
    """Make a new key. It signs after a quarter of an hour, when everybody has it; nobody has to sign in again."""
    for one in asyncio.run(_rotate(settings(), RotateTokenKeys(at_once=at_once))).items:
        typer.echo(one.kid if one.until is None else f"{one.kid} until {one.until:%Y-%m-%d %H:%M:%S %Z}")


async def _rotate(local: LocalSettings, request: RotateTokenKeys) -> TokenKeys:
    async with admin(local) as client:
        return cast("TokenKeys", await ask(client, local, request))
