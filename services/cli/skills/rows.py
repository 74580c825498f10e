"""Rows of a CSV file one after the other, and a sentence that says where the file is broken and what to do."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

LONGEST_CELL = 1_000_000
_OTHER_ENCODINGS = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"), (b"PK", "a ZIP archive"))
_AGAIN = "Take the file from ESCO's download as it is; programs for tables save it in another form."


class BrokenFileError(Exception):
    """The file cannot be what it should be; `str()` names file and line, and says what to do."""

    def __init__(self, file: Path, line: int, fault: str, remedy: str = _AGAIN) -> None:
        super().__init__(f"{file}, line {line}: {fault}. {remedy}")


class Rows:
    """A file with a line of names at its top; iterating gives each row by these names and never holds more than one."""

    def __init__(self, file: Path, needed: Sequence[str]) -> None:
        self.file = file
        self.line = 0
        """Where the row begins that was given last; a row may go over several lines."""
        self._needed = needed

    def __iter__(self) -> Iterator[dict[str, str]]:
        csv.field_size_limit(LONGEST_CELL)
        with self.file.open("rb") as opened:
            reader = csv.reader(self._lines(opened), strict=True)
            try:
                names = self._names(next(reader, []))
                self.line = reader.line_num + 1
                for cells in reader:
                    if not cells:
                        self.line = reader.line_num + 1
                        continue  # an empty line says nothing
                    if len(cells) != len(names):
                        raise self.broken(f"{len(cells)} cells where the top line names {len(names)}")
                    yield dict(zip(names, cells, strict=True))
                    self.line = reader.line_num + 1
            except csv.Error as error:
                raise self.broken(f"not readable as CSV ({error})") from None

    def broken(self, fault: str) -> BrokenFileError:
        """What is wrong with the row that was given last."""
        return BrokenFileError(self.file, max(self.line, 1), fault)

    def _lines(self, opened: Iterator[bytes]) -> Iterator[str]:
        for number, line in enumerate(opened, 1):
            if number == 1:
                self._refuse_other_forms(line)
            try:
                yield line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError as error:
                fault = f"not UTF-8 at byte {error.start + 1} of the line"
                raise BrokenFileError(self.file, number, fault) from None

    def _refuse_other_forms(self, line: bytes) -> None:
        for mark, form in _OTHER_ENCODINGS:
            if line.startswith(mark):
                raise BrokenFileError(self.file, 1, f"this is {form}, not UTF-8 text")

    def _names(self, names: list[str]) -> list[str]:
        missing = [name for name in self._needed if name not in names]
        if not missing:
            return names
        fault = f"there is no column {' and none '.join(missing)}"
        if not names:
            fault = "the file is empty"
        elif len(names) == 1 and any(sign in names[0] for sign in ";\t"):
            fault = "the columns are not separated by commas"
        else:
            fault += f"; there are {', '.join(name or '(unnamed)' for name in names)}"
        raise BrokenFileError(self.file, 1, fault)
