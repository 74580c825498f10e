"""Where the time goes in one process under load, sampled by py-spy while Python holds its lock; an aid, not a figure."""

from __future__ import annotations

import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.bench.throughput import Load

RATE = 200
TOP = 40
MISSING = (
    "py-spy is missing; it is no part of the locks. Install it into an environment of its own and put it on the PATH: "
    "python3 -m venv /tmp/py-spy && /tmp/py-spy/bin/pip install py-spy && PATH=/tmp/py-spy/bin:$PATH "
    "make bench … --profile booking"
)


class ProfilerMissing(Exception):
    """There is nothing to sample with."""


def sample(load: Load, process: str, seconds: float) -> str:
    """Run the load, sampling `process`; the functions that cost most, by own and by whole time."""
    profiler = shutil.which("py-spy")
    if profiler is None:
        raise ProfilerMissing(MISSING)
    found = load.folder / f"{process}.stacks"
    sampler = subprocess.Popen(
        [profiler, "record", "--gil", "--pid", str(load.stack.processes[process]), "--rate", str(RATE), "--duration",
         str(int(seconds) + 60), "--format", "raw", "--output", str(found)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        load.run(seconds)
    finally:
        sampler.send_signal(signal.SIGINT)
        sampler.wait(timeout=60)
    return "\n".join(_tables(process, found))


def _tables(process: str, found: Path) -> Iterator[str]:
    own: Counter[str] = Counter()
    whole: Counter[str] = Counter()
    modules: Counter[str] = Counter()
    for line in found.read_text().splitlines():
        frames, _, count = line.rpartition(" ")
        stack = [frame.strip() for frame in frames.split(";")]
        functions = [_function(frame) for frame in stack]
        own[functions[-1]] += int(count)
        for function in set(functions):
            whole[function] += int(count)
        for module in {_module(function) for function in functions}:
            modules[module] += int(count)
    samples = sum(own.values())
    yield f"{process}: {samples} samples at {RATE}/s"
    yield from _table("own time", own, samples)
    yield from _table("whole time", whole, samples)
    yield from _table("whole time by package or folder", modules, samples)


def _function(frame: str) -> str:
    """`name (file:line)` without the line, the file as far as it tells."""
    name, _, place = frame.partition(" (")
    file = place.rpartition(":")[0].rpartition("site-packages/")[2].rpartition("python3.11/")[2]
    return f"{name} ({file})"


def _module(function: str) -> str:
    file = function.rpartition("(")[2].rstrip(")")
    parts = file.split("/")
    return "/".join(parts[: 2 if parts[0] in ("services", "shared") else 1])


def _table(title: str, counted: Counter[str], samples: int) -> Iterable[str]:
    yield f"\n{title}"
    for name, count in counted.most_common(TOP):
        yield f"  {100 * count / max(samples, 1):5.1f} %  {name}"
