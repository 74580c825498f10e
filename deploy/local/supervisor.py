"""Keeps programs running: starts them in order, starts a crashed one again with growing pauses, stops them in reverse."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import psutil

from deploy.local.forks import Child, Nursery, NurseryEnded

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
STEADY_AFTER_S = 60.0
"""A program that stayed up so long starts with the first pause again when it ends."""
CRASH_LOOP = 4
"""So many ends in a row without being steady between them: time to point at the log."""
READY_DEADLINE_S = 60.0
POLL_S = 0.05
WIDEST = 300
LARGEST_LOG = 20 * 1024 * 1024


Command = Callable[[], list[str]] | tuple[str, ...]


class Announce(Protocol):
    """Says a sentence to the person at the console; `bad` ones stand out."""

    def __call__(self, sentence: str, *, bad: bool = False) -> None: ...


class DidNotStart(Exception):
    """A program ended, or was not ready in time, at its first start."""


@dataclass(frozen=True)
class Program:
    """Something to keep running."""

    name: str
    command: Command
    """Made anew at each start, in the process that will be the parent; or what follows `python -m`, for the nursery."""
    environment: Mapping[str, str]
    ready: Callable[[], Awaitable[bool]]
    log: Path
    ending: signal.Signals = signal.SIGTERM
    grace_s: float = 10.0
    folder: Path | None = None
    """Where it runs; None for the supervisor's own."""
    url: str = ""
    """Where its health can be asked for; for people."""


@dataclass
class Running:
    """One program and the process it is at the moment."""

    program: Program
    process: Child | None = None
    words: str = "starting"
    since: float = field(default_factory=time.time)
    created: float = 0.0
    restarts: int = 0
    keeper: asyncio.Task[None] | None = None


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def tail(log: Path, lines: int = 15) -> str:
    """The last lines of a log; of a long one, such as a JSON record with a trace, the end, where the reason stands."""
    with contextlib.suppress(FileNotFoundError):
        last = log.read_text(errors="replace").splitlines()[-lines:]
        return "\n".join(line if len(line) <= WIDEST else f"… {line[-WIDEST:]}" for line in last)
    return ""


