"""Settings come from the environment, are read once by main, and never change while a process runs."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

AnySettings = TypeVar("AnySettings", bound=BaseSettings)


class ProcessSettings(BaseSettings):
    """What every Foci process needs; secrets have no default."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    cell: str = "local"
    nats_url: str = "nats://127.0.0.1:4222"
    """Where NATS is; of a cluster every node, separated by commas: one that is away is not waited for."""
    nats_ca: Path | None = None
    """Certificates (PEM) of who vouches for the servers of `tls://` addresses; None for those the system trusts."""
    nats_seed: SecretStr | None = None
    """nkey seed of this process's NATS user; None uses the user named in the URL."""
    http_host: str = "127.0.0.1"
    http_port: int = 0
    log_level: str = "INFO"

    @property
    def nats_servers(self) -> list[str]:
        """The addresses of NATS, one by one."""
        return [address.strip() for address in self.nats_url.split(",") if address.strip()]


class ServiceSettings(ProcessSettings):
    """What a service with a database needs."""

    database_url: SecretStr
    assertion_public_key: str
    """Ed25519 public key (PEM) of the gateway that vouches for people."""
    pool_size: int = 8
    reserve_pool_size: int = 3
    """Statements that reserve at once; those who come meanwhile go into the next one together."""
    mend_unasked: int = 100
    """Facts that the database has forgotten and that are mended without asking; more wait for `foci mend`."""
    concurrency: int = 48
    """Requests worked on at once; as many again wait, the rest are told to come back."""


def from_environment(kind: type[AnySettings]) -> AnySettings:
    """Settings from the environment; ends the process with a sentence per variable that is missing or wrong.

    What was given is not repeated: it may be a secret.
    """
    prefix = kind.model_config.get("env_prefix", "")
    try:
        return kind()
    except ValidationError as error:
        wrong = [
            f"{prefix}{'_'.join(map(str, found['loc']))}".upper()
            + (" is not set." if found["type"] == "missing" else f" is not usable: {found['msg']}.")
            for found in error.errors(include_input=False, include_url=False)
        ]
        raise SystemExit(
            "\n".join([*wrong, "Set the environment variables named and start again."])
        ) from None
    except SettingsError as error:
        raise SystemExit(f"A variable that begins with {prefix} is not JSON: {error}.") from None
