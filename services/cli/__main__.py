"""Entry of `foci` and of `python -m services.cli`."""

import typer

from shared.kit.loading import load

app: typer.Typer = load("services.cli.app").app

if __name__ == "__main__":
    app()
