"""A copy of a running stack that another can be started from: PostgreSQL as of one moment, keys, operators' users."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg

from deploy.local.home import Home, write_private
from deploy.local.privileges import unprivileged
from deploy.local.servers import ENVIRONMENT, Postgres, free_port, postgres_program
from shared.contracts.users import SERVICES

FORMAT = 1
MANIFEST = "MANIFEST.json"
POSTGRES = "postgres"
KEPT_FILES = ("nats/operators.json", "run/demo.loaded")
"""Of FOCI_HOME besides PostgreSQL and the secrets. Streams are no part: they are filled again from the databases."""
STARTS_WITHIN_S = 60.0
LOOK_EVERY_S = 0.1

Say = Callable[[str], None]


class CannotBackUp(Exception):
    """Something a person can put right; the message says how."""


class NotWhole(Exception):
    """The backup is not what was written; the message says in what."""


def take(home: Home, out: Path, say: Say, *, replace: bool = False) -> None:
    """Write a backup of the running stack to a new folder, checked, or nothing at all."""
    state = home.state()
    if not home.is_running() or "ports" not in state:
        raise CannotBackUp(f"No stack runs from {home.root}; start it, a backup is taken while it works.")
    if not state["embedded"]["postgres"]:
        raise CannotBackUp(
            "The database is not the embedded one; back it up with its own tools (docs/runbooks)."
        )
    if out.exists() and not replace:
        raise CannotBackUp(f"{out} exists. Choose another folder, or say --replace.")
    if out.exists() and not _is_a_backup(out):
        raise CannotBackUp(f"{out} is no backup, and what is there would be deleted. Choose another folder.")
    unfinished = out.with_name(f".{out.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700, parents=True)
    try:
        say("copying PostgreSQL as of one moment, all services' databases together")
        _copy_databases(home, state["ports"]["postgres"], unfinished / POSTGRES)
        _close_to_others(unfinished)
        say("copying keys and passwords")
        _copy_files(home, unfinished)
        _write_manifest(unfinished, state)
        say("checking every file, and starting PostgreSQL from a copy")
        found = check(unfinished)
        say("it starts; facts in the logs: " + ", ".join(f"{name} {count}" for name, count in found.items()))
        _put_in_place(unfinished, out)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _is_a_backup(folder: Path) -> bool:
    """Of whichever release; an empty folder has nothing to lose."""
    if not folder.is_dir():
        return False
    if not any(folder.iterdir()):
        return True
    try:
        return "format" in json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError, TypeError):
        return False


def _put_in_place(unfinished: Path, out: Path) -> None:
    earlier = out.with_name(f".{out.name}.replaced")
    shutil.rmtree(earlier, ignore_errors=True)
    if out.exists():
        out.replace(earlier)
    unfinished.replace(out)
    shutil.rmtree(earlier, ignore_errors=True)


def check(backup: Path) -> dict[str, int]:
    """Compare every file with what was written and start PostgreSQL from a copy; facts per service. Raises NotWhole."""
    manifest = read_manifest(backup)
    for name, digest in manifest["files"].items():
        file = backup / name
        if not file.is_file() or _digest(file) != digest:
            raise NotWhole(f"{name} is missing or has changed.")
    _run("pg_verifybackup", "--exit-on-error", "--quiet", str(backup / POSTGRES))
    return asyncio.run(_trial(backup))


def read_manifest(backup: Path) -> dict[str, Any]:
    """What the backup says of itself."""
    try:
        manifest: dict[str, Any] = json.loads((backup / MANIFEST).read_text())
    except (OSError, ValueError) as error:
        raise NotWhole(f"{backup} is no backup: {MANIFEST} cannot be read ({error}).") from None
    if manifest.get("format") != FORMAT:
        raise NotWhole(f"{backup} was written by another release (format {manifest.get('format')}).")
    return manifest


def lay_out(source: Path, target: Path) -> None:
    """Copy a data directory to where PostgreSQL shall run from it, owned by whom PostgreSQL runs as."""
    unprivileged(target)
    shutil.copytree(source, target, dirs_exist_ok=True, symlinks=True)
    target.chmod(0o700)
    owner = target.stat()
    if os.getuid() == 0 and owner.st_uid != 0:
        for path in target.rglob("*"):
            os.chown(path, owner.st_uid, owner.st_gid)


# --- writing ---


def _copy_databases(home: Home, port: int, target: Path) -> None:
    _run(
        "pg_basebackup", f"--pgdata={target}", "--host=127.0.0.1", f"--port={port}", "--username=postgres",
        "--no-password", "--checkpoint=fast", "--wal-method=stream", "--manifest-checksums=SHA256",
        password=home.password("postgres"),
    )  # fmt: skip


def _close_to_others(folder: Path) -> None:
    """PostgreSQL keeps a mark or two that anybody may read; what is copied somewhere else has no folder around it."""
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)


def _copy_files(home: Home, target: Path) -> None:
    for file in sorted((home.root / "secrets").iterdir()):
        write_private(target / "secrets" / file.name, file.read_text())
    (target / "secrets").chmod(0o700)
    for name in (*KEPT_FILES, home.erased.name):
        if (home.root / name).exists():
            write_private(target / name, (home.root / name).read_text())


def _write_manifest(folder: Path, state: dict[str, Any]) -> None:
    files = [
        file
        for file in folder.rglob("*")
        if file.is_file() and POSTGRES not in file.relative_to(folder).parts[:1]
    ]
    manifest = {
        "format": FORMAT,
        "taken_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cell": state["cell"],
        "postgres": (folder / POSTGRES / "PG_VERSION").read_text().strip(),
        "services": list(SERVICES),
        "files": {file.relative_to(folder).as_posix(): _digest(file) for file in sorted(files)},
    }
    write_private(folder / MANIFEST, json.dumps(manifest, indent=2) + "\n")


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _run(program: str, *arguments: str, password: str | None = None) -> None:
    environment = ENVIRONMENT | ({"PGPASSWORD": password} if password else {})
    done = subprocess.run(
        [postgres_program(program), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise NotWhole(f"{program}: {(done.stderr or done.stdout).strip()}")


# --- trying ---


async def _trial(backup: Path) -> dict[str, int]:
    """Start PostgreSQL from a copy, as a restore would, and look into each service's log of facts."""
    password = (backup / "secrets" / "postgres.password").read_text()
    with tempfile.TemporaryDirectory(prefix="foci-trial-", dir=backup.parent) as folder:
        directory = Path(folder) / POSTGRES
        lay_out(backup / POSTGRES, directory)
        server = Postgres(directory, free_port(), password, durable=False, shared_buffers="32MB")
        with started(server):
            await until_ready(server)
            return {name: await _facts(server, name) for name in read_manifest(backup)["services"]}


@contextlib.contextmanager
def started(server: Postgres) -> Iterator[None]:
    """A server of its own, stopped with the block."""
    process = subprocess.Popen(
        server.command(), env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        yield
    finally:
        process.send_signal(server.stop_signal)
        process.wait(timeout=STARTS_WITHIN_S)


async def until_ready(server: Postgres) -> None:
    """Wait until a server that was started takes connections; NotWhole when it does not."""
    for _ in range(int(STARTS_WITHIN_S / LOOK_EVERY_S)):
        if await asyncio.to_thread(server.ready):
            return
        await asyncio.sleep(LOOK_EVERY_S)
    raise NotWhole("PostgreSQL does not start from the copy.")


async def _facts(server: Postgres, service: str) -> int:
    connection = await asyncpg.connect(server.url(service))
    try:
        return int(await connection.fetchval("SELECT count(*) FROM outbox"))
    finally:
        await connection.close()
