"""docs/problems.md explains every problem code there is, and no other."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from shared.kit.errors import FociError
from shared.kit.problems import of_error, of_status

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "problems.md").read_text()
EVERY_STATUS = range(400, 600)


def _modules() -> Iterator[tuple[str, Path]]:
    for file in sorted([*(ROOT / "services").rglob("*.py"), *(ROOT / "shared").rglob("*.py")]):
        name = file.relative_to(ROOT).with_suffix("").as_posix().replace("/", ".")
        if "migrations" not in name and not name.endswith("__main__"):
            yield name.removesuffix(".__init__"), file


def _classes(kind: type[FociError]) -> Iterator[type[FociError]]:
    yield kind
    for one in kind.__subclasses__():
        if one.__module__.startswith(("services.", "shared.")):
            yield from _classes(one)


def _given_at_the_call() -> Iterator[str]:
    """Codes of classes whose code is their first argument."""
    for _, file in _modules():
        text = file.read_text()
        for node in ast.walk(ast.parse(text)) if "AgainstTheRules" in text else ():
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "AgainstTheRules"
            ):
                code = node.args[0]
                assert isinstance(code, ast.Constant), f"{file}:{node.lineno}: a code must be written out"
                yield str(code.value)


@cache
def _codes() -> frozenset[str]:
    for name, _ in _modules():
        importlib.import_module(name)
    named = {one.code for one in _classes(FociError) if one.__name__ != "AgainstTheRules"}
    framework = {str(of_status(status)["code"]) for status in EVERY_STATUS}
    return frozenset({*named, *framework, *_given_at_the_call(), str(of_error(RuntimeError())["code"])})


def test_every_code_is_explained_and_no_other() -> None:
    explained = re.findall(r"^### ([a-z-]+)$", PAGE, re.MULTILINE)
    assert len(set(explained)) == len(explained)
    assert set(explained) == _codes(), "docs/problems.md: one `### code` for each code, with what to do"


def test_every_explanation_says_something() -> None:
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        code, _, text = section.partition("\n")
        assert len(text.split("\n## ")[0].split()) >= 8, f"{code} is not explained"


def test_statuses_of_errors_stand_in_the_page() -> None:
    _codes()
    for one in _classes(FociError):
        section = PAGE.partition(f"### {one.code}\n\n")[2]
        if one.__name__ not in ("FociError", "RemoteProblem", "AgainstTheRules"):
            assert section.startswith(f"{one.status}."), f"{one.code} is a {one.status}"


def test_codes_are_words_with_hyphens() -> None:
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", code) for code in _codes())