class Supervisor:
    """Use from one event loop and one thread: the kernel ties a child to the thread that started it."""

    def __init__(
        self,
        announce: Announce,
        changed: Callable[[dict[str, Running]], None],
        nursery: Nursery,
    ) -> None:
        self.running: dict[str, Running] = {}
        self._nursery = nursery
        self._announce = announce
        self._changed = changed
        self._stopping = False

    async def start(self, *programs: Program) -> None:
        """Start side by side; returns when all are ready, raises DidNotStart when one is not."""
        for program in programs:
            self.running[program.name] = Running(program)
        results = await asyncio.gather(
            *(self._first_start(program) for program in programs), return_exceptions=True
        )
        for result in results:
            if isinstance(result, BaseException):
                raise result

    async def _first_start(self, program: Program) -> None:
        running = self.running[program.name]
        await self._launch(running)
        if not await self._becomes_ready(running):
            code = running.process.returncode if running.process else None
            why = how_it_ended(code) if code is not None else f"was not ready after {READY_DEADLINE_S:.0f} s"
            raise DidNotStart(
                f"{program.name} {why}. Its log, {program.log}, ends with:\n{tail(program.log)}"
            )
        self._say(running, "running")
        running.keeper = asyncio.create_task(self._keep(running), name=f"keep {program.name}")

    def _say(self, running: Running, words: str) -> None:
        running.words, running.since = words, time.time()
        self._changed(self.running)

    async def _launch(self, running: Running) -> None:
        program = running.program
        if program.log.exists() and program.log.stat().st_size > LARGEST_LOG:
            program.log.replace(program.log.with_suffix(".log.1"))
        running.process = await self._started(
            program.command, program.environment, program.log, program.folder
        )
        with contextlib.suppress(psutil.NoSuchProcess):
            running.created = psutil.Process(running.process.pid).create_time()
        self._say(running, "starting")

    async def _started(
        self, command: Command, environment: Mapping[str, str], log: Path, folder: Path | None
    ) -> Child:
        if not callable(command):
            return await self._nursery.start(command, environment, log)
        with log.open("ab") as output:
            return await asyncio.create_subprocess_exec(
                *command(),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=dict(environment),
                cwd=folder,
                start_new_session=True,  # Ctrl-C at the console reaches only the supervisor, which stops in order
            )

    async def run(self, command: Command, environment: Mapping[str, str], log: Path, folder: Path) -> int:
        """Start something that ends by itself; returns its exit code. Who stops waiting stops it."""
        process = await self._started(command, environment, log, folder)
        try:
            return await process.wait()
        except asyncio.CancelledError:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
            raise

    async def _becomes_ready(self, running: Running) -> bool:
        deadline = time.monotonic() + READY_DEADLINE_S
        process = running.process
        while process and process.returncode is None and time.monotonic() < deadline and not self._stopping:
            if await running.program.ready():
                return True
            await asyncio.sleep(POLL_S)
        return False

    async def _keep(self, running: Running) -> None:
        """Wait for the end of the process and start it again, for ever."""
        pause, in_a_row, name = FIRST_PAUSE_S, 0, running.program.name
        while running.process is not None:
            up_since = time.monotonic()
            code = await running.process.wait()
            if self._stopping:
                return
            _end_group(running.process.pid)
            if time.monotonic() - up_since > STEADY_AFTER_S:
                pause, in_a_row = FIRST_PAUSE_S, 0
            in_a_row += 1
            running.restarts += 1
            self._say(running, f"{how_it_ended(code)}, starts again")
            self._announce(f"{name} {how_it_ended(code)}; starting it again in {pause:g} s", bad=True)
            if in_a_row >= CRASH_LOOP:
                self._announce(
                    f"{name} keeps ending ({in_a_row} times in a row); see {running.program.log}", bad=True
                )
            pause = await self._start_again(running, pause)

    async def _start_again(self, running: Running, pause: float) -> float:
        """Until there is a process, after this pause and growing ones; the pause before the next time."""
        name = running.program.name
        while True:
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)
            started = time.monotonic()
            try:
                await self._launch(running)
                break
            except (NurseryEnded, OSError) as error:
                # Memory or files have run out, or the nursery has ended at the same moment: that may be over soon.
                self._say(running, "cannot be started, is tried again")
                self._announce(f"{name} cannot be started ({error}); trying again in {pause:g} s", bad=True)
        if await self._becomes_ready(running):
            self._say(running, "running")
            self._announce(f"{name} is ready again after {time.monotonic() - started:.1f} s")
        return pause

    async def stop(self) -> None:
        """Stop everything in reverse order of start; whoever does not go in time is killed."""
        self._stopping = True
        for running in reversed(list(self.running.values())):
            if running.keeper:
                running.keeper.cancel()
            if running.process and running.process.returncode is None:
                self._say(running, "stopping")
                await self._end(running.process, running.program)
            self._say(running, "stopped")

    async def _end(self, process: Child, program: Program) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(program.ending)
        try:
            await asyncio.wait_for(process.wait(), program.grace_s)
        except TimeoutError:
            self._announce(
                f"{program.name} did not stop within {program.grace_s:g} s and is killed", bad=True
            )
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        _end_group(process.pid)


def _end_group(leader: int) -> None:
    """What a program left behind in its own process group goes with it."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)


@dataclass(frozen=True)
class Leftover:
    """A process a killed supervisor could not end."""

    name: str
    pid: int
    created: float
    ending: signal.Signals


def clear(leftovers: list[Leftover], *, grace_s: float = 20.0) -> list[str]:
    """End processes of an earlier run; says whom. A process id that was given to somebody else is left alone."""
    found: list[tuple[Leftover, psutil.Process]] = []
    for leftover in leftovers:
        with contextlib.suppress(psutil.NoSuchProcess):
            process = psutil.Process(leftover.pid)
            if abs(process.create_time() - leftover.created) < 1 and process.status() != psutil.STATUS_ZOMBIE:
                process.send_signal(leftover.ending)
                found.append((leftover, process))
    _, alive = psutil.wait_procs([process for _, process in found], timeout=grace_s)
    for process in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(alive, timeout=5)
    for leftover, _ in found:
        _end_group(leftover.pid)
    return [leftover.name for leftover, _ in found]
