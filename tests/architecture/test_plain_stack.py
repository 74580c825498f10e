"""The plain stack is started once in a run: whoever tells a story on it is listed, so that one worker tells them all."""

from __future__ import annotations

from pathlib import Path

from tests.conftest import PLAIN

TESTS = Path(__file__).parents[1]


def test_everybody_on_the_plain_stack_is_listed() -> None:
    found = {
        file.relative_to(TESTS.parent).as_posix()
        for file in TESTS.rglob("test_*.py")
        if file != Path(__file__) and "plain_stack" in file.read_text("utf-8")
    }
    assert found == set(PLAIN)
