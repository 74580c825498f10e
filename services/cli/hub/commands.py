"""`foci hub export` and `foci hub import`: a hub moves to another cell, or leaves with all that is its own."""

from __future__ import annotations

import asyncio
import re
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from services.cli.cell import admin, ask, fail, settings
from services.cli.hub import moving
from services.cli.hub.folder import Inbound, Manifest, Outbound, Unusable, zipped
from services.cli.hub.moving import Ask, NoHub, NotTheSame, Restless, Tell
from shared.contracts.base import SLUG_PATTERN, Request
from shared.kit.ids import utc_now
from shared.kit.life import RELEASE

hub_app = typer.Typer(help="A hub's data out of one cell and into another.", no_args_is_help=True)
Hub = Annotated[str, typer.Argument(help="The hub's slug.")]


@hub_app.command("export")
def export(
    hub: Hub,
    to: Annotated[Path, typer.Option("--to", help="A new folder, or a new file that ends in .zip.")],
) -> None:
    """Write everything HUB owns as JSON Lines, with CSV and iCalendar beside it, and a manifest with checksums.

    It holds names and addresses: readable by you alone, keep it so.
    """
    if re.fullmatch(SLUG_PATTERN, hub) is None:
        fail(f"{hub!r} cannot be a hub's slug.", 2)
    folder = _folder_for(to)
    try:
        manifest = asyncio.run(_export(hub, Outbound(folder)))
        if folder != to:
            zipped(folder, to)
    except (Unusable, NoHub) as error:
        fail(str(error), 2)
    except OSError as error:
        fail(f"{to}: {error.strerror or error}")
    except Restless:
        fail(
            f"{hub} changed all the while. Export when fewer people are at work. Nothing is finished in {to}."
        )
    finally:
        if folder != to:
            shutil.rmtree(folder)
    things = sum(part.count for part in manifest.files)
    typer.echo(f"{hub} of cell {manifest.cell}: {things} things in {len(manifest.files)} files, in {to}.")


@hub_app.command("import")
def import_(
    source: Annotated[Path, typer.Argument(help="The folder or zip file of an export.")],
) -> None:
    """Take a hub in that was exported elsewhere. Looks first whether everything fits; then all, or it says what is missing.

    Again is the same as once; an import that was interrupted is finished by doing it again.
    """
    try:
        inbound = Inbound(source)
    except Unusable as error:
        fail(str(error), 2)
    try:
        written, same, compared = asyncio.run(_import(inbound))
    except NotTheSame as error:
        fail(f"Taken in, but not the same: {error}")
    hub = inbound.manifest.hub
    typer.echo(
        f"{hub}: {written} things taken in, {same} were there. {compared} read back and found the same."
    )


def _folder_for(to: Path) -> Path:
    """Where the files are written first: `to` itself, or a folder of nobody else's when one file is wanted."""
    try:
        if to.suffix != ".zip":
            to.mkdir(mode=0o700, parents=True, exist_ok=True)
            return to
        if to.exists():
            fail(f"{to} is there already; name a file that is new.", 2)
        to.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix="foci-hub-", dir=to.parent))
    except OSError as error:
        fail(f"{to}: {error.strerror}", 2)


async def _export(hub: str, into: Outbound) -> Manifest:
    async with _asking() as (asks, cell):
        with _shown() as tell:
            return await moving.export(asks, hub, into, tell, cell=cell, release=RELEASE, at=utc_now())


async def _import(source: Inbound) -> tuple[int, int, int]:
    async with _asking() as (asks, _):
        with _shown() as tell:
            await moving.look(asks, source, tell)
            written, same = await moving.take_in(asks, source, tell)
            compared = await moving.compare(asks, source, tell)
            new, old = await moving.set_going(asks, source, tell)
            return written + new, same + old, compared


@asynccontextmanager
async def _asking() -> AsyncIterator[tuple[Ask, str]]:
    local = settings()
    async with admin(local) as client:

        async def asks(service: str, request: Request[Any]) -> Any:
            return await ask(client, local, request, service)

        yield asks, local.cell


@contextmanager
def _shown() -> Iterator[Tell]:
    """What is being done, on standard error."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        TextColumn("{task.completed} rows"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task("…", total=None)

        def tell(what: str, rows: int) -> None:
            progress.update(task, description=what, advance=rows)

        yield tell
