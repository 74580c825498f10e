"""`foci backup` and `foci restore`: whole or not at all, nobody else's to read, and nothing overwritten unasked."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from deploy.local.backup import CannotBackUp, NotWhole, check, take
from deploy.local.erased import EVER, ErasedList, brought_back_at
from deploy.local.home import AlreadyRunning, Home
from deploy.local.narrator import Narrator
from deploy.local.restore import bring_back, is_half_done
from deploy.local.settings import LocalSettings
from deploy.local.stack import CannotStart, Stack
from shared.contracts.directory.erasure import Erased
from tests.servers import ROOT
from tests.stack import containers
from tests.stack.console import eventually
from tests.stack.plain import PlainStack

FOCI = str(Path(sys.executable).with_name("foci"))


@pytest.fixture(scope="module")
def backup(plain_stack: PlainStack, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of the running stack; `foci` has checked it and started PostgreSQL from it."""
    out = tmp_path_factory.mktemp("backups") / "today"
    done = plain_stack.console.foci("backup", str(out))
    assert done.returncode == 0, done.stderr
    assert "it starts; facts in the logs: directory" in done.stderr
    assert "every key and password" in done.stderr
    return out


def test_nobody_else_can_read_it_and_it_holds_every_secret(backup: Path, plain_stack: PlainStack) -> None:
    theirs, ours = (folder / "secrets" for folder in (plain_stack.console.home.root, backup))
    assert {file.name for file in theirs.iterdir()} == {file.name for file in ours.iterdir()}
    assert backup.stat().st_mode & 0o777 == 0o700
    for file in backup.rglob("*"):
        assert file.is_symlink() or not file.stat().st_mode & 0o077, file
    assert not list(backup.parent.glob(".*")), "nothing half-made is left beside it"


def test_a_backup_that_is_there_is_not_replaced_unasked(backup: Path, plain_stack: PlainStack) -> None:
    with pytest.raises(CannotBackUp, match="--replace"):
        take(plain_stack.console.home, backup, print)


def test_only_a_backup_is_replaced_and_no_other_folder(plain_stack: PlainStack, tmp_path: Path) -> None:
    """A slip of the keyboard must not cost somebody their papers."""
    papers, file = tmp_path / "papers", tmp_path / "letter"
    papers.mkdir()
    (papers / "will.txt").write_text("to my niece")
    (papers / "MANIFEST.json").write_text("[]")
    file.write_text("dear niece")
    for out in (papers, file):
        with pytest.raises(CannotBackUp, match="no backup"):
            take(plain_stack.console.home, out, print, replace=True)
    assert (papers / "will.txt").exists()
    assert file.exists()


