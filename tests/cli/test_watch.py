"""The live table: what it shows, what it asks for, and what it makes of late and repeated figures."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from rich.console import Console
from typer.testing import CliRunner

from services.cli.app import app
from services.cli.occupancy_stream import Credentials
from services.cli.watch import BAR, Figures, bar, filters, line, table
from shared.contracts.base import ALL_SPACES
from shared.contracts.booking.facts import Occupancy, OccupancyChangedV1
from shared.contracts.examples import occupancy_example

NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)


def _figures(space: str, booked: int, version: int, hub: str = "nordviken") -> Occupancy:
    free = 6 - booked
    return Occupancy(
        hub=hub, space=space, capacity=6, booked=booked, free=free, present=booked, at=NOON, version=version
    )


def _message(figures: Occupancy) -> bytes:
    envelope: OccupancyChangedV1 = occupancy_example(figures.space).model_copy(update={"data": figures})
    return envelope.model_dump_json().encode()


def test_late_and_repeated_figures_change_nothing() -> None:
    figures = Figures()
    assert figures.take(_message(_figures("flex", 3, version=2))) is not None
    assert figures.take(_message(_figures("flex", 3, version=2))) is None
    assert figures.take(_message(_figures("flex", 1, version=1))) is None
    assert [one.booked for one in figures.in_order()] == [3]


def test_the_whole_hub_stands_before_its_spaces() -> None:
    figures = Figures()
    for one in (
        _figures("flex", 0, 1),
        _figures(ALL_SPACES, 1, 1),
        _figures("desks", 1, 1),
        _figures("x", 0, 1, "aby"),
    ):
        figures.take(_message(one))
    assert [(one.hub, one.space) for one in figures.in_order()] == [
        ("aby", "x"), ("nordviken", ALL_SPACES), ("nordviken", "desks"), ("nordviken", "flex"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("booked", "capacity", "full"),
    [(0, 6, 0), (6, 6, BAR), (3, 6, BAR // 2), (1, 1000, 1), (999, 1000, BAR - 1)],
)
def test_the_bar_never_says_all_or_none_too_early(booked: int, capacity: int, full: int) -> None:
    drawn = bar(booked, capacity)
    assert len(drawn) == BAR
    assert drawn.count("█") == full


def test_a_space_without_capacity_is_closed() -> None:
    assert bar(0, 0) == "closed"


def test_the_table_says_everything_in_words_and_numbers_without_colour() -> None:
    figures = Figures()
    figures.take(_message(_figures(ALL_SPACES, 2, 1)))
    figures.take(_message(_figures("quiet-corner", 2, 1)))
    paper = io.StringIO()
    Console(file=paper, width=80, no_color=True).print(table(figures, "live"))
    shown = paper.getvalue()
    for word in (
        "nordviken",
        "quiet-corner",
        "capacity",
        "booked",
        "free",
        "present",
        " 6 ",
        " 2 ",
        " 4 ",
        "live",
    ):
        assert word in shown
    assert max(len(row) for row in shown.splitlines()) <= 80


def test_a_change_is_one_line() -> None:
    assert line(_figures(ALL_SPACES, 2, 1)) == (
        "2027-03-01T12:00:00+00:00 nordviken (whole hub): capacity 6, booked 2, free 4, present 2"
    )


def test_credentials_for_one_hub_are_asked_for_that_hub_only() -> None:
    some = Credentials(
        url="nats://x", seed="SU", inbox_prefix="_INBOX_x", subjects=("occupancy.nordviken.>",)
    )
    everything = some.model_copy(update={"subjects": ("occupancy.>",)})
    assert filters(some, ()) == ("occupancy.nordviken.>",)
    assert filters(some, ("nordviken",)) == ("occupancy.nordviken.>",)
    assert filters(everything, ("aby",)) == ("occupancy.aby.>",)
    assert filters(None, ()) == ("occupancy.>",)
    with pytest.raises(typer.Exit):
        filters(some, ("aby",))


def test_a_wrong_credentials_file_is_said_in_a_sentence(tmp_path: Path) -> None:
    wrong = tmp_path / "credentials.json"
    wrong.write_text(json.dumps({"url": "nats://x"}))
    answer = CliRunner().invoke(app, ["watch", "occupancy", "--credentials", str(wrong)])
    assert answer.exit_code == 2
    assert "operator-credentials" in answer.output
    assert "Traceback" not in answer.output
