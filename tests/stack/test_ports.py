"""Ports for servers that do not listen yet."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from deploy.local import servers
from tests.servers import ROOT

FEW, OTHERS = range(20000, 20040), range(20040, 20100)
STARTS_TOO = """
from deploy.local import servers
servers.LISTENING_PORTS = range({0}, {1})
print(*(servers.free_port() for _ in range({2})), flush=True)
input()
"""


def test_no_port_is_given_twice_while_nobody_listens_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by a start that failed: two programs of one stack had been given the same."""
    monkeypatch.setattr(servers, "LISTENING_PORTS", FEW)
    wanted = sum(map(servers.is_free, FEW)) // 2
    given = [servers.free_port() for _ in range(wanted)]
    assert len(set(given)) == wanted


def test_two_stacks_that_start_at_the_same_moment_are_given_different_ports(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Found by a replica that could not start: another stack's had been given its port a moment before."""
    monkeypatch.setattr(servers, "LISTENING_PORTS", OTHERS)
    wanted = sum(map(servers.is_free, OTHERS)) // 3
    words = STARTS_TOO.format(OTHERS.start, OTHERS.stop, wanted)
    other = subprocess.Popen(
        [sys.executable, "-c", words], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with other:
        assert other.stdout is not None
        theirs = set(map(int, other.stdout.readline().split()))
        ours = {servers.free_port() for _ in range(wanted)}
        # Nor is one that a stack had the last time, and would like to have again.
        ours.add(servers.free_port(preferred=min(theirs)))
        other.communicate("\n", timeout=10)
    assert len(theirs) == wanted
    assert len(ours) == wanted + 1
    assert not theirs & ours


def test_a_port_is_the_servers_it_is_kept_for_also_when_it_comes_back() -> None:
    port = servers.free_port()
    for _ in range(2):
        with socket.create_server(("127.0.0.1", port)):
            assert not servers.is_free(port)
            assert servers.free_port(preferred=port) != port
        assert servers.free_port(preferred=port) == port
