"""Commands that are imported when they are run, so that `foci` starts with what it was asked for and no more."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand
from typer.main import get_group

from shared.kit.loading import load


class Later(TyperCommand):
    """Stands for a command, or a group of them, in a list: its name and the first lines of its help are all that is known."""

    where: ClassVar[str]
    """`module:name` of the function or the group, below `services.cli`."""

    def found(self) -> Any:
        """The command itself, as typer makes it."""
        module, _, name = self.where.partition(":")
        itself = getattr(load(f"services.cli.{module}"), name)
        alone = typer.Typer(add_completion=False)
        if isinstance(itself, typer.Typer):
            alone.add_typer(itself, name=self.name)
        else:
            alone.command(self.name)(itself)
        return get_group(alone).commands[str(self.name)]

    def make_context(self, info_name: str | None, args: Sequence[str], *others: Any, **more: Any) -> Any:
        """Whoever runs it, asks for its help or completes its words gets to the command itself through here."""
        return self.found().make_context(info_name, list(args), *others, **more)


def register(app: typer.Typer, name: str, where: str, line: str) -> None:
    """Have `app` list the command with this line, and import it when it is run."""
    app.command(name, cls=type("Later", (Later,), {"where": where}), help=line)(_never)


def _never() -> None:
    """In place of a function: a stand-in is never run itself."""
    raise AssertionError
