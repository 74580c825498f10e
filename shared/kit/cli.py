"""The command line every service has: `serve` and `migrate`."""

from __future__ import annotations

import argparse
import sys

from shared.kit.failures import last_words
from shared.kit.loading import load
from shared.kit.settings import from_environment


def run(service: str) -> None:
    """Parse the command and do it; settings come from the environment."""
    sys.excepthook = last_words  # a migration meets everybody's rows
    parser = argparse.ArgumentParser(
        prog=f"python -m services.{service}", description=f"Foci's {service} service."
    )
    parser.add_argument(
        "command", choices=("serve", "migrate"), help="serve requests, or bring the database up to date"
    )
    command = parser.parse_args().command
    # First of all: whoever is told wrongly says so at once, without what the service is made of.
    settings = from_environment(load(f"services.{service}.settings").Settings)
    if command == "serve":
        load(f"services.{service}.main").serve()
    else:
        # Not by way of main: a migration needs nothing of what the service is made of.
        load("shared.kit.migrate").migrate(service, settings.database_url.get_secret_value())
