"""The stack of deploy/compose.yaml for the tests that need a stack, when FOCI_TEST_STACK says `containers`.

Its images are made before (`deploy/images build`). Nothing of the project `foci` is touched: ports, keys, volumes and network
are this run's own, and go with it. Needs the engine on this machine, and to be root, because it signals the processes.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from deploy import secret_files
from deploy.local.home import Home
from deploy.local.servers import free_port
from tests.stack.console import ROOT, Started

HOST = "host.docker.internal"
"""This machine, as the containers call it."""
COMPOSE = ROOT / "deploy" / "compose.yaml"
PASSED_ON = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "FOCI_IMAGES")
BUS = "nats"
KEPT = "unless-stopped"
"""What is started again when it ends; jobs are not."""


def wanted() -> bool:
    """Whether whoever runs the tests wants containers."""
    return os.environ.get("FOCI_TEST_STACK", "local") == "containers"


class Containers(Started):
    """One run of `docker compose up`."""

    def __init__(self, home: Path, variables: Mapping[str, str]) -> None:
        self.home = Home(home)
        self.port, mail, nats = free_port(), free_port(), free_port()
        secret_files.write(home, nats, development=True)  # the stories sign in with development tokens
        self.home.write_state(
            {"urls": {"nats": f"nats://127.0.0.1:{nats}", "mail": f"http://127.0.0.1:{mail}"}}
        )
        self._project = f"foci-test-{os.getpid()}"
        self.environment = {
            **{name: os.environ[name] for name in PASSED_ON if name in os.environ},
            "FOCI_HOME": str(home),
            "FOCI_SECRETS": str(home),
            "FOCI_PORT": str(self.port),
            "FOCI_MAIL_PORT": str(mail),
            "FOCI_NATS_PORT": str(nats),
            "FOCI_PUBLIC_URL": f"http://127.0.0.1:{self.port}",
            **variables,
        }

    def _compose(self, *words: str) -> str:
        command = ["docker", "compose", "-p", self._project, "-f", str(COMPOSE), *words]
        return self._run(command)

    def _run(self, command: list[str]) -> str:
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(command)}: {done.stderr[-3000:]}"
        return done.stdout

    def _inspected(self) -> dict[str, dict[str, Any]]:
        """What the engine says of each container that goes on, by its service."""
        ids = self._compose("ps", "--quiet", "--all").split()
        found = json.loads(self._run(["docker", "inspect", *ids]))
        named = {one["Config"]["Labels"]["com.docker.compose.service"]: one for one in found}
        return {
            name: one for name, one in named.items() if one["HostConfig"]["RestartPolicy"]["Name"] == KEPT
        }

    def processes(self) -> dict[str, dict[str, Any]]:
        """By the service's name; the bus also as one."""
        found = {name: self._described(one) for name, one in self._inspected().items()}
        nodes = [one for name, one in found.items() if name.startswith(f"{BUS}-")]
        return {**found, BUS: next((one for one in nodes if one["words"] != "running"), nodes[0])}

    @staticmethod
    def _described(one: dict[str, Any]) -> dict[str, Any]:
        state = one["State"]
        [network] = one["NetworkSettings"]["Networks"].values()
        health = state.get("Health", {}).get("Status", "healthy") if state["Running"] else state["Status"]
        return {
            "pid": state["Pid"] or None,
            "words": "running" if health == "healthy" else health,
            "url": f"http://{network['IPAddress']}:8080",
        }

    def pids(self, name: str) -> list[int]:
        """The bus is three."""
        known = self.processes()
        return [one["pid"] for each, one in known.items() if each.partition("-")[0] == name and each != BUS]

    def said_in_logs(self) -> str:
        """What all containers have said, jobs too."""
        return self._compose("logs", "--no-color")

    def __enter__(self) -> Self:
        try:
            self._compose("up", "--detach", "--wait", "--no-build", "--quiet-pull")
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        kept = os.environ.get("FOCI_TEST_LOGS")
        if kept:
            Path(kept).write_text(self.said_in_logs())
        self._compose("down", "--volumes", "--timeout", "5")
