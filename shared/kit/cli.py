"""The command line every service has: `serve` and `migrate`."""

from __future__ import annotations

import argparse
from importlib import import_module


def run(service: str) -> None:
    """Parse the command and do it; settings come from the environment."""
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{service}", description=f"Foci's {service} service."
    )
    parser.add_argument(
        "command", choices=("serve", "migrate"), help="serve requests, or bring the database up to date"
    )
    command = parser.parse_args().command
    main = import_module(f"services.{service}.main")
    if command == "serve":
        main.serve()
    else:
        main.migrate()
