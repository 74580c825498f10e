"""One stack without the demo for whoever needs just a stack: started once per run, and each story has a hub of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import httpx2
import pytest

from tests.e2e.collector import Collector
from tests.e2e.receiver import Receiver
from tests.stack.console import Console, eventually
from tests.stack.hubs import register, token_of
from tests.stack.mails import Mails

VARIABLES = {
    "FOCI_DEMO": "false",
    "FOCI_RATE_LIMIT": "100000/minute",
    "FOCI_GATHER_S": "0.2",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    # Whoever wants a trace asks for one; recording everybody's would slow the imports down.
    "OTEL_TRACES_SAMPLER": "parentbased_always_off",
}


@dataclass
class PlainStack:
    """A stack, the collector of its traces, and a receiver of webhooks it may post to."""

    console: Console
    collector: Collector
    receiver: Receiver
    _hubs: set[str] = field(default_factory=set)

    @property
    def url(self) -> str:
        """Where the gateway is."""
        return f"http://127.0.0.1:{self.console.port}"

    def hub(self, slug: str) -> str:
        """A hub that booking and events have heard of, made once."""
        if slug not in self._hubs:
            register(self.console, slug)
            settings = f"{self.url}/v1/hubs/{slug}/event-settings"
            eventually(f"events knows {slug}", lambda: httpx2.get(settings, timeout=20).status_code == 200)
            self._hubs.add(slug)
        return slug

    def token(self, hub: str, role: str) -> str:
        """A token of somebody with that role, printed by `foci token`."""
        done = self.console.foci("token", "--hub", hub, "--role", role)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def person(self, hub: str, role: str, name: str, language: str) -> tuple[httpx2.Client, str]:
        """Somebody who reads that language, signed in, and their address. Whoever asks closes the client."""
        token, address = token_of(self.console, hub, role, name, language)
        headers = {"Authorization": f"Bearer {token}", "Accept-Language": language}
        return httpx2.Client(base_url=self.url, headers=headers, timeout=20), address

    @property
    def mails(self) -> Mails:
        """What it has mailed."""
        return Mails(self.console)


@pytest.fixture(scope="session")
def plain_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PlainStack]:
    """Whoever stops or kills a process of it waits until it is there again."""
    with Collector() as collector, Receiver() as receiver:
        variables = {
            **VARIABLES,
            "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
            "FOCI_WEBHOOK_TRUSTED": json.dumps([receiver.place]),
        }
        with Console(tmp_path_factory.mktemp("plain") / "home", variables=variables) as console:
            console.hears("Foci runs")
            yield PlainStack(console, collector, receiver)
