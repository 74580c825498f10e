"""Reading the source tree for the house rules: files, syntax trees, what a call is called."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ("services", "shared", "deploy")
_NOT_OURS = {"__pycache__", "node_modules", ".venv"}


@dataclass(frozen=True)
class Source:
    """One Python file; `path` is relative to the root, with slashes."""

    path: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Everything in it, breadth first."""
        found: list[ast.AST] = [self.tree]
        for (
            node
        ) in found:  # which grows; `ast.walk` takes twice as long, and a third of what it yields is `Load()`
            for name in node._fields:
                inner = getattr(node, name, None)
                if isinstance(inner, list):
                    found.extend(one for one in inner if isinstance(one, ast.AST))
                elif isinstance(inner, ast.AST) and name != "ctx":
                    found.append(inner)
        return tuple(found)

    @cached_property
    def lines(self) -> list[str]:
        """The lines, the first one at index 0."""
        return self.text.splitlines()

    @cached_property
    def calls(self) -> tuple[tuple[ast.Call, str], ...]:
        """Every call with the dotted name of what is called, as far as it is one."""
        return tuple((node, dotted(node.func)) for node in self.nodes if isinstance(node, ast.Call))

    @cached_property
    def imported(self) -> dict[str, str]:
        """What each imported name stands for."""
        found = {}
        for node in self.nodes:
            if isinstance(node, ast.ImportFrom):
                for name in node.names:
                    found[name.asname or name.name] = f"{node.module}.{name.name}"
            elif isinstance(node, ast.Import):
                for name in node.names:
                    found[name.asname or name.name.split(".")[0]] = name.name
        return found


Fault = tuple[int, str]
"""Line and what is wrong there."""


@dataclass(frozen=True)
class Rule:
    """A house rule: what it says, where it holds, how it is checked, and what must turn it red.

    `planted` are pieces of code, each with the file it is appended to in a temporary copy (made when there is none).
    """

    name: str
    says: str
    where: Callable[[str], bool]
    check: Callable[[Source], Iterable[Fault]]
    planted: tuple[tuple[str, str], ...]

    def faults(self, *checked: Source) -> list[str]:
        """Every violation in these files, as `file:line: what`."""
        return [
            f"{source.path}:{line}: {what}"
            for source in checked
            if self.where(source.path)
            for line, what in self.check(source)
        ]


def dotted(node: ast.expr) -> str:
    """`a.b.c` for an attribute or name; a call or subscript in between is written `()`."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return "()"


@cache
def sources() -> tuple[Source, ...]:
    """All our Python files."""
    return tuple(
        read(ROOT, file.relative_to(ROOT).as_posix())
        for top in (*CODE, "tests")
        for file in sorted((ROOT / top).rglob("*.py"))
        if not _NOT_OURS & set(file.parts)
    )


def read(root: Path, path: str) -> Source:
    """One of them, or of a copy; empty when there is none."""
    file = root / path
    return Source(path, file.read_text() if file.exists() else "")


def below(*tops: str, but: Iterable[str] = ()) -> Callable[[str], bool]:
    """True for files below these folders, except `but` (files, or folders ending in a slash)."""
    exceptions = tuple(but)

    def holds(path: str) -> bool:
        excepted = any(path == one or (one.endswith("/") and path.startswith(one)) for one in exceptions)
        return path.startswith(tuple(f"{top}/" for top in tops)) and not excepted

    return holds
