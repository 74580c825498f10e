"""A guest on a real stack: `foci up` says the link, following it gives a place; a killed bus loses no link."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.stack.console import ROOT, Console, eventually
from tests.stack.plain import PlainStack

HUB = "links"
EVENTS = f"/v1/hubs/{HUB}/events"
SLOT = {"start": "2030-05-06T10:00", "end": "2030-05-06T12:00"}


@pytest.fixture(scope="module")
def console(plain_stack: PlainStack) -> Console:
    """A stack with this hub."""
    plain_stack.hub(HUB)
    return plain_stack.console


@pytest.fixture(scope="module")
def member(console: Console, plain_stack: PlainStack) -> Iterator[httpx2.Client]:
    """A member of the hub."""
    headers = {"Authorization": f"Bearer {plain_stack.token(HUB, 'member')}"}
    with httpx2.Client(base_url=plain_stack.url, headers=headers, timeout=20) as client:
        yield client


def meet(member: httpx2.Client) -> str:
    body = {"title": "Open evening", "place": {"address": "Quay 3"}, "publish": True, **SLOT}
    made = member.post(EVENTS, json=body)
    assert made.status_code == 201, made.text
    return str(made.headers["location"])


def ask(console: Console, event: str, name: str) -> httpx2.Response:
    """A stranger asks for a place, with nothing but an address of theirs."""
    guest = {"guest": {"name": name, "email": f"{name.lower()}@mail.example"}}
    return httpx2.post(f"http://127.0.0.1:{console.port}{event}/sign-ups", json=guest, timeout=20)


def confirming(lines: list[str]) -> list[str]:
    return [line.rpartition(" ")[2] for line in lines if "confirm sign-up" in line]


def test_the_link_that_foci_up_says_gives_the_guest_a_place(console: Console, member: httpx2.Client) -> None:
    event = meet(member)
    assert ask(console, event, "Edda").status_code == 202
    console.hears("confirm sign-up")
    [link] = confirming(console.lines)
    assert link.startswith(f"http://127.0.0.1:{console.port}/v1/links/")
    assert httpx2.get(link).json()["title"] == "Open evening"
    assert httpx2.post(link).json()["status"] == "attending"
    [listed] = member.get(f"{event}/sign-ups").json()["items"]
    assert (listed["name"], listed["status"]) == ("Edda", "attending")
    console.hears("leave sign-up")
    noted = console.home.root / "run" / "links.log"
    assert stat.S_IMODE(noted.stat().st_mode) == 0o600
    assert link in noted.read_text()
    # Not in what the processes log, where others may read.
    token = link.rpartition("/")[2]
    assert not [
        log for log in (console.home.root / "logs").iterdir() if token in log.read_text(errors="replace")
    ]


def test_a_killed_bus_loses_no_link(console: Console, member: httpx2.Client) -> None:
    event = meet(member)
    known = len(confirming(console.lines))
    os.kill(console.processes()["nats"]["pid"], signal.SIGKILL)
    console.hears("nats is ready again")
    eventually("the guest is heard", lambda: ask(console, event, "Frode").status_code == 202)
    eventually("the link is said", lambda: len(confirming(console.lines)) == known + 1)
    assert httpx2.post(confirming(console.lines)[-1]).json()["status"] == "attending"


def test_foci_watch_links_says_them_too(console: Console, member: httpx2.Client, tmp_path: Path) -> None:
    event, said = meet(member), tmp_path / "said"
    with said.open("w") as output:
        words: dict[str, Any] = {"env": console.environment, "cwd": ROOT, "stdout": output}
        watching = subprocess.Popen(
            console.command("watch", "links", "--url", "https://hubs.example"),
            stderr=subprocess.PIPE,
            text=True,
            **words,
        )
        try:
            assert watching.stderr is not None
            assert watching.stderr.readline().startswith("# links from here on")
            number = iter(range(1000))
            eventually(
                "a link is said",
                lambda: ask(console, event, f"Gro{next(number)}").status_code and said.read_text(),
            )
        finally:
            watching.send_signal(signal.SIGINT)
            watching.wait(20)
            assert watching.stderr is not None
            watching.stderr.close()
    assert "https://hubs.example/v1/links/" in said.read_text()
    assert watching.returncode == 0
