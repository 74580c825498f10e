"""docs/security.md names every risk of OWASP's list, and for each of them tests that exist."""

from __future__ import annotations

import ast
import re

import pytest

from tests.architecture.source import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
LINES = dict(re.findall(r"^\| API(\d+) (.*)\|$", PAGE, re.MULTILINE))
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_all_ten_risks_have_a_line_with_a_test() -> None:
    assert sorted(map(int, LINES)) == list(range(1, 11))
    assert [number for number, line in LINES.items() if "::test_" not in line] == []


@pytest.mark.parametrize(("file", "test"), sorted(set(NAMED)), ids=lambda one: one.rpartition("/")[2])
def test_each_named_test_exists(file: str, test: str) -> None:
    tree = ast.parse((ROOT / file).read_text())
    known = {one.name for one in tree.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert test in known
