"""`python -m services.directory serve|migrate`."""

from shared.kit.cli import run

run("directory")
