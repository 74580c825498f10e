"""What the operating system knows: this machine, CPU and memory of processes, a finished child's own CPU."""

from __future__ import annotations

import os
import platform
import re
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import psutil

from deploy.local.servers import ENVIRONMENT, nats_program, postgres_program

TICKS = os.sysconf("SC_CLK_TCK")
ROOT = Path(__file__).parents[2]


def _times(pid: int, *, with_ended_children: bool) -> float:
    """User and system CPU seconds from /proc/PID/stat; all threads of the process."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    # Counted from field 3: utime, stime, then those of children that have been waited for.
    used = fields[11:15] if with_ended_children else fields[11:13]
    return sum(int(ticks) for ticks in used) / TICKS


def cpu_seconds(name: str, pid: int) -> float:
    """CPU seconds of a program so far; for PostgreSQL the server with all its backends, ended ones included."""
    if name != "postgres":
        return _times(pid, with_ended_children=False)
    total = _times(pid, with_ended_children=True)
    for child in psutil.Process(pid).children():
        try:
            total += _times(child.pid, with_ended_children=False)
        except (FileNotFoundError, ProcessLookupError):  # ended since; the server has it now
            continue
    return total


def cpu(processes: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds so far by program."""
    return {name: cpu_seconds(name, pid) for name, pid in processes.items()}


def used_since(before: Mapping[str, float], processes: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds by program since `before`."""
    now = cpu(processes)
    return {name: now[name] - before[name] for name in before}


@dataclass(frozen=True)
class Memory:
    """Megabytes: what is resident, and the same with shared pages counted once."""

    resident: float
    proportional: float


def _memory(pid: int) -> Memory:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    found = {name: int(kb) / 1024 for name, kb in re.findall(r"^(Rss|Pss): +(\d+) kB", text, re.MULTILINE)}
    return Memory(found.get("Rss", 0.0), found.get("Pss", 0.0))


def memory(processes: Mapping[str, int]) -> dict[str, Memory]:
    """Memory by program; PostgreSQL's backends are added up (so its resident figure counts shared pages often)."""
    found = {}
    for name, pid in processes.items():
        pids = [pid, *(child.pid for child in psutil.Process(pid).children() if name == "postgres")]
        parts = [_memory(one) for one in pids if psutil.pid_exists(one)]
        found[name] = Memory(sum(part.resident for part in parts), sum(part.proportional for part in parts))
    return found


@dataclass(frozen=True)
class Finished:
    """A program that has run to its end."""

    output: str
    seconds: float
    cpu: float


def run_to_end(command: list[str], *, environment: Mapping[str, str] | None = None) -> Finished:
    """Run a program, returning what it said on standard output and the CPU it took; its failure is ours."""
    started = time.monotonic()
    process = subprocess.Popen(
        command, env={**ENVIRONMENT, **(environment or {})}, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[0]} ended with {process.returncode}:\n{output}")
    return Finished(output, time.monotonic() - started, usage.ru_utime + usage.ru_stime)


def load_average() -> str:
    """The load of the last 1, 5 and 15 minutes."""
    return " ".join(f"{load:.2f}" for load in os.getloadavg())


def _said_by(*command: str) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    lines = (result.stdout or result.stderr).strip().splitlines()
    return lines[0] if lines else "unknown"


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found.group(1) if found else platform.machine()


def commit() -> str:
    """The commit measured, and whether files differ from it."""
    known = _said_by("git", "rev-parse", "--short=12", "HEAD")
    if not re.fullmatch(r"[0-9a-f]+", known):
        return "none: not a git checkout"
    changed = _said_by("git", "status", "--porcelain", "--untracked-files=no") != "unknown"
    return known + (" with uncommitted changes" if changed else "")


def description() -> dict[str, str]:
    """The machine and the versions that made the numbers."""
    packages = (
        "fastapi",
        "faststream",
        "nats-py",
        "sqlalchemy",
        "asyncpg",
        "uvicorn",
        "pydantic",
        "opentelemetry-sdk",
    )
    memory_gb = psutil.virtual_memory().total / 2**30
    return {
        "Processor": f"{_processor()}, {os.cpu_count()} cores, {memory_gb:.0f} GB",
        "System": f"Linux {platform.release()}",
        "Python": platform.python_version(),
        "PostgreSQL": _said_by(postgres_program("postgres"), "--version").removeprefix(
            "postgres (PostgreSQL) "
        ),
        "nats-server": _said_by(nats_program(), "--version").removeprefix("nats-server: v"),
        "Packages": ", ".join(f"{name} {version(name)}" for name in packages),
        "Load generators": f"{_said_by('wrk', '-v').partition(' [')[0]}; {_said_by('cc', '--version')}",
        "Commit": commit(),
    }
