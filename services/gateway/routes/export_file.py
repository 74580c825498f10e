"""The file of an export, written a page at a time: tables as JSON Lines, a calendar, and what is what."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from tempfile import SpooledTemporaryFile
from threading import Lock
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

import orjson
from icalendar import Calendar, Event

from services.gateway.pages.words import README
from shared.contracts.exporting import ExportedRow
from shared.kit.errors import FociError

IN_MEMORY = 4 * 1024 * 1024
"""Bytes of a file that are held in memory; beyond that it lies on disk, without a name, until it is sent."""
MOST_BYTES = 200 * 1024 * 1024
"""Of lines: thousands of times what anybody has."""
TENTATIVE = frozenset({"held", "pending", "offered", "waiting"})
"""States of a booking or a sign-up in which it is not certain yet."""
OFF = frozenset({"cancelled", "expired", "declined", "lapsed"})
"""States in which nothing comes of it."""
_DATES = {("booking", "booking"): "for_me", ("events", "sign-up"): "mine"}
"""Tables with a place in a calendar, and the column that says that a row is the person's own."""
_ENDS = b"END:VCALENDAR\r\n"


class ExportTooLarge(FociError):
    """More is held of the person than one file takes."""

    kind = "invalid"
    status = 422
    code = "export-too-large"
    title = "More than one file takes"


class ExportFile:
    """An export while it is made. Whatever is done with it takes its time and belongs in a thread; `drop` waits for that."""

    def __init__(self, now: datetime, *, most: int = MOST_BYTES) -> None:
        self._made_at = now
        self._left = most
        self._language = "en"
        self._file: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed when it has been sent
        self._dates: IO[bytes] = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  # closed with the calendar
        self._zip = ZipFile(self._file, "w")
        self._name = ""
        self._table: IO[bytes] | None = None
        self._lock = Lock()

    def take(self, service: str, rows: Iterable[ExportedRow]) -> None:
        """What comes next of a service, whose tables come one after the other. Raises ExportTooLarge."""
        with self._lock:
            for row in rows:
                line = row.line.encode()
                self._left -= len(line)
                if self._left < 0:
                    raise ExportTooLarge(
                        "More is held of you than one file takes. Ask your hub's staff for help."
                    )
                self._in(f"{service}/{row.table}.jsonl").write(line + b"\n")
                self._note(service, row.table, line)

    def finish(self) -> IO[bytes]:
        """The file, from its beginning; the caller closes it."""
        with self._lock:
            self._end_table()
            self._write_calendar()
            self._write("README.txt", README.get(self._language.partition("-")[0], README["en"]).encode())
            self._zip.close()
            self._file.seek(0)
            return self._file

    def drop(self) -> None:
        """Nobody wants it any more."""
        with self._lock:
            self._end_table()
            self._zip.close()
            self._dates.close()
            self._file.close()

    def _in(self, name: str) -> IO[bytes]:
        if self._table is None or name != self._name:
            self._end_table()
            self._name, self._table = name, self._open(name)
        return self._table

    def _open(self, name: str) -> IO[bytes]:
        entry = ZipInfo(name, self._made_at.timetuple()[:6])
        entry.compress_type = ZIP_DEFLATED
        return self._zip.open(entry, "w")

    def _end_table(self) -> None:
        if self._table is not None:
            self._table.close()
            self._table = None

    def _write(self, name: str, content: bytes) -> None:
        with self._open(name) as entry:
            entry.write(content)

    def _note(self, service: str, table: str, line: bytes) -> None:
        """What the rest of the file is made of: the dates of a calendar, and the person's language."""
        mine = _DATES.get((service, table))
        if mine is not None:
            row = orjson.loads(line)
            if row[mine]:
                self._dates.write(_entry(row).to_ical())
        elif (service, table) == ("directory", "person"):
            self._language = str(orjson.loads(line)["language"])

    def _write_calendar(self) -> None:
        head = Calendar()
        head.add("prodid", "-//Foci//export//EN")
        head.add("version", "2.0")
        self._dates.seek(0)
        with self._dates, self._open("calendar.ics") as entry:
            entry.write(head.to_ical().removesuffix(_ENDS))
            while some := self._dates.read(IN_MEMORY):
                entry.write(some)
            entry.write(_ENDS)


def _entry(row: dict[str, Any]) -> Event:
    """A booking, or an event the person has signed up for."""
    event = Event()
    event.add("uid", f"{row['id']}@foci")
    event.add("dtstamp", datetime.fromisoformat(row.get("created_at") or row["signed_up_at"]))
    event.add("dtstart", datetime.fromisoformat(row["starts_at"]))
    event.add("dtend", datetime.fromisoformat(row["ends_at"]))
    event.add("summary", row.get("title") or row.get("space") or row["hub"])
    event.add("location", row["hub"])
    event.add("status", _status(row))
    return event


def _status(row: dict[str, Any]) -> str:
    if row["status"] in OFF or row.get("event_status") == "cancelled":
        return "CANCELLED"
    return "TENTATIVE" if row["status"] in TENTATIVE else "CONFIRMED"
