"""What goes wrong at the moment, said in files: a running process can be given another fault without starting anew."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.faults.waiting import pause

HELD_AT_MOST_S = 3.5
FAULT = "fault"
"""The file that names what is at fault."""


class BadMoment:
    """A file that is there once: whoever takes it away is the one something happens to."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._held = file.with_suffix(".held")

    # --- for who waits for it ---

    def expect(self) -> None:
        """It shall come once."""
        self._file.touch()

    async def has_come(self) -> bool:
        """Whether somebody has come to it."""
        return not self._file.exists()

    def go_on(self) -> None:
        """Who stands still need not any longer."""
        self._held.unlink(missing_ok=True)

    # --- for who comes to it ---

    def die(self) -> None:
        """The process ends here if it is the one."""
        try:
            self._file.unlink()
        except FileNotFoundError:
            return
        os.kill(os.getpid(), signal.SIGKILL)

    async def stand_still(self) -> None:
        """The transaction stays open here for a while if it is the one."""
        try:
            self._file.rename(self._held)
        except FileNotFoundError:
            return
        for _ in range(int(HELD_AT_MOST_S / 0.02)):
            if not self._held.exists():
                return
            await pause(0.02)


class Planting:
    """The folder such files stand in; the arena writes them, the processes with faults in them read them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def begin(self, fault: str | None) -> None:
        """From now on this is at fault and nothing else, and no bad moment is left over."""
        self.folder.mkdir(exist_ok=True)
        for file in self.folder.iterdir():
            file.unlink()
        if fault is not None:
            (self.folder / FAULT).write_text(fault)

    def has(self, fault: str) -> bool:
        """Whether this is at fault now."""
        try:
            return (self.folder / FAULT).read_text() == fault
        except FileNotFoundError:
            return False

    def moment(self, name: str) -> BadMoment:
        """What may happen there."""
        return BadMoment(self.folder / name)
