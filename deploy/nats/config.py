"""The configuration of nats-server, with every user's permissions as the contracts compute them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.contracts.access import Permissions, operator, permissions
from shared.contracts.users import USERS

ACCOUNT = "FOCI"
MAX_PAYLOAD = 1024 * 1024


@dataclass(frozen=True)
class User:
    """Somebody who may connect: known by a public nkey; without permissions everything in the account is allowed."""

    nkey: str
    permissions: Permissions | None = None


@dataclass(frozen=True)
class Server:
    """Where one nats-server listens and keeps its files."""

    port: int
    monitor_port: int
    store: str
    name: str = "foci"
    host: str = "127.0.0.1"
    monitor_host: str = "127.0.0.1"
    # Every acknowledged message is on disk; by default JetStream writes to disk every two minutes.
    sync_interval: str = "always"
    extra: Mapping[str, object] = field(default_factory=dict)


def cell_users(public_keys: Mapping[str, str], cell: str) -> list[User]:
    """The users of a cell's account: gateway, services, admin."""
    return [User(public_keys[name], permissions(name, cell)) for name in USERS]


def operator_user(name: str, public_key: str, hubs: Iterable[str]) -> User:
    """A read-only user who may consume the occupancy of some hubs, or of all."""
    return User(public_key, operator(name, tuple(hubs)))


def _user(user: User) -> dict[str, object]:
    if user.permissions is None:
        return {"nkey": user.nkey}
    refused = list(user.permissions.not_publish)
    rules: dict[str, object] = {
        "publish": {"allow": list(user.permissions.publish), **({"deny": refused} if refused else {})},
        "subscribe": {"allow": list(user.permissions.subscribe)},
    }
    if user.permissions.allow_responses:
        # One answer to each request, while its sender may still be waiting.
        rules["allow_responses"] = {"max": 1, "expires": "1m"}
    return {"nkey": user.nkey, "permissions": rules}


def accounts_block(accounts: Mapping[str, Iterable[User]], *, system_key: str | None) -> dict[str, object]:
    """Who there is and what each may do. Nobody is let in who does not sign in: there is no `no_auth_user`."""
    known: dict[str, object] = {
        name: {"jetstream": "enabled", "users": [_user(user) for user in users]}
        for name, users in accounts.items()
    }
    known["SYS"] = {"users": [{"nkey": system_key}] if system_key else []}
    return {"system_account": "SYS", "accounts": known}


def server_block(server: Server) -> dict[str, object]:
    """Everything about one server but who may connect."""
    return {
        "server_name": server.name,
        "host": server.host,
        "port": server.port,
        "http": f"{server.monitor_host}:{server.monitor_port}",
        "max_payload": MAX_PAYLOAD,
        # A dead client is noticed within half a minute.
        "ping_interval": "10s",
        "ping_max": 2,
        "write_deadline": "5s",
        # The shortest the server takes; clients are told to leave at once, spread over the rest.
        "lame_duck_duration": "30s",
        "lame_duck_grace_period": "1s",
        "jetstream": {"store_dir": server.store, "sync_interval": server.sync_interval},
        **server.extra,
    }


def render(accounts: Mapping[str, Iterable[User]], server: Server, *, system_key: str | None = None) -> str:
    """The configuration file of a single server as text; JSON is a subset of what nats-server reads."""
    return json.dumps({**server_block(server), **accounts_block(accounts, system_key=system_key)}, indent=2)
