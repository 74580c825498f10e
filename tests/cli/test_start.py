"""`foci` starts with what it was asked for: the list knows its commands by a line each, and a command imports its own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.app import app
from services.cli.later import Later

HEAVY = (
    "pydantic",
    "nats",
    "httpx2",
    "icalendar",
    "sqlalchemy",
    "asyncpg",
    "structlog",
    "opentelemetry",
    "cryptography",
)
"""What no list of commands needs, and each of them takes as long to load as the list takes to print."""
NOT_TO_ASK = ("httpx2", "icalendar", "sqlalchemy", "asyncpg", "structlog", "shared.contracts.catalogue")
"""What a command that only asks a service does without."""

LOADED_BY = """
import json, sys
from services.cli.__main__ import app
try:
    app(sys.argv[1:])
except SystemExit as end:
    print(json.dumps([end.code, *sys.modules]), file=sys.stderr)
"""


def _every(command: Any, *path: str) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield path, command
    itself = command.found() if isinstance(command, Later) else command
    for name, inner in getattr(itself, "commands", {}).items():
        yield from _every(inner, *path, name)


EVERY = dict(_every(typer.main.get_command(app)))
LATER = {path: command for path, command in EVERY.items() if isinstance(command, Later)}


@pytest.mark.parametrize("path", EVERY, ids=" ".join)
def test_every_command_has_its_help(path: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, [*path, "--help"])

    assert told.exit_code == 0
    assert f"Usage: {' '.join(('foci', *path))} " in told.output


@pytest.mark.parametrize("path", LATER, ids=" ".join)
def test_the_list_says_what_the_commands_own_help_begins_with(path: tuple[str, ...]) -> None:
    first, _, _ = LATER[path].found().help.partition("\n\n")

    assert LATER[path].help == first.replace("\n", " ")


def test_a_slip_is_answered_with_what_was_meant() -> None:
    told = CliRunner().invoke(app, ["tokn"])

    assert told.exit_code == 2
    assert "Did you mean 'token'?" in " ".join(told.output.split())


@pytest.mark.parametrize(
    ("words", "without"), [(["--help"], HEAVY), (["token", "--help"], NOT_TO_ASK)], ids=["foci", "foci token"]
)
def test_help_loads_no_more_than_it_needs(words: list[str], without: tuple[str, ...]) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", LOADED_BY, *words], capture_output=True, text=True, check=True, timeout=60
    )
    code, *loaded = json.loads(ended.stderr)

    assert code == 0
    assert "Usage:" in ended.stdout
    assert sorted(set(loaded) & set(without)) == []
