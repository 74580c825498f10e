"""`foci notify preview` against the real answer on a real bus."""

from __future__ import annotations

import asyncio
import email
import json
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner, Result

from deploy.local.home import write_private
from services.cli.app import app
from services.notify.rpc import previews
from services.notify.rules.languages import LANGUAGES
from services.notify.rules.samples import shown
from services.notify.settings import Settings
from shared.contracts.notify.words import NoticeKind
from shared.contracts.users import ADMIN
from shared.kit.ids import new_id, utc_now
from shared.kit.principal import Verifier
from shared.kit.rpc import Server
from tests.kit.hubs import opened
from tests.servers import NatsAccount


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    """The service's log would go to the standard output that a command's answer is read from."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def home(nats_account: NatsAccount, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """FOCI_HOME as `foci up` leaves it; nobody answers on its bus yet."""
    monkeypatch.setenv("FOCI_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")
    seed = nats_account.seeds.get(ADMIN)
    if seed is None:  # a given server: the URL names the user
        monkeypatch.setenv("FOCI_NATS_URL", nats_account.url)
        return tmp_path
    monkeypatch.delenv("FOCI_NATS_URL", raising=False)
    write_private(tmp_path / "secrets" / f"{ADMIN}.seed", seed)
    write_private(tmp_path / "run" / "state.json", json.dumps({"urls": {"nats": nats_account.url}}))
    return tmp_path


@pytest_asyncio.fixture
async def notify(
    database: Callable[[str], str], nats_account: NatsAccount, home: Path
) -> AsyncIterator[None]:
    """Notify, as far as it shows what it writes."""
    keys = Settings.model_construct()
    async with opened(database("notify")) as ours:
        verifier = Verifier(Ed25519PrivateKey.generate().public_key(), "local")
        server = Server(ours, service="notify", cell="local", verifier=verifier, clock=utc_now, concurrency=4)
        server.answers(previews.handlers(keys, new_id))
        nc = await nats_account.connect("notify")
        await server.start(nc, version="1.0.0")
        yield
        await server.stop()
        await nc.close()


async def foci(*words: str) -> Result:
    """Run a command as the operator does."""
    return await asyncio.to_thread(lambda: CliRunner().invoke(app, ["notify", "preview", *words]))


async def test_every_kind_is_shown_in_every_language(notify: None) -> None:
    for kind in NoticeKind:
        answer = await foci(kind.value)
        assert answer.exit_code == 0, answer.output
        for one in shown(kind):
            assert f"{kind} · {one.sample.news} · {one.rendered.language}" in answer.output
            assert one.rendered.subject in answer.output


async def test_one_language_is_shown_alone(notify: None) -> None:
    answer = await foci("offer", "--language", "da")
    assert "En plads til »Morgenmad med stadsarkitekten« er reserveret til dig" in answer.output
    assert "· sv" not in answer.output
    other = await foci("offer", "--language", "fi")
    assert (other.exit_code, other.output) == (2, "Notify writes da, en, sv; it does not write fi.\n")


async def test_files_can_be_opened_as_they_would_arrive(notify: None, tmp_path: Path) -> None:
    folder = tmp_path / "made" / "here"
    answer = await foci("programme", "--out", str(folder))
    assert answer.exit_code == 0, answer.output
    expected = {
        f"programme-new-event{number}.{language}.{ending}"
        for number in ("", "-2")
        for language in LANGUAGES
        for ending in ("txt", "html", "eml")
    }
    assert {path.name for path in folder.iterdir()} == expected
    assert all(str(folder / name) in answer.output for name in expected)
    mail = email.message_from_bytes((folder / "programme-new-event-2.sv.eml").read_bytes())
    assert mail["Content-Language"] == "sv"
    assert (folder / "programme-new-event.da.html").read_text("utf-8").startswith("<!DOCTYPE html>")

    (tmp_path / "taken").write_text("")
    refused = await foci("programme", "--out", str(tmp_path / "taken" / "below"))
    assert refused.exit_code == 1
    assert "cannot be written" in refused.output


async def test_what_cannot_be_shown_is_said_in_a_sentence(home: Path) -> None:
    unknown = await foci("cakes")
    assert unknown.exit_code == 2
    assert "'cakes' is not one of 'booking'" in unknown.output
    away = await foci("booking")
    assert away.exit_code == 1
    assert "Notify does not answer. Is it running?" in away.output
    assert isinstance(away.exception, SystemExit)
