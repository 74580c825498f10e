"""What deploy/ gives each container: settings it starts with, secrets that are its own, and a place in the order."""

from __future__ import annotations

import importlib
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # brings no types

from deploy import secret_files
from deploy.local.home import Home
from shared.contracts.users import SERVICES
from shared.kit.principal import load_private_key, load_public_key
from tests.architecture.source import ROOT

PROCESSES = (*SERVICES, "gateway")
_ESCAPES = {"n": "\n"}


def variables_in(file: Path) -> dict[str, str]:
    """An env file as Compose reads it."""
    found = {}
    for line in file.read_text().splitlines():
        name, _, value = line.partition("=")
        assert value[0] == value[-1] == '"', f"{file.name}: {name}"
        found[name] = re.sub(r"\\(.)", lambda it: _ESCAPES.get(it[1], it[1]), value[1:-1])
    return found


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make image-secrets` makes."""
    folder = tmp_path_factory.mktemp("secrets")
    secret_files.write(folder, 4222)
    return folder


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())
    return document


def by_default(words: str) -> str:
    """What Compose reads where nobody has set anything."""
    while (inner := re.sub(r"\$\{\w+:-([^{}]*)\}", r"\1", words)) != words:
        words = inner
    return words


def env_files(service: dict[str, Any]) -> dict[str, bool]:
    """The env files of a service in their order, and whether each must be there."""
    given = service.get("env_file", [])
    files: list[dict[str, Any]] = [{"path": given}] if isinstance(given, str) else given
    return {Path(one["path"]).name: one.get("required", True) for one in files}


def settings_of(process: str, secrets: Path, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the process makes of its files and of what compose.yaml adds, with nothing set by whoever starts it."""
    given = compose["services"][process].get("environment", {})
    # A variable without a value is handed on from where Compose is started.
    defaults = {name: by_default(str(value)) for name, value in given.items() if value is not None}
    for name, value in {**variables_in(secrets / f"{process}.env"), **defaults}.items():
        monkeypatch.setenv(name, value)
    return importlib.import_module(f"services.{process}.settings").Settings()


@pytest.mark.parametrize("process", PROCESSES)
def test_every_process_has_what_it_starts_with_and_nothing_of_another(
    process: str, secrets: Path, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(process, secrets, compose, monkeypatch)
    assert settings.nats_seed is not None
    names = variables_in(secrets / f"{process}.env")
    assert all(name.startswith(f"{process.upper()}_") for name in names)
    others = [path for path in secrets.glob("*.env") if path.stem != process]
    own = settings.nats_seed.get_secret_value()
    assert others
    assert not [path.name for path in others if own in path.read_text()]


def test_the_gateway_reads_the_links_that_notify_signs(
    secrets: Path, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    notify = settings_of("notify", secrets, compose, monkeypatch)
    gateway = settings_of("gateway", secrets, compose, monkeypatch)
    assert load_private_key(notify.link_private_key.get_secret_value()).public_key() == load_public_key(
        gateway.link_public_key
    )
    assert gateway.bounce_token is not None
    assert (notify.smtp_host, notify.smtp_port, notify.smtp_tls) == ("mail", 2525, "none")
    assert (notify.mail_from, notify.mail_domain) == ("no-reply@foci.example", "foci.example")


def test_development_tokens_are_taken_only_where_somebody_asked_for_that(
    secrets: Path, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    assert settings_of("gateway", secrets, compose, monkeypatch).dev_token_public_key is None
    secret_files.write(tmp_path, 4222, development=True)
    assert "GATEWAY_DEV_TOKEN_PUBLIC_KEY" in variables_in(tmp_path / "gateway.env")
    chart = ROOT / "deploy" / "chart"
    assert not [file for file in chart.rglob("*.yaml") if "DEV_TOKEN" in file.read_text().upper()]


def test_writing_the_secrets_again_keeps_them_and_what_somebody_else_says(
    tmp_path: Path, compose: dict[str, Any]
) -> None:
    secret_files.write(tmp_path, 4222)
    for process in PROCESSES:
        assert list(env_files(compose["services"][process])) == [f"{process}.env", f"own.{process}.env"]
        (tmp_path / f"own.{process}.env").write_text(f"{process.upper()}_LOG_LEVEL=WARNING\n")
    before = {path.name: path.read_text() for path in tmp_path.glob("*.env")}
    secret_files.write(tmp_path, 4222)
    assert {path.name: path.read_text() for path in tmp_path.glob("*.env")} == before
    assert secret_files.unheard(tmp_path) == []


def test_a_setting_that_would_not_be_heard_is_named(tmp_path: Path) -> None:
    (tmp_path / "own.notify.env").write_text("NOTIFY_SMTP_USER=foci\nNOTIFY_SMTP_HOST=mail.example\n")
    (tmp_path / "own.gateway.env").write_text(
        "# GATEWAY_RATE_LIMIT=1/minute\nGATEWAY_TRUSTED_PROXIES = 192.0.2.1\n"
    )
    gateway, notify = secret_files.unheard(tmp_path)
    assert "own.gateway.env: GATEWAY_TRUSTED_PROXIES" in gateway
    assert "own.notify.env: NOTIFY_SMTP_HOST" in notify


def test_a_service_and_its_migration_are_told_the_same(compose: dict[str, Any]) -> None:
    for service in SERVICES:
        both = [env_files(compose["services"][name]) for name in (service, f"{service}-migrate")]
        assert both[0] == both[1]


def test_what_a_variable_says_stands_in_the_runbook_and_what_the_mail_server_asks_in_no_variable(
    compose: dict[str, Any],
) -> None:
    """`environment` goes before env files: whoever looks for a setting must find which of the two says it."""
    page = (ROOT / "docs" / "runbooks" / "compose.md").read_text()
    said = {name for process in PROCESSES for name in compose["services"][process]["environment"]}
    for name in said:
        if not name.startswith("OTEL_"):
            assert f"`{name}`" in page, f"own.*.env cannot say {name}: name its variable"
    assert not {"NOTIFY_SMTP_USER", "NOTIFY_SMTP_PASSWORD"} & said, "a password on somebody's command line"


def test_operators_are_told_where_the_bus_is_published(
    secrets: Path, compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway = settings_of("gateway", secrets, compose, monkeypatch)
    assert gateway.operators_nats_url == Home(secrets).state()["urls"]["nats"]
    assert not gateway.public_url, "as it was reached"
    assert settings_of("notify", secrets, compose, monkeypatch).public_url == "http://127.0.0.1:8080"


def test_compose_starts_every_service_after_what_it_needs(compose: dict[str, Any], secrets: Path) -> None:
    services = compose["services"]
    nodes = {"nats-1", "nats-2", "nats-3"}
    assert {*PROCESSES, *nodes, "postgres", "mail", "streams", "databases"} | {
        f"{service}-migrate" for service in SERVICES
    } == set(services)
    assert set(services["streams"]["depends_on"]) == nodes
    for service in SERVICES:
        assert set(services[service]["depends_on"]) == {"streams", f"{service}-migrate"}
        assert services[service]["build"]["args"]["SERVICE"] == service
    assert set(services["gateway"]["depends_on"]) == set(SERVICES)
    for name, service in services.items():
        for file, required in env_files(service).items():
            assert (secrets / file).exists() == required, f"{name}: {file}"
        assert service.get("read_only") or name == "postgres", f"{name} may write into its image"
        for config in service.get("configs", ()):
            asked = by_default(compose["configs"][config["source"]]["file"])
            assert (secrets / Path(asked).relative_to(".secrets")).exists(), f"{name}: {asked}"
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), f"{name} is reachable from other machines"


def test_the_bus_is_a_cluster_whose_nodes_know_who_they_are(compose: dict[str, Any], secrets: Path) -> None:
    for node in ("nats-1", "nats-2", "nats-3"):
        service = compose["services"][node]
        [config] = [one for one in service["configs"] if one["target"] == service["command"][-1]]
        text = (secrets / Path(by_default(compose["configs"][config["source"]]["file"])).name).read_text()
        assert f'server_name: "{node}"' in text
        assert service["volumes"] == [f"{node}:/data"], "each node's own disk"
    assert not [node for node in ("nats-2", "nats-3") if compose["services"][node]["ports"]]


def test_the_images_are_those_of_all_processes_and_their_script_is_sound() -> None:
    script = ROOT / "deploy" / "images"
    subprocess.run(["bash", "-n", str(script)], check=True)
    named = re.search(r"^services=\((.*)\)$", script.read_text(), re.MULTILINE)
    assert named is not None
    assert tuple(named[1].split()) == PROCESSES
