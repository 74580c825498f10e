"""Alarms: what they name is exported, what they say helps, the page they lead to is there. `make alerts` tries when they fire."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # brings no types

from tests.architecture.source import ROOT
from tests.telemetry.exported import exported, faults, spoken

RULES = ROOT / "deploy" / "telemetry" / "rules"
TRIED = ROOT / "tests" / "telemetry" / "rules"
SEVERITIES = {"critical", "warning", "info"}
PARTS = (
    "**You see**",
    "**People notice**",
    "**It means**",
    "**Check**",
    "**Do**",
    "**Wake**",
    "**Over when**",
)


@dataclass(frozen=True)
class Alarm:
    """One rule, and the file it stands in."""

    file: str
    name: str
    expression: str
    severity: str
    notes: dict[str, str]

    @property
    def page(self) -> Path:
        """The page that says what to do."""
        return ROOT / self.notes["runbook"]


def alarms() -> list[Alarm]:
    """Every alarm there is."""
    return [
        Alarm(path.name, rule["alert"], rule["expr"], rule["labels"]["severity"], rule["annotations"])
        for path in sorted(RULES.glob("*.yaml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    ]


ALARMS = alarms()
every_alarm = pytest.mark.parametrize("alarm", ALARMS, ids=lambda one: one.name)


def test_there_are_alarms_and_each_has_a_name_of_its_own() -> None:
    names = [alarm.name for alarm in ALARMS]
    assert len(names) > 20
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"Foci[A-Z]\w+", name) for name in names)


def test_what_alarms_look_at_is_exported() -> None:
    known, code = exported(), spoken()
    wrong = [f"{alarm.name}: {fault}" for alarm in ALARMS for fault in faults(alarm.expression, known, code)]
    assert not wrong, wrong


@pytest.mark.parametrize(
    "expression",
    [
        "rate(foci_http_request_total[5m])",
        'rate(foci_http_requests_total{code="500"}[5m])',
        'sum by (namespace) (rate(foci_requests_unanswered_total{why="no-responder"}[5m]))',
        "sum by (hub) (foci_dead_letters) > 0",
        "foci_dead_letters and on (job) max by (job) (foci_lettres)",
        "histogram_quantile(0.99, sum by (le) (rate(foci_http_seconds[5m])))",
    ],
)
def test_an_alarm_that_looks_at_nothing_would_be_found(expression: str) -> None:
    assert list(faults(expression, exported(), spoken()))


@every_alarm
def test_an_alarm_says_how_bad_it_is_and_what_to_do(alarm: Alarm) -> None:
    assert alarm.severity in SEVERITIES
    assert set(alarm.notes) == {"summary", "runbook"}
    summary = alarm.notes["summary"]
    assert summary.endswith(".")
    assert 60 < len(summary) < 220
    shown = set(re.findall(r"\$labels\.(\w+)", summary))
    assert shown <= {
        *re.findall(r"\w+", " ".join(re.findall(r"by \(([^)]*)\)", alarm.expression))),
        "job",
        "instance",
    }


@every_alarm
def test_an_alarm_leads_to_a_page_that_names_it(alarm: Alarm) -> None:
    assert alarm.page.is_file()
    page = alarm.page.read_text()
    assert f"`{alarm.name}`" in page
    assert [part for part in PARTS if part not in page] == []
    contents = (ROOT / "docs" / "runbooks" / "README.md").read_text()
    [row] = [line for line in contents.splitlines() if f"`{alarm.name}`" in line]
    assert f"({alarm.page.name})" in row


def test_pages_name_no_alarm_that_is_not_there() -> None:
    known = {alarm.name for alarm in ALARMS}
    for page in (ROOT / "docs").rglob("*.md"):
        named = set(re.findall(r"`(Foci[A-Z]\w+)`", page.read_text()))
        assert named <= known, f"{page}: {named - known}"


@every_alarm
def test_an_alarm_is_tried_both_ways(alarm: Alarm) -> None:
    stories: list[dict[str, Any]] = yaml.safe_load((TRIED / alarm.file).read_text())["tests"]
    tries = [one for story in stories for one in story["alert_rule_test"] if one["alertname"] == alarm.name]
    assert any(one["exp_alerts"] for one in tries), "it is never shown to fire"
    assert any(not one["exp_alerts"] for one in tries), "it is never shown to keep quiet"
