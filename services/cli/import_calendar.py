"""`foci import calendar`: a calendar file becomes bookings, and a second run keeps them in step."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from services.cli.calendar.bookings import BookingReport
from services.cli.calendar.confined import read_confined
from services.cli.calendar.entry import Limits, RefusedError, one_line
from services.cli.calendar.execution import Execution
from services.cli.calendar.plan import Booked, Plan, compare
from services.cli.calendar.report import as_json, as_tables
from services.cli.calendar.terminal import (
    HALF_WAY,
    DryRun,
    GatewayUrl,
    GivenFile,
    GivenHub,
    GivenName,
    OperatorToken,
    ReportTo,
    bytes_of,
    explained,
    progress,
)
from services.cli.gateway import Gateway, GatewayError, Whereabouts
from services.cli.later import register

import_app = typer.Typer(help="Bring bookings, events and skills in from elsewhere.", no_args_is_help=True)
register(
    import_app,
    "programme",
    "import_programme:programme",
    "Publish the entries of a calendar file as events, and keep in step with it: run again, only what changed is changed.",
)
register(
    import_app,
    "skills",
    "import_skills:skills",
    "Bring in ESCO's skills from its official CSV files: skills_<language>.csv, and the relations beside them.",
)

_EVERY_STATUS = ("held", "confirmed", "checked_in", "checked_out", "cancelled")


@import_app.callback()
def bring_in() -> None:
    """Bring bookings, events and skills in from elsewhere."""


@import_app.command("calendar")
def calendar(
    file: GivenFile,
    hub: GivenHub,
    space: Annotated[str, typer.Option(help="The space the entries claim, by its slug.")],
    name: GivenName = None,
    report_to: ReportTo = None,
    dry_run: DryRun = False,
    url: GatewayUrl = None,
    token: OperatorToken = None,
) -> None:
    """Book the entries of a calendar file, and keep in step with it: run again, only what changed is changed.

    Entries that vanished from the file are cancelled; one that was cancelled in Foci by hand stays cancelled.
    Clashes are reported. Exit code: 0 done, 1 the gateway refused or is away, 2 the file is refused.
    """
    complain = Console(stderr=True)
    where = Whereabouts()
    try:
        with Gateway((url or where.base_url()), token or where.token) as gateway:
            report = _import(file, hub, space, name, gateway, report_to, dry_run=dry_run, console=Console())
    except RefusedError as refused:
        complain.print(f"{file}: {refused}. Nothing was imported.", style="red", markup=False)
        raise typer.Exit(2) from None
    except GatewayError as error:
        complain.print(explained(error), style="red", markup=False)
        raise typer.Exit(1) from None
    if not report.finished:
        raise typer.Exit(1)


def _import(
    file: Path,
    hub: str,
    space: str,
    name: str | None,
    gateway: Gateway,
    report_to: Path | None,
    *,
    dry_run: bool,
    console: Console,
) -> BookingReport:
    raw = bytes_of(file, Limits())
    home = ZoneInfo(gateway.get(f"/v1/hubs/{hub}").body["time_zone"])
    gateway.get(f"/v1/hubs/{hub}/spaces/{space}")
    with console.status("Reading the calendar and what is booked from it"):
        reading = read_confined(raw, home=home, now=datetime.now(UTC))
        called = one_line(name or reading.name or file.stem) or "calendar"
        plan = compare(reading, _booked(gateway, hub, called), space)
    report = BookingReport(calendar=called, hub=hub, space=space, zone=home)
    report.begin(reading, plan)
    if dry_run:
        report.pretend(plan)
    else:
        _carry_out(plan, gateway, report, console)
    console.print(as_tables(report))
    if report_to:
        report_to.write_text(json.dumps(as_json(report), indent=2, ensure_ascii=False) + "\n", "utf-8")
    return report


def _booked(gateway: Gateway, hub: str, called: str) -> list[Booked]:
    query = {"calendar": called, "status": _EVERY_STATUS, "limit": 200}
    items = gateway.items(f"/v1/hubs/{hub}/bookings", query)
    return [Booked.from_item(item) for item in items if (item.get("source") or {}).get("calendar") == called]


def _carry_out(plan: Plan, gateway: Gateway, report: BookingReport, console: Console) -> None:
    with progress(console, plan.changes) as advance:
        try:
            Execution(gateway, report, uuid.uuid4().hex, advance).carry_out(plan)
        except GatewayError as error:
            console.print(explained(error), style="red", markup=False)
            console.print(HALF_WAY, markup=False)
