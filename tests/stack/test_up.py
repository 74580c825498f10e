"""`foci up` from a fresh folder, with the real servers and services."""

from __future__ import annotations

import asyncio
import io
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import nats
import nats.errors
import psutil
import pytest
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from rich.console import Console as Terminal

from deploy.local.narrator import Narrator
from deploy.local.servers import free_port
from deploy.local.settings import LocalSettings
from deploy.local.stack import SERVERS, Stack
from deploy.local.tokens import made_up_address
from shared.contracts.users import SERVICES
from tests.stack.console import Console, alive, eventually
from tests.stack.mails import Mails, links_in

PROCESSES = (*SERVICES, "gateway")
EVERYTHING = {"nats", "postgres", "mail", *PROCESSES}
RUNS = "Foci runs"


def answer(url: str, token: str | None = None) -> Any:
    """A JSON document from the gateway."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"} if token else {})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=10) as reply:
        return json.load(reply)


@dataclass(frozen=True)
class Shared:
    """A stack that its last story ends, and what a second one from the same folder was told while it started."""

    console: Console
    second: subprocess.CompletedProcess[str]
    mail_port: int
    """The one it was told to use, which another program has."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared]:
    home = tmp_path_factory.mktemp("up") / "home"
    with listening() as mail_port:
        variables = {"UNRELATED_SECRET": "x", "FOCI_MAIL_PORT": str(mail_port), "FOCI_GATHER_S": "1"}
        with Console(home, variables=variables) as console:
            console.hears("servers:")
            second = console.foci("up")
            console.hears(RUNS)
            yield Shared(console, second, mail_port)


@contextmanager
def listening() -> Iterator[int]:
    """A port that another program has."""
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        yield taken.getsockname()[1]


def test_a_second_start_from_the_same_folder_is_refused(shared: Shared) -> None:
    assert shared.second.returncode == 1
    assert "already running" in shared.second.stdout


def test_secrets_are_for_their_owner_and_shown_nowhere_else(shared: Shared) -> None:
    console = shared.console
    secrets = list((console.home.root / "secrets").iterdir())
    assert secrets
    assert {stat.S_IMODE(file.stat().st_mode) for file in secrets} == {0o600}
    ours = tuple(f"{name.upper()}_" for name in PROCESSES)
    for name in PROCESSES:
        variables = psutil.Process(console.processes()[name]["pid"]).environ()
        assert [key for key in variables if key.startswith(ours)] == [], "they come by a pipe"
        assert "UNRELATED_SECRET" not in variables


def test_processes_get_only_their_own(tmp_path: Path) -> None:
    narrator = Narrator(Terminal(file=io.StringIO()))
    stack = Stack(LocalSettings(home=tmp_path / "home", database_url="postgresql://127.0.0.1/foci"), narrator)
    stack.home.make()
    stack.ports = dict.fromkeys((*PROCESSES, *SERVERS, "smtp", "nats_monitor"), 1)
    ours = tuple(f"{name.upper()}_" for name in PROCESSES)
    programs = {program.name: program for program in stack.programs()}
    assert set(programs) == set(PROCESSES)
    for name, program in programs.items():
        known = [key for key in program.environment if key.startswith(ours)]
        assert known
        assert all(key.startswith(f"{name.upper()}_") for key in known)
    assert "GATEWAY_DATABASE_URL" not in programs["gateway"].environment


def test_a_token_is_a_persons(shared: Shared) -> None:
    console = shared.console
    printed = console.foci(
        "token", "--hub", "alvhamn-coffice", "--role", "operator", "--person", "Nora Nyvik"
    )
    assert printed.returncode == 0, printed.stderr
    token = printed.stdout.strip()
    assert re.fullmatch(r"[\w-]+\.[\w-]+\.[\w-]+", token)
    me = answer(f"http://127.0.0.1:{console.port}/v1/me", token)
    assert me["name"] == "Nora Nyvik"

    unknown = console.foci("token", "--hub", "no-such-hub", "--role", "member")
    assert unknown.returncode == 1
    assert unknown.stdout == ""


def test_operator_credentials_show_occupancy_and_nothing_else(shared: Shared, tmp_path: Path) -> None:
    file = tmp_path / "operator.json"
    made = shared.console.foci("operator-credentials", "--hub", "alvhamn-coffice", "--out", str(file))
    assert made.returncode == 0, made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    asyncio.run(_only_occupancy(json.loads(file.read_text())))


async def _consume(client: Client, subject: str) -> Any:
    """A named consumer that starts with what is: its name and filter stand in the request's subject, and are checked there."""
    stream = client.jetstream(timeout=2)
    config = ConsumerConfig(
        name=f"test-{len(subject)}",
        filter_subject=subject,
        deliver_policy=DeliverPolicy.LAST_PER_SUBJECT,
        ack_policy=AckPolicy.NONE,
        inactive_threshold=30,
        mem_storage=True,
    )
    await stream.add_consumer("OCCUPANCY", config)
    return await stream.pull_subscribe_bind(config.name, stream="OCCUPANCY")


def _has(lines: list[str], *wanted: str) -> bool:
    return all(any(words in line for line in lines) for words in wanted)


