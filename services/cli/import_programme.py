"""`foci import programme`: a calendar file becomes a hub's events, and a second run keeps them in step."""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer
from rich.console import Console

from services.cli.calendar.confined import read_confined
from services.cli.calendar.entry import Limits, RefusedError, one_line
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
from services.cli.programme.execution import Execution
from services.cli.programme.plan import Plan, compare
from services.cli.programme.report import EventReport
from services.cli.programme.wanted import Known
from shared.contracts.events.words import EventStatus, Visibility

_LIMITS = Limits(details=True)


def programme(
    file: GivenFile,
    hub: GivenHub,
    name: GivenName = None,
    visibility: Annotated[
        Visibility, typer.Option(help="Who may see the new events; those there are keep what they have.")
    ] = Visibility.PUBLIC,
    report_to: ReportTo = None,
    dry_run: DryRun = False,
    url: GatewayUrl = None,
    token: OperatorToken = None,
) -> None:
    """Publish the entries of a calendar file as events, and keep in step with it: run again, only what changed is changed.

    Events that vanished from the file are cancelled; one that was cancelled in Foci by hand stays cancelled, and
    what is over stays as it was. No room is booked. Exit code: 0 done, 1 the gateway refused or is away, 2 the file
    is refused.
    """
    complain = Console(stderr=True)
    where = Whereabouts()
    try:
        with Gateway((url or where.base_url()), token or where.token) as gateway:
            told = _import(file, hub, name, visibility, gateway, dry_run=dry_run, console=Console())
    except RefusedError as refused:
        complain.print(f"{file}: {refused}. Nothing was imported.", style="red", markup=False)
        raise typer.Exit(2) from None
    except GatewayError as error:
        complain.print(explained(error), style="red", markup=False)
        raise typer.Exit(1) from None
    if report_to:
        report_to.write_text(json.dumps(as_json(told), indent=2, ensure_ascii=False) + "\n", "utf-8")
    if not told.finished:
        raise typer.Exit(1)


def _import(
    file: Path,
    hub: str,
    name: str | None,
    visibility: Visibility,
    gateway: Gateway,
    *,
    dry_run: bool,
    console: Console,
) -> EventReport:
    raw = bytes_of(file, _LIMITS)
    home = ZoneInfo(gateway.get(f"/v1/hubs/{hub}").body["time_zone"])
    with console.status("Reading the calendar and the events that came from it"):
        reading = read_confined(raw, home=home, now=datetime.now(UTC), limits=_LIMITS, claims=False)
        called = one_line(name or reading.name or file.stem) or "calendar"
        plan = compare(reading, _known(gateway, hub, called))
    report = EventReport(calendar=called, hub=hub, zone=home)
    report.begin(reading, plan)
    if dry_run:
        report.pretend(plan)
    else:
        _carry_out(plan, gateway, report, visibility, console)
    console.print(as_tables(report))
    return report


def _known(gateway: Gateway, hub: str, called: str) -> list[Known]:
    query = {"calendar": called, "status": [status.value for status in EventStatus], "limit": 100}
    items = gateway.items(f"/v1/hubs/{hub}/events", query)
    return [Known.from_item(item) for item in items if (item.get("source") or {}).get("calendar") == called]


def _carry_out(
    plan: Plan, gateway: Gateway, report: EventReport, visibility: Visibility, console: Console
) -> None:
    with progress(console, plan.changes) as advance:
        try:
            Execution(gateway, report, uuid.uuid4().hex, visibility, advance).carry_out(plan)
        except GatewayError as error:
            console.print(explained(error), style="red", markup=False)
            console.print(HALF_WAY, markup=False)
