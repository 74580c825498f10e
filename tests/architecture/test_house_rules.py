"""The house rules hold, and each of them sees the violation it is about."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.architecture.checks import LONG_WITH_REASON, functions_over
from tests.architecture.house_rules import BUILDERS, HOT_PATH, LINE, READS_CLOCK, READS_ENVIRONMENT, RULES
from tests.architecture.source import CODE, ROOT, Rule, read, sources

PLANTS = [(rule, path, code) for rule in RULES for path, code in rule.planted]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_rule_holds(rule: Rule) -> None:
    faults = rule.faults(*sources())
    assert not faults, f"{rule.says}\n" + "\n".join(faults)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree to plant violations in."""
    root = tmp_path_factory.mktemp("copy")
    for top in (*CODE, "tests"):
        shutil.copytree(ROOT / top, root / top, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
    return root


@contextmanager
def _planted(root: Path, path: str, code: str) -> Iterator[int]:
    """The code appended to the file; the line it begins at. Taken out again afterwards."""
    file = root / path
    before = file.read_text() if file.exists() else None
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"{before}\n{code}\n" if before else code)
    try:
        yield len(before.splitlines()) + 1 if before else 1
    finally:
        if before is None:
            file.unlink()
        else:
            file.write_text(before)


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    PLANTS,
    ids=[f"{rule.name}-{number}" for number, (rule, _, _) in enumerate(PLANTS)],
)
def test_a_planted_violation_turns_the_rule_red(copy: Path, rule: Rule, path: str, code: str) -> None:
    before = rule.faults(read(copy, path))
    with _planted(copy, path, code) as first_line:
        new = [fault for fault in rule.faults(read(copy, path)) if fault not in before]
    assert new, f"{rule.name} did not see {code!r} in {path}"
    lines = [int(fault.split(":")[1]) for fault in new]
    assert all(line >= first_line or line == 1 for line in lines)


def test_every_rule_has_a_planted_violation_and_a_name_of_its_own() -> None:
    assert all(rule.planted for rule in RULES)
    assert len({rule.name for rule in RULES}) == len(RULES)


def test_every_exception_names_something_that_exists_and_gives_a_reason() -> None:
    for table in (BUILDERS, READS_CLOCK, READS_ENVIRONMENT):
        for path, reason in table.items():
            assert (ROOT / path).exists(), path
            assert reason
    assert (ROOT / HOT_PATH).exists()
    assert (ROOT / LINE).exists()
    functions = {f"{source.path}:{name}" for source in sources() for _, name, _ in functions_over(source, 0)}
    assert LONG_WITH_REASON.keys() <= functions


# Written with a gap (`~`), so that this file does not find itself.
FOREIGN = {
    what: re.compile(pattern.replace("~", ""))
    for what, pattern in {
        "a path of somebody's machine": r"(?<![\w.])/~(work|root|home/\w+)/",
        "a folder beside the repository": r"(?<![./\w])\.\./~shared\b",
        "a package index": r"https?://~(pypi\.org|files\.pythonhosted|test\.pypi|registry\.npmjs)|--(extra-)?index~-url",
        "a mark of unfinished work": r"\b(TO~DO|FIX~ME|XX~X)\b",
    }.items()
}
TEXT = {
    ".py",
    ".md",
    ".toml",
    ".txt",
    ".in",
    ".yaml",
    ".yml",
    ".sh",
    ".json",
    ".conf",
    ".cfg",
    ".ini",
    ".mjs",
    ".js",
    "",
}


def _texts(root: Path) -> Iterator[tuple[str, str]]:
    # In a worktree `.git` is a file that names the place of the repository.
    own = [file for file in root.iterdir() if file.is_file() and file.suffix in TEXT and file.name != ".git"]
    for top in (*CODE, "docs", "tests", "requirements", ".ci"):
        own += [file for file in (root / top).rglob("*") if file.is_file()]
    for file in sorted(own):
        private = {"__pycache__", "node_modules", ".secrets"} & set(file.parts)
        if file.suffix in TEXT and not private and file.name != "package-lock.json":
            yield file.relative_to(root).as_posix(), file.read_text(errors="replace")


def _foreign(root: Path) -> list[str]:
    return [
        f"{path}:{number}: {what}: {line.strip()[:100]}"
        for path, text in _texts(root)
        for what, pattern in FOREIGN.items()
        if pattern.search(text)
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


def test_the_project_stands_alone() -> None:
    """Nothing names a folder, an index or a task list of those who happen to build it."""
    assert not _foreign(ROOT), "\n".join(_foreign(ROOT))


@pytest.mark.parametrize(
    "line",
    ["see /~work/main/x", "read ../~shared/PLAN.md", "cd /~root/x", "--extra-index~-url x", "# TO~DO later"],
)
def test_a_planted_foreign_word_is_found(tmp_path: Path, line: str) -> None:
    with _planted(tmp_path, "docs/planted.md", line.replace("~", "")):
        assert [fault for fault in _foreign(tmp_path) if fault.startswith("docs/planted.md:1: ")]
