"""`python -m services.matching serve|migrate`."""

from shared.kit.cli import run

run("matching")
