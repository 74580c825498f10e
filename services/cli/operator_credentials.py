"""`foci operator-credentials`: a read-only NATS user for an operator's own systems."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.bus import NotEmbedded, add_operator
from deploy.local.home import Home, write_private
from services.cli.cell import fail, nats_url, settings
from shared.contracts.access import OPERATOR, inbox_prefix
from shared.contracts.base import SLUG_PATTERN
from shared.contracts.streams import OCCUPANCY


def operator_credentials(
    hub: Annotated[
        list[str] | None, typer.Option(help="Only this hub; may be repeated. Without it: all hubs.")
    ] = None,
    name: Annotated[
        str, typer.Option(help="Who it is for; the same name again replaces the key.")
    ] = "operator",
    out: Annotated[
        Path | None, typer.Option(help="File to write; only you can read it.", dir_okay=False)
    ] = None,
) -> None:
    """Make a NATS user that may follow occupancy and nothing else, and write its address and seed to a file.

    The server itself refuses everything but the occupancy of the named hubs.
    """
    local = settings()
    for word in (name, *(hub or [])):
        _check_slug(word)
    home = Home(local.home)
    url = nats_url(local)
    try:
        seed = add_operator(home, name, hub or [])
    except NotEmbedded:
        fail("Users can be added only to the NATS server that a running `make run` has started.")
    path = out or home.root / "secrets" / f"operator-{name}.json"
    credentials = {
        "url": url,
        "seed": seed,
        "inbox_prefix": inbox_prefix(f"{OPERATOR}_{name}"),
        "stream": OCCUPANCY,
        "subjects": [f"occupancy.{slug}.>" for slug in hub or []] or ["occupancy.>"],
    }
    write_private(path, json.dumps(credentials, indent=2) + "\n")
    typer.echo(path)


def _check_slug(word: str) -> None:
    if not re.match(SLUG_PATTERN, word):
        fail(f"{word!r} is not a slug: use a-z, 0-9 and -", 2)
