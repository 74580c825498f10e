"""FOCI_HOME: where the stack of one machine keeps its data, secrets, logs and what is running."""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from deploy.nats.keys import new_seed


class AlreadyRunning(Exception):
    """Another supervisor has this FOCI_HOME."""


def write_private(path: Path, text: str) -> None:
    """Write a file that only its owner reads, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def _new_key() -> str:
    key = Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_half(private_pem: str) -> str:
    """The public key (PEM) of a private one."""
    key = load_pem_private_key(private_pem.encode(), password=None)
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@dataclass(frozen=True)
class Home:
    """The folder and what stands where in it."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def mail(self) -> Path:
        """Mails that have been caught."""
        return self.root / "mail"

    @property
    def nats(self) -> Path:
        return self.root / "nats"

    @property
    def nats_config(self) -> Path:
        return self.nats / "nats.conf"

    @property
    def operators(self) -> Path:
        """Operators' NATS users: public keys and what each may see."""
        return self.nats / "operators.json"

    @property
    def demo_loaded(self) -> Path:
        return self.root / "run" / "demo.loaded"

    @property
    def erased(self) -> Path:
        """Who has been erased, one in a line: outside the databases, so that no backup brings anybody back."""
        return self.root / "erased.jsonl"

    @property
    def restored(self) -> Path:
        """There from the beginning of a restore until the services have mended what is apart; says whether it came to its end."""
        return self.root / "run" / "restored.json"

    @property
    def state_file(self) -> Path:
        return self.root / "run" / "state.json"

    def log(self, process: str) -> Path:
        return self.root / "logs" / f"{process}.log"

    def make(self) -> None:
        """Make the folders; what is in them is for its owner only."""
        self.root.mkdir(parents=True, exist_ok=True)
        for name in ("nats", "secrets", "logs", "run", "mail"):
            (self.root / name).mkdir(mode=0o700, exist_ok=True)

    def _secret(self, name: str, make: Callable[[], str]) -> str:
        """Made at the first start, the same ever after."""
        path = self.root / "secrets" / name
        if not path.exists():
            write_private(path, make())
        return path.read_text()

    def password(self, name: str) -> str:
        """A database password; only letters and digits, so that it can stand in a URL."""
        return self._secret(f"{name}.password", lambda: secrets.token_hex(24))

    def seed(self, user: str) -> str:
        """The nkey seed of a NATS user."""
        return self._secret(f"{user}.seed", new_seed)

    def assertion_key(self) -> str:
        """With which the gateway vouches for people (private, PEM)."""
        return self._secret("assertion.pem", _new_key)

    def token_key(self) -> str:
        """With which `foci token` signs development tokens (private, PEM)."""
        return self._secret("development-token.pem", _new_key)

    def link_key(self) -> str:
        """With which notify signs the links people are sent (private, PEM)."""
        return self._secret("link.pem", _new_key)

    def notify_key(self) -> str:
        """From which notify derives webhooks' secrets and hashes of addresses."""
        return self._secret("notify.key", lambda: secrets.token_hex(32))

    def directory_key(self) -> str:
        """Under which directory seals the keys of access tokens."""
        return self._secret("directory.key", lambda: secrets.token_hex(32))

    def bounce_token(self) -> str:
        """With which a mail server reports mail that came back."""
        return self._secret("bounce.token", lambda: secrets.token_urlsafe(32))

    def state(self) -> dict[str, Any]:
        """What the supervisor last wrote about itself; empty when it never ran."""
        try:
            state: dict[str, Any] = json.loads(self.state_file.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return state

    def write_state(self, state: dict[str, Any]) -> None:
        write_private(self.state_file, json.dumps(state, indent=2))

    def lock(self) -> TextIO:
        """Held by the one supervisor as long as it lives; the kernel lets go of it, however it ends."""
        file = (self.root / "run" / "lock").open("a")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise AlreadyRunning from None
        return file

    def is_running(self) -> bool:
        """Whether a supervisor has the lock."""
        if not (self.root / "run" / "lock").exists():
            return False
        try:
            self.lock().close()
        except AlreadyRunning:
            return True
        return False
