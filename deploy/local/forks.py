"""The supervisor's side of the nursery: asks for a child, and knows when it has ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import platform
import signal
import sys
from collections.abc import Callable, Mapping
from itertools import count
from pathlib import Path

from deploy.local.servers import ENVIRONMENT, bound_to_parent

ROOT = Path(__file__).parents[2]
LINUX = platform.system() == "Linux"


class Fork:
    """A child of the nursery, with as much of `asyncio.subprocess.Process` as a supervisor needs."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.Event()

    def end(self, code: int) -> None:
        """It has ended."""
        self.returncode = code
        self._ended.set()

    async def wait(self) -> int:
        """Its exit code, once it has ended; of a signal the negative number."""
        await self._ended.wait()
        return self.returncode or 0

    def send_signal(self, number: int) -> None:
        """Raises ProcessLookupError when it has ended."""
        if self.returncode is not None:
            raise ProcessLookupError(self.pid)
        os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)


Child = asyncio.subprocess.Process | Fork


def python(*words: str) -> Callable[[], list[str]] | tuple[str, ...]:
    """How a supervisor starts `python -m` with these words: by the nursery where a child can be tied to its parent.

    A program started so has nothing to lose when its parent is killed: its work is committed or it is not.
    """
    return words if LINUX else lambda: bound_to_parent([sys.executable, "-m", *words], ending=signal.SIGKILL)


class NurseryEnded(Exception):
    """It ended before it had made the child."""


class Nursery:
    """Begins with the first child asked for, and again should it have ended: its children end with it."""

    def __init__(self, log: Path) -> None:
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self._orders: asyncio.StreamWriter | None = None
        self._hearing: asyncio.Task[None] | None = None
        self._numbers = count(1)
        self._asked: dict[int, asyncio.Future[Fork]] = {}
        self._forks: dict[int, Fork] = {}
        self._beginning = asyncio.Lock()

    async def start(self, words: tuple[str, ...], environment: Mapping[str, str], log: Path) -> Fork:
        """As `python -m` with these words would, in this checkout; what it says is added to the log. Raises NurseryEnded."""
        number = next(self._numbers)
        made: asyncio.Future[Fork] = asyncio.get_running_loop().create_future()
        order = {"number": number, "words": words, "environment": dict(environment)}
        order |= {"folder": str(ROOT), "log": str(log)}
        async with self._beginning:
            writer = await self._writer()
        self._asked[number] = made
        # A secret goes by the pipe, never by the command line, which everybody may read.
        writer.write(json.dumps(order).encode() + b"\n")
        try:
            return await made
        finally:
            self._asked.pop(number, None)

    async def stop(self) -> None:
        """End it, and with it whoever still runs."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()
        if self._hearing is not None:
            await self._hearing

    async def _writer(self) -> asyncio.StreamWriter:
        """Where orders go, to a nursery that runs."""
        if self._orders is not None:
            return self._orders
        command = bound_to_parent([sys.executable, "-m", "deploy.local.nursery"], ending=signal.SIGKILL)
        with self._log.open("ab") as log:
            self._process = process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
                env={**ENVIRONMENT, "OPENBLAS_NUM_THREADS": "1"},  # threads do not come along into a fork
                cwd=ROOT,
                start_new_session=True,
            )
        if process.stdin is None or process.stdout is None:
            raise NurseryEnded("the process that starts programs has no pipes")
        self._hearing = asyncio.create_task(self._hear(process.stdout), name="hear the nursery")
        self._orders = process.stdin
        return process.stdin

    async def _hear(self, said_by_it: asyncio.StreamReader) -> None:
        async for line in said_by_it:
            said = json.loads(line)
            if "ended" in said:
                fork = self._forks.pop(said["ended"], None)
                if fork is not None:
                    fork.end(said["code"])
            else:
                fork = self._forks[said["pid"]] = Fork(said["pid"])
                asked = self._asked.get(said["number"])
                if asked is not None and not asked.done():
                    asked.set_result(fork)
        # The kernel ends its children with it; the next order begins another.
        self._orders = None
        for fork in self._forks.values():
            fork.end(-signal.SIGKILL)
        self._forks.clear()
        for asked in self._asked.values():
            if not asked.done():
                asked.set_exception(
                    NurseryEnded(f"the process that starts programs has ended; see {self._log}")
                )
