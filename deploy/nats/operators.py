"""Operators' users of the bus, in one file beside the keys, so that whatever writes the bus's files writes them too."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from deploy.local.home import Home, write_private
from deploy.nats.config import User, operator_user
from deploy.nats.keys import new_seed, public_key
from shared.contracts.users import OPERATOR

Known = dict[str, dict[str, Any]]
"""By name: `hubs` (none named: all), and `nkey` where the seed is kept by nobody but the operator."""


def operators(home: Home) -> Known:
    """Everybody who was let in and not put out since."""
    if not home.operators.exists():
        return {}
    known: Known = json.loads(home.operators.read_text())
    return known


def users(home: Home) -> list[User]:
    """Them, as the bus is told; who has neither key nor seed yet is given a seed, which is kept with the others."""
    return [
        operator_user(name, one.get("nkey") or public_key(home.seed(f"{OPERATOR}_{name}")), one["hubs"])
        for name, one in operators(home).items()
    ]


def let_in(home: Home, name: str, hubs: Iterable[str]) -> None:
    """From now on, or with other hubs than before; whoever has a key keeps it."""
    with _alone(home):
        known = operators(home)
        _write(home, {**known, name: {**known.get(name, {}), "hubs": list(hubs)}})


def renew(home: Home, name: str, hubs: Iterable[str], *, told: Callable[[], None]) -> str:
    """Let them in with a new key and return its seed, which is kept nowhere; the one before is taken no longer.

    `told` hands on to the bus what has changed; nobody else changes anything meanwhile.
    """
    with _alone(home):
        seed = new_seed()
        _write(home, {**operators(home), name: {"nkey": public_key(seed), "hubs": list(hubs)}})
        _forget_seed(home, name)
        told()
        return seed


def put_out(home: Home, name: str, *, told: Callable[[], None]) -> bool:
    """Take them out, with their key; whether there was such an operator. `told` as for `renew`."""
    with _alone(home):
        known = operators(home)
        there = known.pop(name, None) is not None
        _write(home, known)
        _forget_seed(home, name)
        told()
        return there


def _write(home: Home, known: Known) -> None:
    write_private(home.operators, json.dumps(known, indent=2) + "\n")


def _forget_seed(home: Home, name: str) -> None:
    (home.root / "secrets" / f"{OPERATOR}_{name}.seed").unlink(missing_ok=True)


@contextmanager
def _alone(home: Home) -> Iterator[None]:
    home.nats.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (home.nats / "operators.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
