"""`python -m services.booking serve|migrate`."""

from shared.kit.cli import run

run("booking")
