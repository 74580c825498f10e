"""What a town lacks and what came of meetings, as open data: CSV as RFC 4180 has it, without formulas, without small numbers."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from io import StringIO

import pytest

from tests.gateway.cell import Cell

HUB = "figures"
PLACE = '=HYPERLINK("https://example.org"), Norra'
LABELS = {"sv": ('Färg, form & "uttryck"', "@svetsning"), "da": ('Farve, form & "udtryk"', "-svejsning")}
MONTHS = "('2027-02-01'), ('2027-03-01')"
TOLD = "application/json"


@pytest.fixture(scope="module", autouse=True)
def _figures(cell: Cell) -> None:
    cell.hub(HUB, name=PLACE)
    area = f"hub:{HUB}"
    said = []
    for language, labels in LABELS.items():
        for concept, label in zip(("colour", "moon-welding"), labels, strict=True):
            said += [
                f"INSERT INTO concept (id, origin, kind) VALUES ('{concept}', 'foci', 'skill') ON CONFLICT DO NOTHING",
                (
                    "INSERT INTO label (concept, language, kind, label, folded) "
                    f"VALUES ('{concept}', '{language}', 'preferred', '{label}', '{concept}') ON CONFLICT DO NOTHING"
                ),
            ]
    cell.sql(
        "matching",
        *said,
        f"DELETE FROM gap_month WHERE area = '{area}'",
        f"INSERT INTO gap_month SELECT '{area}', CAST(m AS date), now() FROM (VALUES {MONTHS}) months (m)",
        f"INSERT INTO gap_figure VALUES ('{area}', '2027-02-01', 'colour', 5, NULL), "
        f"('{area}', '2027-03-01', 'colour', 15, 5), ('{area}', '2027-03-01', 'moon-welding', NULL, 10)",
        f"INSERT INTO outcome_figure VALUES ('{area}', '2027-02-01', 'help', 5), ('{area}', '2027-03-01', 'help', 10), "
        f"('{area}', '2027-03-01', 'nothing', 5)",
    )


def table(cell: Cell, what: str, language: str = "sv") -> tuple[Sequence[str], list[list[str]]]:
    """The heading and the lines, as a spreadsheet reads them."""
    headers = {"Accept": "text/csv", "Accept-Language": language}
    answer = cell.http.get(f"/v1/hubs/{HUB}/{what}", headers=headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.text.endswith("\r\n")
    assert "Accept" in answer.headers["vary"]
    heading, *lines = csv.reader(StringIO(answer.text, newline=""), strict=True)
    return heading, lines


@pytest.mark.parametrize("language", LABELS)
def test_skills_missing_in_a_table_without_formulas_or_small_numbers(cell: Cell, language: str) -> None:
    heading, lines = table(cell, "skills-missing", language)
    assert heading == ["month", "area", "place", "concept", "label", "demand", "supply", "wanted", "missing"]
    colour, welding = LABELS[language]
    place = f"'{PLACE}"
    assert lines == [
        ["2027-02", "hub", place, "colour", colour, "5", "<5", "", ""],
        ["2027-03", "hub", place, "colour", colour, "15", "5", "0", "10"],
        ["2027-02", "hub", place, "moon-welding", f"'{welding}", "<5", "<5", "", ""],
        ["2027-03", "hub", place, "moon-welding", f"'{welding}", "<5", "10", "0", "0"],
    ]
    assert not [cell for line in (heading, *lines) for cell in line if cell[:1] in ("=", "+", "-", "@")]


def test_what_came_of_meetings_in_a_table(cell: Cell) -> None:
    heading, lines = table(cell, "outcomes")
    assert heading == ["month", "area", "place", "outcome", "people"]
    place = f"'{PLACE}"
    people = {
        "nothing": ("<5", "5"),
        "help": ("5", "10"),
        "collaboration": ("<5", "<5"),
        "company": ("<5", "<5"),
    }
    assert lines == [
        [month, "hub", place, outcome, number]
        for outcome, numbers in people.items()
        for month, number in zip(("2027-02", "2027-03"), numbers, strict=True)
    ]


@pytest.mark.parametrize("language", LABELS)
def test_the_same_figures_as_json(cell: Cell, language: str) -> None:
    headers = {"Accept-Language": language}
    told = cell.http.get(f"/v1/hubs/{HUB}/skills-missing", headers=headers).json()
    assert (told["place"], told["month"]) == (PLACE, "2027-03")
    assert [(one["label"], one["demand"], one["supply"]) for one in told["items"]] == [
        (LABELS[language][0], 15, 5), (LABELS[language][1], "<5", 10),
    ]  # fmt: skip
    came = cell.http.get(f"/v1/hubs/{HUB}/outcomes", headers=headers).json()
    assert {one["outcome"]: one["people"] for one in came["items"]} == {
        "nothing": 5, "help": 10, "collaboration": "<5", "company": "<5",
    }  # fmt: skip
