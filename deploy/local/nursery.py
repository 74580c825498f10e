"""Starts Python programs from one process that has loaded what they all load: each is a fork of it, not a new interpreter.

A start costs a fifth of `python -m`, and what was loaded once is in memory once. Only for the embedded stack: a process
of its own keeps its own settings, log, process group and end, as a container would.

Run as `python -m deploy.local.nursery`. In on standard input, a line of JSON each: `{"number", "words", "environment",
"folder", "log"}`. Out on standard output: `{"number", "pid"}` and, when a child has ended, `{"ended", "code"}`. Nothing
here may start a thread: a fork takes along the thread that forks and the locks of all the others.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import pkgutil
import runpy
import select
import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any

from deploy.local.child import PR_SET_PDEATHSIG

PR_SET_NAME = 15

SHARED = ("shared.kit", "shared.contracts")
LIBRARIES = (
    "aiosmtplib", "babel.dates", "fastapi", "h11", "httptools", "httpx2", "icalendar", "jinja2", "jwt", "limits.aio.strategies",
    "sqlalchemy.dialects.postgresql.asyncpg", "sqlalchemy.ext.asyncio", "ssrfguard", "standardwebhooks", "uvicorn",
    "uvloop",
)  # fmt: skip
"""What takes long to load. Nothing of a service itself: its metrics would be exported by all the others too."""


def preload() -> None:
    """Load what most programs will ask for."""
    gc.disable()
    for name in SHARED:
        for module in pkgutil.iter_modules(import_module(name).__path__, f"{name}."):
            import_module(module.name)
    for name in LIBRARIES:
        import_module(name)
    # What is here now stays here, and pages nobody's collector writes to are shared by all children.
    gc.freeze()
    gc.enable()


def children() -> dict[str, Any]:
    """Fork when told to and tell who has ended; returns in the child, with what it shall be. Ends with its input."""
    ends, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)  # a signal without a handler wakes nobody
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    rest = b""
    while True:
        ready, _, _ = select.select([0, ends], [], [])
        if ends in ready:
            os.read(ends, 4096)
            _tell_ends()
        if 0 in ready:
            heard = os.read(0, 65536)
            if not heard:
                sys.exit(0)
            *lines, rest = (rest + heard).split(b"\n")
            for line in lines:
                order = json.loads(line)
                parent, pid = os.getpid(), os.fork()
                if pid == 0:
                    signal.set_wakeup_fd(-1)
                    os.close(ends)
                    os.close(wake)
                    return {**order, "parent": parent}
                _tell({"number": order["number"], "pid": pid})


def _tell_ends() -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        _tell({"ended": pid, "code": os.waitstatus_to_exitcode(status)})


def _tell(said: Mapping[str, int]) -> None:
    os.write(1, json.dumps(said).encode() + b"\n")


def become(order: Mapping[str, Any]) -> None:
    """Be the program as if started by `python -m`, with a session, an environment and a log of its own."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != order["parent"]:
        sys.exit("the process that started this one has ended")
    os.setsid()
    for number in (signal.SIGCHLD, signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    silence, log = (
        os.open(os.devnull, os.O_RDONLY),
        os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT),
    )
    for source, target in ((silence, 0), (log, 1), (log, 2)):
        os.dup2(source, target)
    os.close(silence)
    os.close(log)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # a text file, as everywhere
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    module, *words = order["words"]
    sys.argv = [module, *words]
    # What a program is known by where processes are listed; the words it was started with are the nursery's.
    name_process(module.rpartition(".")[2])
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def name_process(name: str) -> None:
    """Show this name in `ps -o comm` and `top`; Linux keeps 15 characters."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_NAME, name.encode()[:15])


if __name__ == "__main__":
    preload()
    become(children())