async def _only_occupancy(credentials: dict[str, Any]) -> None:
    refused: list[str] = []

    async def on_error(error: Exception) -> None:
        refused.append(str(error))

    client = await nats.connect(
        credentials["url"],
        nkeys_seed_str=credentials["seed"],
        inbox_prefix=credentials["inbox_prefix"],
        error_cb=on_error,
    )
    try:
        own = await _consume(client, "occupancy.alvhamn-coffice.>")
        [message] = await own.fetch(1, timeout=20)
        assert message.subject.startswith("occupancy.alvhamn-coffice.")
        for foreign in ("occupancy.lindeby-kontorfaellesskab.>", "occupancy.>"):
            with pytest.raises(nats.errors.TimeoutError):
                await _consume(client, foreign)
        await client.publish("hubs.alvhamn-coffice.booking.booking-confirmed.v1", b"{}")
        await client.subscribe("hubs.>")
        await client.flush()
        # The server's refusals arrive beside the answers, in their own time.
        wanted = ("booking-confirmed", '"hubs.>"')
        await asyncio.to_thread(eventually, "both are refused", lambda: _has(refused, *wanted))
        assert len([words for words in refused if "CONSUMER.CREATE" in words.upper()]) == 2
    finally:
        await client.close()


def test_the_demo_is_there_and_a_killed_service_is_started_again(shared: Shared) -> None:
    console = shared.console
    base = f"http://127.0.0.1:{console.port}/v1"
    hubs = _hubs(console)
    assert hubs[0] == "alvhamn-coffice"
    assert len(hubs) == 8
    met = answer(f"{base}/hubs/{hubs[0]}/event-figures?year={datetime.now(UTC).year - 1}")
    assert (met["meetups"], met["participants"]) == (102, 2046)
    assert set(console.processes()) == EVERYTHING
    _survives_a_killed_service(console, f"{base}/hubs/{hubs[0]}/spaces")


def test_the_demo_people_are_told_at_any_hour_in_their_languages(shared: Shared) -> None:
    """Caught by a page on another port than the taken one, which says so."""
    console, mails = shared.console, Mails(shared.console)
    assert mails.url != f"http://127.0.0.1:{shared.mail_port}"
    assert mails.url in console.hears("mail  ")
    waits = made_up_address("Iris Klintberg")
    eventually("an offer", lambda: any({"accept", "decline"} < set(links_in(one)) for one in mails.to(waits)))
    for name, language in (("Iris Klintberg", "sv"), ("Faris Nordal", "en"), ("Oskar Lyngby-Holm", "da")):
        mail, *_ = mails.wait(made_up_address(name))
        assert mail["Content-Language"] == language
    token = console.foci("token", "--hub", "alvhamn-coffice", "--role", "member", "--person", "Aina Strandmo")
    inbox = answer(f"http://127.0.0.1:{console.port}/v1/me/notices", token.stdout.strip())
    assert inbox["unread"] == len(inbox["items"]) > 0


def test_it_stops_without_a_trace_and_goes_on_with_the_next_start(shared: Shared) -> None:
    """Also after its supervisor was killed, which takes everything with it. The last story: it ends the stack."""
    console, home = shared.console, shared.console.home.root
    hubs = _hubs(console)
    _stops_without_a_trace(console, signal.SIGTERM)

    with Console(home, port=console.port) as again:
        sys.stdout.write(again.hears(RUNS))  # the time it took; shown, not judged: the machine may be busy
        assert "demo" not in again.said
        assert _hubs(again) == hubs
        family = again.family()
        again.stops(signal.SIGKILL)
        eventually("nothing is left", lambda: not alive(family))

    with Console(home, port=console.port) as third:
        third.hears(RUNS)
        _stops_without_a_trace(third, signal.SIGINT)


def _hubs(console: Console) -> list[str]:
    return [hub["id"] for hub in answer(f"http://127.0.0.1:{console.port}/v1/hubs")["items"]]


def _survives_a_killed_service(console: Console, spaces: str) -> None:
    booking = console.processes()["booking"]["pid"]
    os.kill(booking, signal.SIGKILL)
    console.hears("booking was ended by SIGKILL; starting it again in 0.5 s")
    console.hears("booking is ready again")
    assert console.processes()["booking"]["pid"] != booking
    assert answer(spaces)["items"]
    status = console.foci("status")
    assert status.returncode == 0, status.stderr
    assert all(name in status.stdout for name in EVERYTHING)


def _stops_without_a_trace(console: Console, how: signal.Signals) -> None:
    family = console.family()
    assert len(family) > len(EVERYTHING)
    assert console.stops(how) == 0
    assert not alive(family)
    assert "did not stop" not in console.said


def test_a_taken_port_is_said_with_a_way_out(tmp_path: Path) -> None:
    with listening() as port, Console(tmp_path / "home", port=port) as console:
        line = console.hears(f"Port {port} is taken")
        assert "FOCI_PORT=" in line
        assert console.process.wait(30) == 1
        assert not (tmp_path / "home" / "postgres").exists()


def test_given_servers_that_do_not_answer_are_named(tmp_path: Path) -> None:
    nowhere = {"FOCI_NATS_URL": "nats://127.0.0.1:1", "FOCI_DATABASE_URL": "postgresql://a:b@127.0.0.1:1/c"}
    for name in tuple(nowhere):
        with Console(tmp_path / name, variables=nowhere) as console:
            console.hears(f"{name}: ")
            assert console.process.wait(30) == 1
        nowhere.pop("FOCI_NATS_URL", None)
