"""Servers a test may kill, because nobody else uses them."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator

from deploy.local.servers import ENVIRONMENT


@contextlib.contextmanager
def started(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """The process, ended with the block."""
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        env=ENVIRONMENT, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill it, as a power failure would."""
    if process.poll() is None:
        process.kill()
    process.wait(timeout=10)
