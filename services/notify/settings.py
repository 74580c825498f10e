"""Settings of notify, from the environment with the prefix NOTIFY_."""

from __future__ import annotations

from typing import Literal

from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from shared.kit.settings import ServiceSettings


class Settings(ServiceSettings):
    """Everything notify is told from outside."""

    model_config = SettingsConfigDict(env_prefix="NOTIFY_", frozen=True, extra="ignore")

    secret_key: SecretStr
    """What webhooks' secrets and the hashes of addresses are derived from; another key makes all of them others."""
    link_private_key: SecretStr
    """Ed25519 private key (PEM) that links in messages are signed with; the gateway has its other half."""
    public_url: str = "http://127.0.0.1:8080"
    """Where people reach the gateway; links in messages begin with it."""

    smtp_host: str = "127.0.0.1"
    smtp_port: int = 25
    smtp_tls: Literal["none", "starttls", "implicit"] = "starttls"
    smtp_user: str | None = None
    smtp_password: SecretStr | None = None
    mail_from: str = "no-reply@foci.example"
    mail_domain: str = "foci.example"
    """Right-hand side of Message-ID and List-Id."""
    mail_connections: int = 4
    """Connections to the mail server that are kept open and used again."""
    mail_rate: float = 50
    """Mails a second, to the mail server altogether, over all replicas."""
    mail_domain_rate: float = 20
    """Mails a second to one recipient domain, over all replicas."""

    gather_s: float = 20
    """Seconds in which edits of the same thing become one notice."""
    webhook_trusted: tuple[str, ...] = ()
    """`host:port` that need be neither https nor on the public internet: for tests and the embedded demo."""
