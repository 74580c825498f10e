"""The bench cannot rot unseen: its frozen floor is still the hot path's statement, its generators build and speak HTTP."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from services.booking.commands.attempts import STATEMENTS
from tests.bench import document, openloop
from tests.bench.floor import SCRIPT, definitions
from tests.bench.plan import PLACES, SLOTS, STRIDE, Plan, first_day, key
from tests.bench.report import Goal, Report, Section
from tests.bench.scaling import reservation
from tests.bench.sign_ups import SCRIPT as SIGN_UPS_SCRIPT
from tests.bench.sign_ups import SignUpPlan

NOW = datetime(2027, 3, 1, 12, tzinfo=UTC)
PLAN = Plan(("a", "b", "c"), (("t1", "t2"), ("t3", "t4"), ("t5", "t6")), first_day(NOW))


def _frozen() -> str:
    lines = SCRIPT.read_text().splitlines()
    return "\n".join(line for line in lines if not line.startswith(("--", "\\"))).rstrip("; \n")


def _split(values: str) -> list[str]:
    """The expressions of a SELECT list; commas within parentheses belong to one."""
    depth, found = 0, [""]
    for letter in values:
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            found.append("")
        else:
            found[-1] += letter
    return found


def _writes(statement: str) -> Iterator[tuple[str, list[str], int]]:
    """Every table written, in order: its columns, and how many values they are given."""
    pattern = r"INSERT INTO (\w+) \(([^)]*)\)\s*SELECT (.*?)\s+FROM (?:place|booked)\b"
    for table, columns, values in re.findall(pattern, statement, re.DOTALL):
        yield table, [column.strip() for column in columns.split(",")], len(_split(values))


def _skeleton(statement: str) -> str:
    """The statement without the values."""
    without = re.sub(
        r"\)\s*SELECT (.*?)\s+FROM (place|booked)\b", r") SELECT … FROM \2", statement, flags=re.DOTALL
    )
    without = re.sub(r"WHERE hub \|\| .*? AND version = \S+", "WHERE …", without, flags=re.DOTALL)
    return " ".join(without.split())


def test_the_frozen_floor_has_the_shape_of_the_hot_path() -> None:
    hot, frozen = STATEMENTS[False, True], _frozen()
    assert list(_writes(frozen)) == list(_writes(hot))
    assert [table for table, _, _ in _writes(hot)] == ["booking", "outbox", "idempotency_key"]
    assert _skeleton(frozen) == _skeleton(hot)
    parameters = {int(number) for number in re.findall(r"\$(\d+)", hot)}
    assert parameters == set(range(1, len(reservation(0, 10, NOW)) + 1))


def test_the_floors_text_values_are_all_defined_and_used() -> None:
    used = set(
        re.findall(
            r"(?<!:):([a-z]\w*)",
            "\n".join(line for line in SCRIPT.read_text().splitlines() if line[:2] != "--"),
        )
    )
    assigned = set(re.findall(r"^\\set (\w+)", SCRIPT.read_text(), re.MULTILINE))
    given = {"first", "clients", "client_id", "hubs", "day"}
    assert used - assigned - given == set(definitions())


def test_no_two_bookings_of_the_plan_want_the_same_place_and_time() -> None:
    wishes = {(one["hub"], one["body"]) for one in map(_parsed, range(len(PLAN.hubs) * PLACES * 50))}
    assert len(wishes) == len(PLAN.hubs) * PLACES * 50
    assert len({round_ * STRIDE % SLOTS for round_ in range(SLOTS)}) == SLOTS


def _parsed(number: int) -> dict[str, str]:
    head, _, body = PLAN.request(number).decode().partition("\r\n\r\n")
    assert f"Content-Length: {len(body)}" in head
    assert key(number) in head
    return {"hub": head.split("/")[3], "body": body}


def test_the_open_loop_generator_builds(tmp_path: Path) -> None:
    program = openloop.build(tmp_path)
    said = subprocess.run([program], capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert "openloop PORT RATE CONNECTIONS REQUESTS RECORD" in said.stderr


def test_the_lua_script_takes_from_the_plan_what_the_plan_gives() -> None:
    lines = Path(openloop.__file__).with_name("gateway.lua").read_text().splitlines()
    code = "\n".join(line.partition("--")[0] for line in lines)
    given = set(re.findall(r"[{,](\w+)=", PLAN.as_lua()))
    assert set(re.findall(r"\bplan\.(\w+)", code)) == given
    assert 'string.format("bench-%030d", n)' in code
    assert key(7) == f"bench-{7:030d}"


SIGN_UPS = SignUpPlan(
    ("a", "b"),
    7,
    (tuple(f"a{n}" for n in range(20)), tuple(f"b{n}" for n in range(7))),
    (tuple(f"x{n}" for n in range(5)), tuple(f"y{n}" for n in range(5))),
    ("busy-1", "busy-2"),
    "rush",
)


def test_nobody_of_the_plan_signs_up_twice_for_an_event() -> None:
    spread = {SIGN_UPS.meant(number, one=False) for number in range(2 * 7 * 5)}
    assert len(spread) == 2 * 7 * 5
    assert len({SIGN_UPS.meant(number, one=True) for number in range(2 * 20)}) == 2 * 20
    assert b"POST /v1/hubs/a/events/rush/sign-ups " in SIGN_UPS.rushing(3)


def test_the_lua_script_of_sign_ups_takes_from_its_plan_what_that_gives() -> None:
    code = "\n".join(line.partition("--")[0] for line in SIGN_UPS_SCRIPT.read_text().splitlines())
    given = set(re.findall(r"[{,](\w+)=", SIGN_UPS.as_lua()))
    assert set(re.findall(r"\bplan\.(\w+)", code)) == given


def test_a_section_measured_again_takes_the_place_of_its_older_self_and_the_rest_stays(
    tmp_path: Path,
) -> None:
    machine = {"Commit": "abc"}
    common: Any = {"machine": machine, "load_before": "1", "load_after": "2", "sampled": "5%", "quick": False}
    order = ("throughput", "delivery")
    files = {"document": tmp_path / "b.md", "file": tmp_path / "b.json"}
    goal = Goal("p99", "≤ 25 ms", "30 ms", reached=False)
    old = [
        Section("throughput", "Bookings", "slow"),
        Section("delivery", "Commit to subscriber", "late", (goal,)),
    ]
    document.write(Report(day=date(2027, 3, 1), sections=old, **common), order, **files)
    new = [Section("delivery", "Commit to subscriber", "soon", (replace(goal, found="20 ms", reached=True),))]
    document.write(Report(day=date(2027, 3, 2), sections=new, **common), order, **files)
    first, second = document.kept(files["file"])
    assert (first.text, first.measured[:10]) == ("slow", "2027-03-01")
    assert (second.text, second.measured[:10], second.goals[0].found) == ("soon", "2027-03-02", "20 ms")
    shown = files["document"].read_text("utf-8")
    assert shown.index("## Bookings") < shown.index("## Commit to subscriber")
    assert "late" not in shown