def test_a_restore_that_was_cut_short_is_not_started_from(
    backup: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Empty databases beside streams that know everything would be mended: all would be told as gone."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    home = Home(tmp_path / "home")
    monkeypatch.setattr("deploy.local.restore.check", lambda _: {})
    monkeypatch.setattr("deploy.local.restore.lay_out", killed)
    with pytest.raises(KeyboardInterrupt):
        bring_back(home, backup, print)
    with pytest.raises(CannotStart, match="foci restore BACKUP"):
        Stack(LocalSettings(home=home.root), Narrator())._claim()


def test_what_has_changed_since_it_was_written_is_found(backup: Path, tmp_path: Path) -> None:
    spoilt = tmp_path / "spoilt"
    shutil.copytree(backup, spoilt, symlinks=True)
    key = spoilt / "secrets" / "assertion.pem"
    kept = key.read_text()
    key.write_text(kept + "\n")
    with pytest.raises(NotWhole, match=r"secrets/assertion\.pem"):
        check(spoilt)
    key.write_text(kept)
    table = max((spoilt / "postgres" / "base").rglob("*"), key=lambda file: file.stat().st_size)
    with table.open("r+b") as file:
        file.seek(table.stat().st_size // 2)
        file.write(b"another")
    home = Home(tmp_path / "home")
    with pytest.raises(NotWhole, match="pg_verifybackup"):
        bring_back(home, spoilt, print)
    assert not home.postgres.exists(), "a spoilt backup touches nothing"


def test_what_a_home_has_is_put_aside_for_it_and_only_when_asked(backup: Path, tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.make()
    home.postgres.mkdir()
    (home.root / "secrets" / "of-another-time.key").write_text("x")
    (home.nats / "store").mkdir()
    with pytest.raises(CannotBackUp, match="--replace"):
        bring_back(home, backup, print)
    done = subprocess.run(
        [FOCI, "restore", str(backup), "--replace", "--rebuild-streams"], cwd=ROOT,
        env={**os.environ, "FOCI_HOME": str(home.root)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert (home.postgres / "PG_VERSION").exists()
    assert home.restored.exists()
    assert not is_half_done(home)
    assert "whoever was erased after" in done.stderr, "there is nothing left that knows it"
    assert {file.name for file in (home.root / "secrets").iterdir()} == {
        file.name for file in (backup / "secrets").iterdir()
    }
    (aside,) = home.root.glob("replaced-*")
    assert sorted(path.name for path in aside.iterdir()) == ["postgres", "secrets", "streams"]
    assert (aside / "secrets" / "of-another-time.key").exists()


def test_who_was_erased_after_the_backup_is_known_to_the_list_alone(backup: Path, tmp_path: Path) -> None:
    """And the list is put together from wherever there is one."""
    said: list[str] = []
    elsewhere, home = tmp_path / "later.jsonl", Home(tmp_path / "home")
    ann, ben = (somebody(hour) for hour in (1, 2))
    ErasedList(elsewhere).add([ben])
    ErasedList(home.erased).add([ann])
    bring_back(home, backup, said.append, erased=elsewhere)
    assert ErasedList(home.erased).since(EVER)[-2:] == [ann, ben]
    assert not [line for line in said if "ATTENTION" in line]
    assert ErasedList(home.erased).since(brought_back_at(home.restored))[-2:] == [ann, ben]


def test_a_line_of_the_list_that_was_cut_off_is_asked_for_again(tmp_path: Path) -> None:
    file = tmp_path / "erased.jsonl"
    ann, ben = somebody(1), somebody(2)
    known = ErasedList(file)
    assert known.add([ann, ann]) == 1
    assert known.newest() == ann.erased_at
    with file.open("a") as open_file:
        open_file.write('{"person":"')
    torn = ErasedList(file)
    assert torn.newest() is None, "nothing is certain"
    assert torn.add([ann, ben]) == 1
    assert ErasedList(file).since(ben.erased_at) == [ben]


def somebody(hour: int) -> Erased:
    """Somebody who was erased, after every backup of these tests."""
    at = datetime(2100, 1, 1, hour, tzinfo=UTC)
    return Erased(person=uuid4(), erased_at=at, receipt=secrets.token_hex(32))


def test_the_list_is_kept_while_the_stack_runs_and_whoever_is_in_it_is_erased_again(
    plain_stack: PlainStack, tmp_path: Path
) -> None:
    console, elsewhere = plain_stack.console, tmp_path / "erased.jsonl"
    hub = plain_stack.hub("glomsk")
    clients = [plain_stack.person(hub, "member", name, "sv")[0] for name in ("Disa", "Egil")]
    disa, egil = (client.get("/v1/me").json()["id"] for client in clients)
    assert console.foci("people", "erase", disa, "--sure").returncode == 0
    noted = console.foci("people", "erased", str(elsewhere))
    assert noted.returncode == 0, noted.stderr
    (line,) = [one for one in ErasedList(elsewhere).since(EVER) if str(one.person) == disa]
    # As if a backup had brought him back.
    ErasedList(elsewhere).add([line.model_copy(update={"person": UUID(egil), "receipt": "0" * 64})])
    again = console.foci("people", "erase-again", str(elsewhere))
    assert again.stdout.startswith("1 of "), again.stdout + again.stderr
    for client in clients:
        assert client.get("/v1/me").status_code == 404
        client.close()
    if not containers.wanted():
        kept = console.home.erased
        eventually("the stack has noted both", lambda: kept.exists() and egil in kept.read_text())
        assert kept.stat().st_mode & 0o777 == 0o600


def test_the_stack_must_run_for_the_one_and_stand_still_for_the_other(
    backup: Path, plain_stack: PlainStack, tmp_path: Path
) -> None:
    with pytest.raises(CannotBackUp, match="start it"):
        take(Home(tmp_path / "nowhere"), tmp_path / "out", print)
    with pytest.raises(AlreadyRunning):
        bring_back(plain_stack.console.home, backup, print, replace=True)
