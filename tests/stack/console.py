"""`foci up` as a person starts it: a process whose lines are read as they come."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import psutil

from deploy.local.home import Home
from deploy.local.servers import free_port
from tests.waiting import blocked_until

ROOT = Path(__file__).parents[2]
DEADLINE_S = 120.0


def eventually(what: str, true: Any, *, seconds: float = 30.0) -> None:
    """Wait for a condition, with a deadline."""
    blocked_until(what, true, seconds=seconds)


class Started:
    """A stack that has been started, however: where it is, and a shell beside it."""

    home: Home
    port: int
    environment: dict[str, str]

    @staticmethod
    def command(*words: str) -> list[str]:
        return [sys.executable, "-m", "services.cli", *words]

    def foci(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A `foci` command beside it."""
        return subprocess.run(
            self.command(*words),
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def processes(self) -> dict[str, dict[str, Any]]:
        """What is running, by name: `url`, `pid` on this machine, and in `words` how it is."""
        raise NotImplementedError

    def pids(self, name: str) -> list[int]:
        """The processes of that name."""
        return [self.processes()[name]["pid"]]

    def is_there_again(self, name: str, killed: list[int]) -> bool:
        """Whether others run in place of those."""
        now = self.pids(name)
        return self.processes()[name]["words"] == "running" and not {None, *killed} & set(now)

    def said_in_logs(self) -> str:
        """What all of them have logged."""
        logs = (self.home.root / "logs").iterdir()
        return "".join(log.read_text("utf-8", "replace") for log in logs)

    @contextmanager
    def hanging(self, name: str) -> Iterator[None]:
        """It does nothing for the length of the block, and is not dead."""
        stopped = self.pids(name)
        try:
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)


class Console(Started):
    """One run of `foci up`."""

    def __init__(
        self, home: Path, *, port: int | None = None, variables: Mapping[str, str] | None = None, **more: str
    ) -> None:
        self.home = Home(home)
        self.port = port or free_port()
        self.environment = {
            "PATH": os.environ["PATH"],
            "FOCI_HOME": str(home),
            "FOCI_PORT": str(self.port),
            "FOCI_MAIL_PORT": str(free_port()),
            **(variables or {}),
            **more,
        }
        self.lines: list[str] = []
        self._news = threading.Condition()
        self.process = subprocess.Popen(
            self.command("up"),
            env=self.environment,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip())
                self._news.notify_all()

    @property
    def said(self) -> str:
        return "\n".join(self.lines)

    def hears(self, words: str, *, seconds: float = DEADLINE_S) -> str:
        """Wait until a line has these words, and return it."""
        deadline = time.monotonic() + seconds
        with self._news:
            while not any(words in line for line in self.lines):
                left = deadline - time.monotonic()
                alive = self.process.poll() is None or self._reader.is_alive()
                assert min(left, alive) > 0, f"did not say {words!r} but:\n{self.said}"
                self._news.wait(min(left, 0.2))
            return next(line for line in self.lines if words in line)

    def processes(self) -> dict[str, dict[str, Any]]:
        """What the supervisor says is running."""
        known: dict[str, dict[str, Any]] = self.home.state().get("processes", {})
        return known

    def family(self) -> list[psutil.Process]:
        """Every process this run has started, also those in sessions of their own."""
        return list(psutil.Process(self.process.pid).children(recursive=True))

    def stops(self, signal_number: int) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        self.process.send_signal(signal_number)
        code = self.process.wait(DEADLINE_S)
        self._reader.join(DEADLINE_S)
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self._reader.join(DEADLINE_S)


def alive(processes: list[psutil.Process]) -> list[str]:
    """Those that still run, in words; a zombie has ended, only nobody has noticed yet."""
    running = []
    for process in processes:
        try:
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                running.append(f"{process.pid} {' '.join(process.cmdline())[:80]}")
        except psutil.NoSuchProcess:
            continue
    return running
