"""What the documents name exists: files, links, commands, metrics."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from prometheus_client import REGISTRY

import services.booking.main  # declares the metrics of booking
import services.directory.main  # declares the metrics of directory
import services.events.main  # declares the metrics of events
import services.gateway.main  # declares the metrics of the gateway
import services.matching.main  # declares the metrics of matching
import services.notify.main  # noqa: F401  # declares the metrics of notify
import shared.kit.telemetry  # noqa: F401  # declares the metrics
from services.cli.app import app
from services.cli.later import Later
from tests.architecture.source import ROOT

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "services").rglob("*.md")])
every_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


MADE_LATER = (ROOT / ".gitignore").read_text().split()
"""Folders that are made by use and kept out of git."""


@every_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page}: {target}"


@every_page
def test_named_files_exist(page: Path) -> None:
    named = re.findall(r"`((?:services|shared|deploy|tests|docs)/[\w./-]+)`", page.read_text())
    missing = [name for name in named if not (ROOT / name).exists() and f"{name}/" not in MADE_LATER]
    assert not missing, f"{page} names {missing}"


def _commands(command: Any, path: str = "") -> Iterator[str]:
    inner = getattr(command.found() if isinstance(command, Later) else command, "commands", None)
    if inner is None:
        yield path
    for name, one in (inner or {}).items():
        yield from _commands(one, f"{path} {name}")


KNOWN = {tuple(command.split()) for command in _commands(typer.main.get_command(app))}


@every_page
def test_named_commands_exist(page: Path) -> None:
    for words in re.findall(r"(?:\.venv/bin/|`)foci ([a-z][a-z -]*)", page.read_text()):
        named = tuple(words.split(" --")[0].split())
        assert any(named[: len(command)] == command for command in KNOWN), f"{page}: foci {words}"


@every_page
def test_named_metrics_exist(page: Path) -> None:
    known = {name for metric in REGISTRY.collect() for name in (metric.name, f"{metric.name}_total")}
    named = set(re.findall(r"\b(foci_[a-z_]*[a-z])\b", page.read_text()))
    assert named <= known, f"{page} names {sorted(named - known)}"


def test_every_runbook_and_decision_is_listed() -> None:
    for folder in ("adr", "runbooks"):
        contents = (ROOT / "docs" / folder / "README.md").read_text()
        for page in (ROOT / "docs" / folder).glob("*.md"):
            assert page.name == "README.md" or f"({page.name})" in contents, (
                f"docs/{folder}/README.md does not list {page.name}"
            )


def test_every_decision_has_its_five_parts() -> None:
    for page in (ROOT / "docs" / "adr").glob("0*.md"):
        text = page.read_text()
        for part in (
            "**Context.**",
            "**Decision.**",
            "**Consequences.**",
            "**Alternatives.**",
            "**Enforced by**",
        ):
            assert part in text, f"{page.name} has no {part}"
