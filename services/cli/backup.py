"""`foci backup` and `foci restore`: a copy of the embedded stack, and a stack from a copy."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from deploy.local import backup as copies
from deploy.local.backup import CannotBackUp, NotWhole
from deploy.local.home import AlreadyRunning, Home
from deploy.local.privileges import CannotDropPrivileges
from deploy.local.restore import bring_back
from deploy.local.servers import ServersMissing
from services.cli.cell import fail, settings

EXPECTED = (CannotBackUp, NotWhole, CannotDropPrivileges, ServersMissing, OSError)


def _say(line: str) -> None:
    typer.echo(f"{line} …", err=True)


def backup(
    out: Annotated[Path, typer.Argument(help="Folder to write; it must not exist yet.", file_okay=False)],
    replace: Annotated[bool, typer.Option("--replace", help="Replace a backup that is there.")] = False,
) -> None:
    """Copy the running stack: all databases as of one moment, keys, operators' users. It goes on working meanwhile.

    The copy is checked before it counts: every file against its checksum, and PostgreSQL is started from it.
    """
    home = Home(settings().home)
    try:
        copies.take(home, out.absolute(), _say, replace=replace)
    except EXPECTED as error:
        fail(str(error))
    typer.echo(out)
    typer.secho(
        "It holds every key and password of this stack and all personal data, readable by you alone. "
        "Keep it where only those may read it who may read the stack.",
        err=True,
    )


def restore(
    backup: Annotated[Path, typer.Argument(help="What `foci backup` wrote.", file_okay=False, exists=True)],
    replace: Annotated[
        bool, typer.Option("--replace", help="Put aside what FOCI_HOME has, and take the backup's place.")
    ] = False,
    rebuild_streams: Annotated[
        bool,
        typer.Option(
            "--rebuild-streams", help="Also put the streams aside; they are filled from the databases."
        ),
    ] = False,
    erased: Annotated[
        Path | None,
        typer.Option(
            "--erased",
            help="Who was erased since: erased.jsonl of another FOCI_HOME or a later backup.",
            exists=True,
            dir_okay=False,
        ),
    ] = None,
    check: Annotated[bool, typer.Option("--check", help="Only check the backup.")] = False,
) -> None:
    """Bring the stopped stack of FOCI_HOME back to a backup; nothing is deleted.

    The next start lets services state again what they told the world since, and erases again who was erased since.
    """
    home = Home(settings().home)
    try:
        if check:
            copies.check(backup.absolute())
            typer.echo("The backup is whole, and PostgreSQL starts from it.")
            return
        bring_back(
            home, backup.absolute(), _say, replace=replace, keep_streams=not rebuild_streams, erased=erased
        )
    except AlreadyRunning:
        fail(f"The stack of {home.root} is running. Stop it first.")
    except EXPECTED as error:
        fail(str(error))
    typer.echo(f"{home.root} is as it was when the backup was taken. Start it with `foci up`.")
