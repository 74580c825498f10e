"""Dashboards: their JSON is up to date, what they ask for is exported, and every panel says what it shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from deploy.telemetry.written import FOLDER, written
from tests.telemetry.exported import exported, faults, grouped_by, spoken
from tests.telemetry.test_rules import ALARMS

BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in FOLDER.glob("*.json")
}
every_board = pytest.mark.parametrize("name", sorted(BOARDS))


def panels(name: str) -> Iterator[dict[str, Any]]:
    """All but the headings."""
    return (panel for panel in BOARDS[name]["panels"] if panel["type"] != "row")


def asked(panel: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The expressions as Prometheus would get them, with the names of their lines."""
    for target in panel["targets"]:
        expression = target["expr"].replace("$__rate_interval", "5m").replace("$namespace", ".*")
        yield expression, target.get("legendFormat", "")


def test_their_json_is_up_to_date() -> None:
    made = written()
    assert set(made) == set(BOARDS)
    stale = [name for name, text in made.items() if (FOLDER / f"{name}.json").read_text() != text]
    assert not stale, f"python -m deploy.telemetry writes {stale} anew"


def test_what_a_panel_says_of_an_alarm_is_what_the_rule_says() -> None:
    said = [
        (
            panel["title"],
            float(found[1]) / (100 if found[2] == "%" else 1),
            set(re.findall(r"foci_[a-z_]+", str(panel))),
        )
        for name in BOARDS
        for panel in panels(name)
        if (found := re.search(r"rings at ([\d.]+) (s|%)\.", panel["description"]))
    ]
    assert len(said) == 5
    assert sum("alarm rings" in panel["description"] for name in BOARDS for panel in panels(name)) == 5
    for title, value, figures in said:
        rules = [
            one
            for one in ALARMS
            if any(figure in one.expression for figure in figures - {"foci_service_info"})
        ]
        assert any(re.search(rf"> {value:g}\b", one.expression) for one in rules), title


@every_board
def test_what_a_dashboard_asks_for_is_exported(name: str) -> None:
    known, code = exported(), spoken()
    wrong = [
        f"{panel['title']}: {fault}"
        for panel in panels(name)
        for expression, _ in asked(panel)
        for fault in faults(expression, known, code)
    ]
    assert not wrong, wrong


@every_board
def test_every_panel_says_what_it_shows_and_tells_its_lines_apart_without_colour(name: str) -> None:
    titles = [panel["title"] for panel in panels(name)]
    assert len(set(titles)) == len(titles) > 5
    for panel in panels(name):
        assert panel["description"].endswith("."), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert "thresholds" not in panel["fieldConfig"]["defaults"], "a colour would say what the alarms say"
        if panel["type"] == "timeseries":
            assert panel["options"]["legend"]["displayMode"] == "table", panel["title"]
            styles = [json.dumps(one["properties"]) for one in panel["fieldConfig"]["overrides"]]
            assert len(set(styles)) == len(panel["targets"]), panel["title"]


@every_board
def test_every_line_has_a_name_made_of_labels_it_has(name: str) -> None:
    for panel in panels(name):
        for expression, line in asked(panel):
            assert line or panel["type"] == "stat", panel["title"]
            assert set(re.findall(r"\{\{(\w+)\}\}", line)) <= grouped_by(expression), panel["title"]


@every_board
def test_stacks_can_be_looked_at_one_by_one(name: str) -> None:
    for panel in panels(name):
        for target in panel["targets"]:
            chosen = re.findall(r"foci_\w+|process_\w+", target["expr"])
            assert target["expr"].count('{namespace=~"$namespace"') == len(chosen), panel["title"]
