"""`foci up`: the whole stack on this machine, until it is stopped."""

from __future__ import annotations

import asyncio

import typer

from deploy.local.narrator import Narrator
from deploy.local.run import run
from services.cli.cell import settings


def up() -> None:
    """Start everything: NATS, PostgreSQL, every service and the gateway; Ctrl-C stops it.

    FOCI_HOME (.foci) keeps the data, FOCI_PORT (8080) is the gateway's. FOCI_NATS_URL and FOCI_DATABASE_URL replace
    the servers that are started otherwise.
    """
    raise typer.Exit(asyncio.run(run(settings(), Narrator())))
