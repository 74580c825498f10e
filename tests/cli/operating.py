"""Running `foci` as the operator of a cell that a test has started."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy.local.home import write_private
from services.cli.app import app
from shared.contracts.users import ADMIN
from tests.servers import NatsAccount


def at_home(folder: Path, account: NatsAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    """FOCI_HOME as `foci up` leaves it, with the way to this account's NATS."""
    monkeypatch.setenv("FOCI_HOME", str(folder))
    seed = account.seeds.get(ADMIN)
    if seed is None:  # a given server: the URL names the user
        monkeypatch.setenv("FOCI_NATS_URL", account.url)
        return
    monkeypatch.delenv("FOCI_NATS_URL", raising=False)
    write_private(folder / "secrets" / f"{ADMIN}.seed", seed)
    write_private(folder / "run" / "state.json", json.dumps({"urls": {"nats": account.url}}))


def foci(*words: str) -> Result:
    """What the command said, and its exit code."""
    return CliRunner().invoke(app, list(words))
