"""`foci watch links`: the links people would be sent, until something sends messages."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from deploy.local.home import Home
from deploy.local.links import Links, say_links
from services.cli.cell import connect, settings
from services.cli.gateway import Whereabouts


def links(
    url: Annotated[
        str | None, typer.Option(help="How people reach the gateway; else as the other commands find it.")
    ] = None,
) -> None:
    """Print a link for each guest's sign-up to confirm and each offered place, as they come.

    GET on a link says what it would do, POST does it. Ctrl-C ends it.
    """
    local = settings()
    base_url = (url or Whereabouts().base_url()).rstrip("/")
    following = Links.of(Home(local.home), local.cell, base_url)
    typer.secho("# links from here on", err=True)
    try:
        asyncio.run(say_links(following, lambda: connect(local), typer.echo, _away))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _away(reason: str) -> None:
    typer.secho(f"# no connection ({reason}); trying again", err=True)
