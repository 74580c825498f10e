"""`python -m services.notify serve|migrate`."""

from shared.kit.cli import run

run("notify")
