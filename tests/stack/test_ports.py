"""Ports for servers that do not listen yet."""

from __future__ import annotations

import pytest

from deploy.local import servers

FEW = range(20000, 20040)


def test_no_port_is_given_twice_while_nobody_listens_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Found by a start that failed: two programs of one stack had been given the same."""
    monkeypatch.setattr(servers, "LISTENING_PORTS", FEW)
    wanted = sum(map(servers.is_free, FEW)) // 2
    given = [servers.free_port() for _ in range(wanted)]
    assert len(set(given)) == wanted
