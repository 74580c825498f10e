"""Settings of the gateway, from the environment with the prefix GATEWAY_."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from shared.contracts.base import Slug
from shared.contracts.directory.words import Role
from shared.kit.settings import ProcessSettings

Algorithm = Literal["RS256", "PS256", "ES256", "EdDSA"]


class RoleRule(BaseModel):
    """Whoever's `claim` has this value, alone or in a list, is given the role in the hub when they sign in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    claim: str
    value: str
    hub: Slug
    role: Role

    @field_validator("role")
    @classmethod
    def _no_admins(cls, role: Role) -> Role:
        if role is Role.ADMIN:
            raise ValueError("admins are made by admins, not by a provider")
        return role


class Provider(BaseModel):
    """A provider whose tokens are exchanged; `issuer` as it writes itself, `client_id` as it calls Foci."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Slug
    issuer: str
    client_id: str = Field(min_length=1)
    algorithm: Algorithm = "RS256"
    roles: tuple[RoleRule, ...] = ()
    jwks_uri: str | None = None
    """Where its keys are, if that is on another host than the issuer; nothing else is asked there."""
    plain_http: bool = False
    """For a provider on this machine, in tests."""


class Settings(ProcessSettings):
    """Everything the gateway is told from outside."""

    model_config = SettingsConfigDict(env_prefix="GATEWAY_", frozen=True, extra="ignore")

    assertion_private_key: SecretStr
    """Ed25519 private key (PEM) with which the gateway vouches for people to the services."""
    dev_token_public_key: str | None = None
    """Ed25519 public key (PEM) of development tokens; they are refused when it is not set. Only the embedded stack sets it."""
    secure_cookies: bool = True
    """False where browsers reach the gateway without TLS, which is on one's own machine only."""
    oidc_providers: tuple[Provider, ...] = ()
    """Who else may sign people in (OpenID Connect), as JSON: name, issuer, client_id, algorithm, roles; see docs/security.md."""
    front_url: str = "/v1/hubs/{hub}/now"
    """Where people go on after signing in; `{hub}` stands for the hub's slug. A page that is to use the session must be of the
    gateway's own site (a frontend on hub.foci.example with the gateway on api.foci.example): the cookie is SameSite=Strict."""
    link_public_key: str | None = None
    """Ed25519 public key (PEM) of the links people are sent; they are refused when it is not set."""
    bounce_token: Annotated[SecretStr, Field(min_length=16)] | None = None
    """With this the mail server reports what came back; its reports are refused when it is not set."""
    rate_limit: str = "600/minute"
    """Requests per person, or per address for those who have not signed in; `<n>/<second|minute|hour>`."""
    cors_origins: tuple[str, ...] = ()
    """Origins of web frontends that may call from a browser; the session's cookie goes along from the gateway's own site only."""
    deadline_s: float = 5.0
    """How long a request may take altogether."""
    leaving_s: Annotated[float, Field(ge=0)] = 8.0
    """How long every request is still answered after SIGTERM, while whoever spreads requests learns of it."""
    keep_alive_s: Annotated[int, Field(ge=1)] = 75
    """How long an idle connection is kept, seconds; longer than a load balancer keeps it, or both may end it at once."""
    body_limit: int = 131_072
    """Largest request body, bytes."""
    live_together: Annotated[int, Field(ge=1)] = 5_000
    """Live streams on this replica."""
    live_per_person: Annotated[int, Field(ge=1)] = 10
    """Live streams of one person on this replica."""
    live_per_address: Annotated[int, Field(ge=1)] = 100
    """Live streams of those who have not signed in, per address on this replica."""
    live_held: Annotated[int, Field(ge=1)] = 10_000
    """Facts of each stream that are kept for readers who come back; older ones lead to a `reset`."""
    live_longest_s: Annotated[float, Field(ge=0)] = 300.0
    """After this, or with the token, a live stream ends, to be opened again; with 0 as soon as it has said what there is."""
    traces_wished: Annotated[float, Field(ge=0)] = 10.0
    """Traces a second, on this replica, that are recorded because the caller says so; of others the sampler decides."""
    public_url: str | None = None
    """How the gateway is reached from outside, for links; taken from the request when not set."""
    operators_nats_url: str | None = None
    """Where operators' own systems reach NATS; told them in the AsyncAPI document, which names no server when it is not set."""
    trusted_proxies: str = "127.0.0.1"
    """Addresses whose X-Forwarded-For is believed."""
