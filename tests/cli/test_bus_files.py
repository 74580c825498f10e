"""The bus's files are written again and again, for each release: what was said stays said, whom was let in stays in."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from deploy import secret_files
from deploy.cluster_secrets import objects
from deploy.local.home import Home
from deploy.nats.keys import public_key
from services.cli.app import app

NODES = ("--node", "nats-0=a.example", "--node", "nats-1=b.example", "--node", "nats-2=c.example:4333")


def foci(*words: str | Path) -> Result:
    """Run a command as whoever keeps the bus does."""
    return CliRunner().invoke(app, [str(word) for word in words])


def written(folder: Path) -> dict[str, str]:
    """All that is in a folder, by path."""
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def accounts(folder: Path) -> str:
    return (folder / "accounts.json").read_text()


def test_the_command_remembers_what_it_was_told(tmp_path: Path) -> None:
    said = (*NODES, "--cell", "north", "--tls", "/tls", "--route-tls", "/routes", "--store", "/disk/{node}")
    assert foci("nats-config", tmp_path, *said, "--operator", "region=ystad").exit_code == 0
    before = written(tmp_path)
    assert '"/disk/nats-1"' in before["nats-1.conf"]
    assert foci("nats-config", tmp_path).exit_code == 0
    assert written(tmp_path) == before

    moved = foci("nats-config", tmp_path, *NODES[:4], "--node", "nats-3=d.example")
    assert moved.exit_code == 0
    after = written(tmp_path)
    assert after["accounts.json"] == before["accounts.json"]
    assert "d.example" in after["secrets/routes.conf"]
    assert "c.example" not in after["secrets/routes.conf"]
    assert '"/tls/tls.crt"' in after["nats-3.conf"]
    assert '"/routes/ca.crt"' in after["nats-3.conf"]

    assert foci("nats-config", tmp_path, "--tls", "").exit_code == 0
    assert '"/tls/tls.crt"' not in (tmp_path / "nats-3.conf").read_text()
    assert '"/routes/ca.crt"' in (tmp_path / "nats-3.conf").read_text()


def test_what_cannot_be_is_said_and_nothing_is_written(tmp_path: Path) -> None:
    for said, because in (
        ((), "say each node"),
        (("--node", "a=x", "--node", "a=y"), "one name"),
        ((*NODES, "--store", ""), "--store"),
        ((*NODES, "--cell", "Not a slug"), "slug"),
        ((*NODES, "--operator", "Not a slug"), "slug"),
    ):
        refused = foci("nats-config", tmp_path / "out", *said)
        assert refused.exit_code == 2
        assert because in refused.output
        assert not (tmp_path / "out").exists()


def test_a_key_of_an_operator_who_is_not_known_any_more_is_noticed(tmp_path: Path) -> None:
    """As a folder of a release that did not remember them."""
    foci("nats-config", tmp_path, *NODES, "--operator", "region")
    key = public_key((tmp_path / "secrets" / "operator_region.seed").read_text())
    Home(tmp_path).operators.unlink()
    assert "--operator region" in foci("nats-config", tmp_path).output
    assert "--operator region" not in foci("nats-config", tmp_path, "--operator", "region").output
    assert key in accounts(tmp_path), "the operator's own system goes on with the key it has"


@pytest.fixture(params=["nats-config", "containers", "cluster"])
def rewritten(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose bus's files are written by one of the three ways: `again` writes them."""
    folder = tmp_path / "keys"
    monkeypatch.setenv("FOCI_HOME", str(folder))

    def again() -> None:
        if request.param == "nats-config":
            assert foci("nats-config", folder, *(() if folder.exists() else NODES)).exit_code == 0
        elif request.param == "containers":
            secret_files.write(folder)
        else:
            Home(folder).make()
            objects(Home(folder), cell="north")

    request.node.again = again
    again()
    return folder


def test_operators_stay_with_every_release(rewritten: Path, request: pytest.FixtureRequest) -> None:
    made = foci("operator-credentials", "--name", "region", "--hub", "ystad", "--url", "tls://bus.example")
    assert made.exit_code == 0, made.output
    assert "written again" in made.output
    file = rewritten / "secrets" / "operator-region.json"
    credentials = json.loads(file.read_text())
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (credentials["url"], credentials["subjects"]) == ("tls://bus.example", ["occupancy.ystad.>"])
    key = public_key(credentials["seed"])
    assert credentials["seed"] not in Home(rewritten).operators.read_text()
    mounted = (rewritten / "accounts.json").stat().st_ino
    for _ in range(2):
        request.node.again()
        assert key in accounts(rewritten)
        assert (rewritten / "accounts.json").stat().st_ino == mounted, (
            "a container would go on with the old one"
        )
        assert "occupancy.ystad.>" in accounts(rewritten)

    assert foci("operator-credentials", "--name", "region", "--url", "tls://bus.example").exit_code == 0
    request.node.again()
    assert key not in accounts(rewritten), "the same name again replaces the key"

    assert foci("operator-credentials", "--name", "region", "--revoke").exit_code == 0
    request.node.again()
    assert "_INBOX_operator_region" not in accounts(rewritten)
    assert foci("operator-credentials", "--name", "region", "--revoke").exit_code == 1


def test_an_operator_of_nowhere_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOCI_HOME", str(tmp_path))
    refused = foci("operator-credentials", "--url", "nats://bus.example")
    assert refused.exit_code == 1
    assert "FOCI_HOME" in refused.output
    assert not (tmp_path / "secrets").exists()


def test_where_the_bus_is_published_is_remembered(tmp_path: Path) -> None:
    for port, told in ((None, 4222), (4333, 4333), (None, 4333)):
        secret_files.write(tmp_path, port)
        assert Home(tmp_path).state()["urls"]["nats"] == f"nats://127.0.0.1:{told}"
