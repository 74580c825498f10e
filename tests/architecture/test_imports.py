"""The import contracts hold, name every service, and each sees the violation it is about."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.architecture import linter
from tests.architecture.source import CODE, ROOT

CONTRACTS: list[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"][
    "importlinter"
]["contracts"]
BY_ID = {contract["id"]: contract for contract in CONTRACTS}

Plant = tuple[str, str]
"""A module and the module it must not import; both as dotted names."""

PLANTS: dict[str, tuple[Plant, ...]] = {
    "rooms": (
        ("services.booking.rules", "services.booking.tables"),
        ("services.booking.tables", "services.booking.queries.spaces"),
        ("services.booking.queries.spaces", "services.booking.commands.holds"),
        ("services.booking.commands.holds", "services.booking.rpc"),
        ("services.booking.rpc", "services.booking.consumers"),
        ("services.booking.duties", "services.booking.rpc"),
        ("services.booking.consumers", "services.booking.main"),
        ("services.booking.rules", "services.booking.settings"),
        ("services.events.rules.counting", "services.events.tables"),
        ("services.events.tables", "services.events.queries.events"),
        ("services.events.queries.events", "services.events.commands.line"),
        ("services.events.commands.line", "services.events.rpc.sign_ups"),
        ("services.events.rpc.sign_ups", "services.events.duties.line"),
        ("services.events.consumers.venues", "services.events.rpc.events"),
        ("services.events.duties.venues", "services.events.consumers.venues"),
        ("services.events.consumers.mirrors", "services.events.main"),
        ("services.matching.rules.refusals", "services.matching.tables"),
        ("services.matching.tables", "services.matching.index"),
        ("services.matching.index", "services.matching.queries.seeing"),
        ("services.matching.queries.profiles", "services.matching.commands.profiles"),
        ("services.matching.commands.consents", "services.matching.rpc.profiles"),
        ("services.matching.consumers.leavers", "services.matching.duties.erasing"),
        ("services.matching.duties.erasing", "services.matching.main"),
        ("services.notify.rules.differences", "services.notify.tables"),
        ("services.notify.tables", "services.notify.channels.smtp"),
        ("services.notify.channels.smtp", "services.notify.queries.states"),
        ("services.notify.queries.states", "services.notify.commands.noticing"),
        ("services.notify.commands.noticing", "services.notify.senders.people"),
        ("services.notify.senders.people", "services.notify.duties.housekeeping"),
        ("services.notify.consumers.mirrors", "services.notify.senders.people"),
        ("services.notify.rpc.notices", "services.notify.senders.people"),
        ("services.directory.rules", "services.directory.tables"),
        ("services.directory.tables", "services.directory.queries"),
        ("services.directory.queries", "services.directory.commands"),
        ("services.directory.commands", "services.directory.rpc"),
        ("services.directory.rpc", "services.directory.main"),
    ),
    "gateway-rooms": (
        ("services.gateway.responses", "services.gateway.auth"),
        ("services.gateway.auth", "services.gateway.client"),
        ("services.gateway.client", "services.gateway.door"),
        ("services.gateway.door", "services.gateway.routes.hubs"),
        ("services.gateway.routes.me", "services.gateway.main"),
    ),
    "services-apart": (
        ("services.booking.queries.spaces", "services.directory.tables"),
        ("services.directory.rules", "services.booking.rules"),
        ("services.gateway.client", "services.booking.rules"),
        ("services.events.commands.venues", "services.booking.tables"),
        ("services.booking.commands.holds", "services.events.tables"),
        ("services.matching.queries.seeing", "services.directory.tables"),
        ("services.booking.rules", "services.matching.rules.refusals"),
        ("services.notify.senders.people", "services.directory.queries"),
        ("services.cli.token", "services.gateway.auth"),
    ),
    "floors": (
        ("shared.kit.timers", "services.booking.rules"),
        ("shared.contracts.base", "services.cli.cell"),
    ),
    "shared-floors": (("shared.contracts.base", "shared.kit.errors"),),
    "deploy-outside": (
        ("services.booking.settings", "deploy.local.home"),
        ("services.directory.settings", "deploy.local.home"),
        ("services.events.settings", "deploy.local.home"),
        ("services.matching.settings", "deploy.local.home"),
        ("services.notify.settings", "deploy.local.home"),
        ("services.gateway.settings", "deploy.nats.keys"),
        ("shared.kit.settings", "deploy.nats.config"),
    ),
    "deploy-from-contracts": (("deploy.local.stack", "services.booking.settings"),),
    "pure-contracts": tuple(
        ("shared.contracts.base", library)
        for library in ("sqlalchemy", "nats", "faststream", "fastapi", "orjson", "httpx2")
    ),
    "pure-rules": (
        ("services.booking.rules", "sqlalchemy"),
        ("services.booking.rules", "shared.kit.outbox"),
        ("services.events.rules.recurrence", "sqlalchemy"),
        ("services.events.rules.ics", "shared.kit.rpc"),
        ("services.matching.rules.refusals", "sqlalchemy"),
        ("services.notify.rules.differences", "sqlalchemy"),
        ("services.notify.rules.moments", "aiosmtplib"),
        ("services.directory.rules", "nats"),
        ("services.directory.rules", "shared.kit.database"),
    ),
    "one-http-door": (
        ("services.booking.rpc", "fastapi"),
        ("services.directory.rpc", "fastapi"),
        ("services.events.rpc.calendars", "fastapi"),
        ("services.matching.rpc.profiles", "fastapi"),
        ("services.notify.rpc.notices", "fastapi"),
        ("services.cli.cell", "fastapi"),
        ("shared.kit.health", "fastapi"),
        ("deploy.local.probes", "fastapi"),
    ),
    "stateless-gateway": (
        ("services.gateway.client", "sqlalchemy"),
        ("services.gateway.routes.hubs", "shared.kit.outbox"),
        ("services.gateway.main", "faststream"),
    ),
    "no-http-between-services": (
        ("services.booking.commands.holds", "httpx2"),
        ("services.directory.commands", "httpx2"),
        ("services.events.commands.venues", "httpx2"),
        ("services.matching.queries.profiles", "httpx2"),
        ("services.notify.senders.people", "httpx2"),
        ("services.notify.channels.smtp", "httpx2"),
        ("shared.kit.rpc", "httpx2"),
    ),
    "one-way-out-for-mail": (
        ("services.notify.senders.people", "aiosmtplib"),
        ("services.notify.channels.http", "aiosmtplib"),
        ("services.events.commands.line", "smtplib"),
        ("deploy.local.stack", "aiosmtplib"),
    ),
    "arrays-in-matching": (
        ("services.booking.rules", "numpy"),
        ("services.directory.rules", "numpy"),
        ("services.events.rules.counting", "numpy"),
        ("services.notify.rules.moments", "numpy"),
        ("services.gateway.client", "numpy"),
        ("services.cli.cell", "numpy"),
        ("shared.kit.translations", "numpy"),
        ("deploy.local.stack", "numpy"),
    ),
}
NEW_ROOMS = {
    "rooms": ("services/booking/helpers.py", "services/directory/utils.py", "services/events/common.py"),
    "gateway-rooms": ("services/gateway/common.py",),
    "shared-floors": ("shared/core.py",),
}
"""Files in places that the design does not know; an exhaustive contract refuses them."""


def _file(root: Path, module: str) -> Path:
    place = root.joinpath(*module.split("."))
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


@dataclass(frozen=True)
class Copy:
    """A copy of the code to plant violations in, and the linter that looks at it."""

    root: Path
    linter: subprocess.Popen[str]

    @contextmanager
    def planted(self, file: Path, text: str) -> Iterator[None]:
        """Add it to the file, or make the file of it; taken out again afterwards."""
        before = file.read_text() if file.exists() else None
        file.write_text((before or "") + text)
        try:
            yield
        finally:
            if before is None:
                file.unlink()
            else:
                file.write_text(before)

    def lint(self, contract: str) -> tuple[int, str]:
        """The linter's exit code, and what it says."""
        assert self.linter.stdin
        assert self.linter.stdout
        self.linter.stdin.write(json.dumps([contract]) + "\n")
        self.linter.stdin.flush()
        code, said = json.loads(self.linter.stdout.readline())
        return code, said


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    """The one all planted violations are planted in, one after the other."""
    root = tmp_path_factory.mktemp("copy")
    for top in CODE:
        shutil.copytree(ROOT / top, root / top, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    with subprocess.Popen(
        [sys.executable, linter.__file__],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root), "COLUMNS": "300"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield Copy(root, process)
        assert process.stdin
        process.stdin.close()


def test_the_contracts_hold() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as c; c()", "--no-cache"],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "300"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" KEPT") == len(CONTRACTS)


@pytest.mark.parametrize("contract", BY_ID)
def test_planted_imports_turn_the_contract_red(copy: Copy, contract: str) -> None:
    """All of a contract's at once: it must name each of them."""
    with ExitStack() as plants:
        for module, imported in PLANTS[contract]:
            file = _file(copy.root, module)
            plants.enter_context(copy.planted(file, f"\nimport {imported}  # planted\n"))
        code, said = copy.lint(contract)
    assert code == 1, said
    assert "BROKEN" in said
    for module, imported in PLANTS[contract]:
        named = f"{module} -> {imported}"
        assert named in said, f"{contract} did not see {named}:\n{said}"


@pytest.mark.parametrize(
    ("contract", "path"), [(one, path) for one, paths in NEW_ROOMS.items() for path in paths]
)
def test_a_new_room_needs_a_place_in_the_order(copy: Copy, contract: str, path: str) -> None:
    with copy.planted(copy.root / path, '"""A room nobody has thought about."""\n'):
        code, said = copy.lint(contract)
    assert code == 1, said
    assert path.removesuffix(".py").replace("/", ".") in said


def test_every_contract_has_planted_violations() -> None:
    assert PLANTS.keys() == BY_ID.keys()


def _services() -> set[str]:
    return {f"services.{file.parent.name}" for file in (ROOT / "services").glob("*/__init__.py")}


def _with_data() -> set[str]:
    return {f"services.{file.parent.name}" for file in (ROOT / "services").glob("*/tables.py")}


def test_every_service_is_named_in_the_contracts_that_are_about_it() -> None:
    """A service that is in no list is bound by nothing, and import-linter does not say so."""
    assert set(BY_ID["rooms"]["containers"]) == _with_data()
    assert set(BY_ID["services-apart"]["modules"]) == _services()
    assert set(BY_ID["pure-rules"]["source_modules"]) == {f"{one}.rules" for one in _with_data()}
    assert set(BY_ID["deploy-outside"]["source_modules"]) == _services() - {"services.cli"} | {"shared"}
    assert set(BY_ID["one-http-door"]["source_modules"]) == _services() - {"services.gateway"} | {
        "shared",
        "deploy",
    }
    assert set(BY_ID["no-http-between-services"]["source_modules"]) == _with_data() | {"shared"}


def test_every_service_with_data_has_its_rooms_and_a_page_about_itself() -> None:
    for service in _with_data():
        folder = ROOT / service.replace(".", "/")
        for room in (
            "__main__",
            "main",
            "settings",
            "rpc",
            "commands",
            "queries",
            "tables",
            "rules",
            "migrations",
        ):
            assert (folder / room).is_dir() or (folder / f"{room}.py").exists(), f"{service} has no {room}"
        assert (folder / "README.md").exists(), f"{service} does not say what it owns, states and listens to"
