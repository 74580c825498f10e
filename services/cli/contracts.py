"""`foci contracts`: the published language as a table, and the page `docs/contracts.md`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from services.cli.cell import fail
from shared.contracts.asyncapi import consumers_of
from shared.contracts.base import Fact, Request
from shared.contracts.booking.facts import OccupancyChangedV1
from shared.contracts.catalogue import FACTS, OPERATIONS, REQUESTS
from shared.contracts.streams import CONSUMERS, OCCUPANCY, STREAMS, Stream, stream_of
from shared.contracts.users import ADMIN, GATEWAY

PAGE = Path(__file__).parents[2] / "docs" / "contracts.md"
OUT_OF_DATE = 1

_FACT_COLUMNS = ("fact", "version", "subject", "audience", "producer", "consumers")
_REQUEST_COLUMNS = ("request", "subject", "kind", "sent by", "answered by", "answer")

_INTRODUCTION = """\
# Contracts

Made from `shared/contracts` by `foci contracts --write`; do not edit. `foci contracts --check` fails when it is out of date.

A *fact* tells what has happened. Its owner puts it into the outbox in the transaction that made it true, the relay
carries it into the owner's stream, and any service may listen. Every fact has `id`, `hub`, `occurred_at`, `subject` (the
entity) and `subject_version` (its place in the entity's history, the only order a consumer may rely on). A published
version never changes, except that optional fields may join; anything else is the next version beside it.

A *request* is a question or an order to one service, over NATS request and reply. It is answered by what the table
says, or by a problem (see `problems.md`).

The *audience* says who may be shown a fact: the `public`, the hub's `members`, its `hosts`, the `persons` named in it,
or the hub's `operators`. `<hub>` and `<cell>` stand for a slug.
"""


def contracts(
    write: Annotated[bool, typer.Option("--write", help="Write docs/contracts.md.")] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 when docs/contracts.md is out of date.")
    ] = False,
    format: Annotated[Literal["table", "json"], typer.Option(help="How to print it.")] = "table",
) -> None:
    """Show every fact and request: subject, version, audience, who states it and who listens."""
    if (write or check) and not PAGE.parent.is_dir():
        fail("The page belongs to a checkout of the source; there is none here.", 2)
    if write:
        PAGE.write_text(page())
        typer.echo(PAGE)
    elif check:
        if not PAGE.exists() or PAGE.read_text() != page():
            fail(f"{PAGE} is out of date: run `foci contracts --write` and commit it.", OUT_OF_DATE)
        typer.echo(f"{PAGE} is up to date")
    elif format == "json":
        typer.echo(json.dumps({"facts": _facts(), "requests": _requests(), "streams": _streams()}, indent=2))
    else:
        _print()


def _facts() -> list[dict[str, Any]]:
    rows = [
        _fact(fact) for service in sorted(FACTS) for fact in sorted(FACTS[service], key=lambda one: one.fact)
    ]
    rows.append(
        {
            "fact": OccupancyChangedV1.__name__,
            "version": 1,
            "subject": OccupancyChangedV1.subject_for("<hub>", "<space>"),
            "audience": OccupancyChangedV1.audience.value,
            "producer": "booking",
            "consumers": ["operators' systems"],
            "stream": OCCUPANCY,
            "about": _sentence(OccupancyChangedV1),
        }
    )
    return rows


def _fact(fact: type[Fact]) -> dict[str, Any]:
    return {
        "fact": fact.__name__,
        "version": fact.version,
        "subject": fact.subject_for("<hub>"),
        "audience": fact.audience.value,
        "producer": fact.service,
        "consumers": consumers_of(fact),
        "stream": stream_of(fact.service),
        "about": _sentence(fact),
    }


def _requests() -> list[dict[str, Any]]:
    own = [
        _request(request, service)
        for service in sorted(REQUESTS)
        for request in sorted(REQUESTS[service], key=lambda one: (one.admin, one.operation))
    ]
    return own + [
        _request(request, "<service>") for request in sorted(OPERATIONS, key=lambda one: one.operation)
    ]


def _request(request: type[Request[Any]], service: str) -> dict[str, Any]:
    kind = "order" if request.changes else "question"
    return {
        "request": request.__name__,
        "subject": request.subject_for("<cell>", service),
        "kind": f"{kind}, makes something new" if request.created else kind,
        "sent by": ADMIN if request.admin else GATEWAY,
        "answered by": service if service != "<service>" else "every service",
        "answer": request.reply.__name__,
        "about": _sentence(request),
    }


def _streams() -> list[dict[str, Any]]:
    return [
        {
            "stream": stream.name,
            "subjects": list(stream.subjects),
            "written by": stream.owner,
            "keeps": _keeps(stream),
        }
        for stream in STREAMS
    ]


def _keeps(stream: Stream) -> str:
    return "the latest message per subject" if stream.latest_only else f"{stream.max_age.days} days"


def _sentence(model: type) -> str:
    return (model.__doc__ or "").strip().split("\n", 1)[0]


def page() -> str:
    """The text of docs/contracts.md."""
    consumers = [
        (f"`{one.durable}`", one.stream, _code(one.filters), f"{one.ack_wait.total_seconds():.0f} s")
        for one in CONSUMERS
    ]
    streams = [
        (f"`{one['stream']}`", _code(one["subjects"]), one["written by"], one["keeps"]) for one in _streams()
    ]
    parts = [
        _INTRODUCTION,
        "## Facts\n",
        _markdown((*_FACT_COLUMNS, "meaning"), [_fact_cells(one) for one in _facts()]),
        "## Requests\n",
        "`admin` requests are for the platform's operator and cannot be reached over HTTP.\n",
        _markdown((*_REQUEST_COLUMNS, "meaning"), [_request_cells(one) for one in _requests()]),
        "## Streams\n",
        _markdown(("stream", "subjects", "written by", "keeps"), streams),
        "## Consumers\n",
        _markdown(("durable", "stream", "filters", "again after"), consumers),
    ]
    return "\n".join(parts)


def _fact_cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"`{row['fact']}`",
        str(row["version"]),
        f"`{row['subject']}`",
        row["audience"],
        row["producer"],
        "<br>".join(row["consumers"]) or "nobody yet",
        row["about"],
    )


def _request_cells(row: dict[str, Any]) -> tuple[str, ...]:
    return (
        f"`{row['request']}`",
        f"`{row['subject']}`",
        row["kind"],
        row["sent by"],
        row["answered by"],
        f"`{row['answer']}`",
        row["about"],
    )


def _code(words: Iterable[str]) -> str:
    return "<br>".join(f"`{word}`" for word in words)


def _markdown(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [columns, ["---"] * len(columns), *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _print() -> None:
    console = Console()
    for title, name, rows, columns in (
        ("Facts", "fact", _facts(), ("audience", "consumers")),
        ("Requests", "request", _requests(), ("kind", "sent by", "answer")),
    ):
        table = Table(title=title, title_justify="left", box=SIMPLE_HEAD)
        table.add_column(f"{name}\n  subject", overflow="fold", no_wrap=True)
        for column in columns:
            table.add_column(column, overflow="fold")
        for row in rows:
            table.add_row(f"{row[name]}\n  {row['subject']}", *(_cell(row[column]) for column in columns))
        console.print(table)
    console.print(f"{len(_facts())} facts, {len(_requests())} requests; meanings stand in docs/contracts.md.")


def _cell(value: Any) -> str:
    return "\n".join(value) or "nobody yet" if isinstance(value, list) else str(value)
