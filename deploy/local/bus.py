"""The embedded nats-server's users: the cell's own, and the operators' that are added while it runs."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterable, Mapping

from deploy.local.home import Home, write_private
from deploy.nats import operators
from deploy.nats.cluster import ACCOUNTS
from deploy.nats.config import ACCOUNT, Server, cell_users, render
from deploy.nats.keys import public_key
from shared.contracts.users import USERS


class NotOurs(Exception):
    """The NATS server is somebody else's; its users are made there."""


def write_config(home: Home, *, cell: str, ports: Mapping[str, int]) -> None:
    """Render the configuration from the contracts and the operators' file."""
    users = cell_users({name: public_key(home.seed(name)) for name in USERS}, cell) + operators.users(home)
    server = Server(port=ports["nats"], monitor_port=ports["nats_monitor"], store=str(home.nats / "store"))
    text = render({ACCOUNT: users}, server, system_key=public_key(home.seed("system")))
    write_private(home.nats_config, text)


def is_embedded(home: Home) -> bool:
    """Whether a nats-server of this folder runs here, which can be told at once."""
    return home.is_running() and "nats" in home.state().get("processes", {})


def add_operator(home: Home, name: str, hubs: Iterable[str]) -> str:
    """Make or renew an operator's user and return the seed, which is kept nowhere.

    A running embedded server is told. Where the folder is one that the files of a cluster are written to, whoever writes
    them next writes this user, too. NotOurs where it is neither.
    """
    _check(home)
    return operators.renew(home, name, hubs, told=lambda: _tell(home))


def remove_operator(home: Home, name: str) -> bool:
    """Take an operator's user out, likewise; whether there was one."""
    _check(home)
    return operators.put_out(home, name, told=lambda: _tell(home))


def _check(home: Home) -> None:
    if not is_embedded(home) and not (home.root / ACCOUNTS).exists():
        raise NotOurs


def _tell(home: Home) -> None:
    if is_embedded(home):
        state = home.state()
        write_config(home, cell=state["cell"], ports=state["ports"])
        os.kill(state["processes"]["nats"]["pid"], signal.SIGHUP)
