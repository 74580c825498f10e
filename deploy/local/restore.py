"""Bringing a stack back from a backup: what is there is put aside, never deleted."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from nats.aio.client import Client

from deploy.local.backup import KEPT_FILES, POSTGRES, CannotBackUp, Say, check, lay_out, read_manifest
from deploy.local.erased import EVER, ErasedList
from deploy.local.home import Home, write_private
from shared.contracts.operations import Mend, Mended
from shared.contracts.streams import RETENTION
from shared.kit.ids import utc_now
from shared.kit.requester import Requester

ANSWERS_WITHIN_S = 10.0
NOBODY_KNOWS = """
ATTENTION: whoever was erased after {taken_at} comes back with this backup, and nothing here knows who that is.
Find erased.jsonl of the stack that ran since, or of a later backup, and restore once more with --erased FILE before
anybody is let in"""


def bring_back(
    home: Home,
    backup: Path,
    say: Say,
    *,
    replace: bool = False,
    keep_streams: bool = True,
    erased: Path | None = None,
) -> Path | None:
    """Make FOCI_HOME what the backup holds; where what was there has been put, if anything was.

    Streams that are there stay, unless said otherwise: they know what the world has been told since the backup. The next
    start lets every service mend that, and erases again whom the backup brings back. Who that is stands in the list FOCI_HOME
    has, and in `erased`, a list from elsewhere.
    """
    home.make()
    with home.lock():
        taken = home.postgres.exists()
        if taken and not replace:
            raise CannotBackUp(f"{home.root} has databases already. Say --replace to put them aside.")
        say("checking the backup, and starting PostgreSQL from a copy")
        check(backup)
        # A start in between would make empty databases beside streams that know everything, and mend that.
        _note(home, backup, finished=False)
        aside = _put_aside(home, keep_streams=keep_streams) if taken else None
        if aside is not None:
            say(f"what was there is in {aside}")
        say("bringing back databases and keys")
        lay_out(backup / POSTGRES, home.postgres)
        for file in sorted((backup / "secrets").iterdir()):
            write_private(home.root / "secrets" / file.name, file.read_text())
        for name in KEPT_FILES:
            if (backup / name).exists():
                write_private(home.root / name, (backup / name).read_text())
        if not _erasures_known(home, backup, erased, keep_streams=keep_streams):
            say(NOBODY_KNOWS.format(taken_at=read_manifest(backup)["taken_at"]))
        _note(home, backup, finished=True)
    return aside


def _erasures_known(home: Home, backup: Path, given: Path | None, *, keep_streams: bool) -> bool:
    """Put all lists of who was erased together; whether it is known who was erased after the backup."""
    noted = home.erased.exists()
    together = ErasedList(home.erased)
    for file in (backup / home.erased.name, given):
        if file is not None:
            together.add(ErasedList(file).since(EVER))
    age = utc_now() - datetime.fromisoformat(read_manifest(backup)["taken_at"])
    streams_know = keep_streams and (home.nats / "store").exists() and age < RETENTION - timedelta(days=1)
    return noted or given is not None or streams_know


def _note(home: Home, backup: Path, *, finished: bool) -> None:
    note = {"taken_at": read_manifest(backup)["taken_at"], "restored_at": utc_now().isoformat()}
    write_private(home.restored, json.dumps(note | {"finished": finished}))


def is_half_done(home: Home) -> bool:
    """Whether a restore was cut short."""
    return home.restored.exists() and not json.loads(home.restored.read_text()).get("finished", True)


def _put_aside(home: Home, *, keep_streams: bool) -> Path:
    aside = home.root / f"replaced-{datetime.now(UTC):%Y%m%dT%H%M%S}"
    aside.mkdir(mode=0o700)
    (home.root / POSTGRES).rename(aside / POSTGRES)
    shutil.copytree(home.root / "secrets", aside / "secrets")
    for file in (home.root / "secrets").iterdir():
        file.unlink()
    for name in KEPT_FILES:
        (home.root / name).unlink(missing_ok=True)
    streams = home.nats / "store"
    if not keep_streams and streams.exists():
        streams.rename(aside / "streams")
    return aside


async def mend(client: Client, cell: str, service: str, say: Say) -> tuple[int, int]:
    """Have one service mend what is apart since its database went back: forgotten facts, and things stated again."""
    requester = Requester(client, utc_now)
    forgotten = mended = 0
    cursor: int | None = None
    while True:
        request = Mend(cursor=cursor)
        reply = await requester.send(request, cell=cell, seconds=ANSWERS_WITHIN_S, service=service)
        answer = Mended.model_validate_json(reply.body)
        forgotten, mended, cursor = forgotten + answer.forgotten, mended + answer.mended, answer.cursor
        if cursor is None:
            return forgotten, mended
        say(f"{service}: looked at message {cursor}")
