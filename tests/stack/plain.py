"""One stack without the demo for whoever needs just a stack: started once per run, and each story has a hub of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from tests.e2e.collector import Collector
from tests.e2e.receiver import Receiver
from tests.stack import containers
from tests.stack.console import Console, Started, eventually
from tests.stack.hubs import register, token_of
from tests.stack.mails import Mails

VARIABLES = {
    "FOCI_DEMO": "false",
    "FOCI_RATE_LIMIT": "100000/minute",
    "FOCI_GATHER_S": "0.2",
    "OTEL_BSP_SCHEDULE_DELAY": "200",
    "OTEL_METRIC_EXPORT_INTERVAL": "4000",
    # Whoever wants a trace asks for one; recording everybody's would slow the imports down.
    "OTEL_TRACES_SAMPLER": "parentbased_always_off",
}


@dataclass
class PlainStack:
    """A stack, the collector of its traces, and a receiver of webhooks it may post to."""

    console: Started
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


@contextmanager
def _started(home: Path, variables: Mapping[str, str]) -> Iterator[Started]:
    """By `foci up`, or in containers when FOCI_TEST_STACK says so."""
    if containers.wanted():
        with containers.Containers(home, variables) as console:
            yield console
    else:
        with Console(home, variables=variables) as console:
            console.hears("Foci runs")
            yield console


class Keeper:
    """Starts the stack for the first who asks, and again for whoever asks after its end."""

    def __init__(self, folders: pytest.TempPathFactory) -> None:
        self._folders = folders
        self._parts = ExitStack()
        self._stack: PlainStack | None = None

    def stack(self) -> PlainStack:
        """The one that runs."""
        if self._stack is None:
            host = containers.HOST if containers.wanted() else "127.0.0.1"
            collector = self._parts.enter_context(Collector(host))
            receiver = self._parts.enter_context(Receiver(host))
            variables = {
                **VARIABLES,
                "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
                "FOCI_WEBHOOK_TRUSTED": json.dumps([receiver.place]),
            }
            home = self._folders.mktemp("plain") / "home"
            console = self._parts.enter_context(_started(home, variables))
            self._stack = PlainStack(console, collector, receiver)
        return self._stack

    @property
    def runs(self) -> bool:
        """Whether there is one."""
        return self._stack is not None

    def end(self) -> None:
        """Stop it, if it runs."""
        self._stack = None
        self._parts.close()


KEEPER = pytest.StashKey[Keeper]()


@pytest.fixture(scope="session")
def plain_keeper(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Keeper]:
    """For the length of a run, see `pytest_runtest_teardown`."""
    keeper = pytestconfig.stash[KEEPER] = Keeper(tmp_path_factory)
    yield keeper
    keeper.end()


@pytest.fixture(scope="module")
def plain_stack(plain_keeper: Keeper) -> PlainStack:
    """Whoever stops or kills a process of it waits until it is there again."""
    return plain_keeper.stack()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> Iterator[None]:
    """It ends with the last of its stories, not with the run: a stack that does nothing costs a seventh of a core."""
    yield
    keeper = item.config.stash.get(KEEPER, None)
    if keeper is not None and keeper.runs and not (nextitem and _is_told_on_it(nextitem)):
        keeper.end()


def _is_told_on_it(item: pytest.Item) -> bool:
    """Also of one that does not ask for it, in a file of others that do."""
    told = {one.path for one in item.session.items if "plain_stack" in getattr(one, "fixturenames", ())}
    return item.path in told
