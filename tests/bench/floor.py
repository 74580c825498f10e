"""The floor: pgbench with the reserve statement of `floor.sql`, on the running stack's own database."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from deploy.local.servers import postgres_program
from tests.bench.machine import Finished, cpu, run_to_end, used_since
from tests.bench.plan import Plan

SCRIPT = Path(__file__).with_name("floor.sql")
STATEMENT_TRIES = (8, 16, 32)
"""Numbers of clients tried; the floor is what the best of them does."""


def definitions() -> dict[str, str]:
    """The text values frozen in the script's comments."""
    return dict(re.findall(r"^-- define (\w+) = (.+)$", SCRIPT.read_text(), re.MULTILINE))


@dataclass(frozen=True)
class FloorRound:
    """One run of pgbench."""

    rate: float
    transactions: int
    postgres_cpu_s: float
    generator_cpu_s: float

    @property
    def cpu_us(self) -> float:
        """Microseconds of PostgreSQL's CPU per transaction."""
        return self.postgres_cpu_s / self.transactions * 1e6


@dataclass
class Floor:
    """Runs pgbench, with booking numbers that go on from run to run."""

    database_url: str
    postgres: int
    plan: Plan
    number: int = 0
    clients: int = 16
    transactions: int = 0

    def run(self, seconds: int | None = None, *, per_client: int = 0) -> FloorRound:
        """One run, of so many seconds or of so many transactions `per_client`."""
        length = [f"--time={seconds}"] if seconds is not None else [f"--transactions={per_client}"]
        before = cpu({"postgres": self.postgres})
        finished = run_to_end([*self._command(), *length], environment=self._environment())
        used = used_since(before, {"postgres": self.postgres})["postgres"]
        done = _number(finished, r"number of transactions actually processed: (\d+)")
        rate = _number(finished, r"tps = ([\d.]+)")
        self.transactions += int(done)
        self.number += int(done) * 2 + self.clients
        return FloorRound(rate, int(done), used, finished.cpu)

    def choose_clients(self, seconds: int) -> None:
        """Take the number of clients with which pgbench does most."""
        rates = {}
        for clients in STATEMENT_TRIES:
            self.clients = clients
            rates[clients] = self.run(seconds).rate
        self.clients = max(rates, key=lambda clients: rates[clients])

    def _command(self) -> list[str]:
        variables = definitions() | {
            "n": "0",
            "first": str(self.number),
            "clients": str(self.clients),
            "hubs": str(len(self.plan.hubs)),
            "day": self.plan.first_day.isoformat(),
        }
        parts = urlsplit(self.database_url)
        return [
            postgres_program("pgbench"), "--no-vacuum", "--protocol=prepared", f"--file={SCRIPT}",
            f"--client={self.clients}", f"--jobs={min(2, self.clients)}", f"--host={parts.hostname}", f"--port={parts.port}",
            f"--username={parts.username}", *(f"--define={name}={value}" for name, value in variables.items()),
            parts.path.strip("/"),
        ]  # fmt: skip

    def _environment(self) -> dict[str, str]:
        return {"PGPASSWORD": urlsplit(self.database_url).password or "", "PGOPTIONS": "-c jit=off"}


def _number(finished: Finished, pattern: str) -> float:
    found = re.search(pattern, finished.output)
    if found is None:
        raise RuntimeError(f"pgbench said nothing of {pattern!r}:\n{finished.output}")
    return float(found.group(1))
