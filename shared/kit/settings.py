"""Settings come from the environment, are read once by main, and never change while a process runs."""

from __future__ import annotations

from pydantic import SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class ProcessSettings(BaseSettings):
    """What every Foci process needs; secrets have no default."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    cell: str = "local"
    nats_url: str = "nats://127.0.0.1:4222"
    nats_seed: SecretStr | None = None
    """nkey seed of this process's NATS user; None uses the user named in the URL."""
    http_host: str = "127.0.0.1"
    http_port: int = 0
    log_level: str = "INFO"


class ServiceSettings(ProcessSettings):
    """What a service with a database needs."""

    database_url: SecretStr
    assertion_public_key: str
    """Ed25519 public key (PEM) of the gateway that vouches for people."""
    pool_size: int = 8
    reserve_pool_size: int = 12
    concurrency: int = 48
    """Requests worked on at once; as many again wait, the rest are told to come back."""
