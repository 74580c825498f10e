"""What a person may set for the stack on their machine: the FOCI_ variables."""

from __future__ import annotations

import json
import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict


class LocalSettings(BaseSettings):
    """Read once, at the start of a `foci` command."""

    model_config = SettingsConfigDict(env_prefix="FOCI_", frozen=True, extra="ignore", env_ignore_empty=True)

    home: Path = Path(".foci")
    port: int = Field(default=8080, ge=1, le=65535)
    nats_url: str | None = None
    """A NATS server to use instead of the embedded one; its user must be allowed everything. Of a cluster all nodes, with
    commas between."""
    stream_replicas: Literal[1, 3, 5] = 1
    """Copies of each stream, for FOCI_NATS_URL with a cluster of as many nodes."""
    database_url: str | None = None
    """An administrator's PostgreSQL URL (may make databases and roles) instead of the embedded server."""
    rate_limit: str = "600/minute"
    cell: str = "local"
    log_level: str = "INFO"
    replicas: dict[str, int] = Field(default_factory=dict)
    """More than one process of a service, as JSON: {"booking": 2, "gateway": 2}; further gateways get free ports.
    With 0 a service is left out; what it would hear waits for it in the streams."""
    mail_port: int = Field(default=8025, ge=1, le=65535)
    """Where the page with the caught mails is; another free port is taken when this one is not."""
    demo: bool = True
    """Load the demo federation at the first start."""

    gather_s: float | None = Field(default=None, ge=0, le=120)
    """Seconds notify waits for further edits before it tells; None for its own default."""
    webhook_trusted: tuple[str, ...] = ()
    """host:port of webhook targets on this machine that may be sent to all the same, as JSON: ["127.0.0.1:9000"]."""

    def notify_environment(self) -> dict[str, str]:
        """What of this notify is told."""
        gather = {} if self.gather_s is None else {"NOTIFY_GATHER_S": str(self.gather_s)}
        return gather | {"NOTIFY_WEBHOOK_TRUSTED": json.dumps(self.webhook_trusted)}

    @field_validator("home")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        return value.expanduser().absolute()

    @field_validator("database_url")
    @classmethod
    def _plain(cls, value: str | None) -> str | None:
        """The form asyncpg reads; `postgresql+asyncpg://` and `postgres://` are accepted too."""
        if value is None:
            return None
        scheme, found, rest = value.partition("://")
        if not found or scheme.partition("+")[0] not in ("postgresql", "postgres"):
            raise ValueError("must look like postgresql://user:password@host:5432/postgres")
        return f"postgresql://{rest}"


@lru_cache(maxsize=1)
def telemetry_environment() -> dict[str, str]:
    """OpenTelemetry's standard variables, which the processes read themselves."""
    return {name: value for name, value in os.environ.items() if name.startswith("OTEL_")}
