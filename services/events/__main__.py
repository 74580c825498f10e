"""`python -m services.events serve|migrate`."""

from shared.kit.cli import run

run("events")
