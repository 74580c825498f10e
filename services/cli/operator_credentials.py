"""`foci operator-credentials`: a read-only NATS user for an operator's own systems."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Annotated

import typer

from deploy.local.bus import NotOurs, add_operator, is_embedded, remove_operator
from deploy.local.home import Home, write_private
from services.cli.cell import fail, nats_url, settings
from shared.contracts.base import SLUG_PATTERN
from shared.contracts.streams import OCCUPANCY
from shared.contracts.users import OPERATOR, inbox_prefix

NOT_OURS = (
    "Users are added to the NATS server that a running `make run` has started, or to the folder that a cluster's files "
    "are written to; set FOCI_HOME to it."
)


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
    url: Annotated[
        str | None, typer.Option(help="Where they reach the bus, if not where this machine does.")
    ] = None,
    revoke: Annotated[
        bool,
        typer.Option("--revoke", help="Take the user out instead; the key is worth nothing from then on."),
    ] = False,
) -> None:
    """Make a NATS user that may follow occupancy and nothing else, and write its address and seed to a file.

    The server itself refuses everything but the occupancy of the named hubs. A running `make run` takes the user at once;
    with the folder of keys of a cluster or of containers, write the bus's files again and hand them on.
    """
    for word in (name, *(hub or [])):
        _check_slug(word)
    local = settings()
    home = Home(local.home)
    try:
        if not revoke:
            address = url or nats_url(local)
            path = out or home.root / "secrets" / f"operator-{name}.json"
            write_private(path, _credentials(name, hub or [], address, add_operator(home, name, hub or [])))
            typer.echo(path)
        elif not remove_operator(home, name):
            fail(f"There is no operator {name}.")
    except NotOurs:
        fail(NOT_OURS)
    if not is_embedded(home):
        typer.secho("The bus knows when its files are written again and handed on (docs/runbooks).", err=True)


def _credentials(name: str, hubs: list[str], url: str, seed: str) -> str:
    credentials = {
        "url": url,
        "seed": seed,
        "inbox_prefix": inbox_prefix(f"{OPERATOR}_{name}"),
        "stream": OCCUPANCY,
        "subjects": [f"occupancy.{slug}.>" for slug in hubs] or ["occupancy.>"],
    }
    return json.dumps(credentials, indent=2) + "\n"


def _check_slug(word: str) -> None:
    if not re.match(SLUG_PATTERN, word):
        fail(f"{word!r} is not a slug: use a-z, 0-9 and -", 2)
