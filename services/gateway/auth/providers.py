"""Sign-in providers by configuration (OpenID Connect): their keys, and what one of their tokens says about somebody."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2
import jwt
from pydantic import BaseModel

from services.gateway.settings import Provider
from shared.contracts.directory.identities import GivenRole
from shared.kit.errors import Unavailable
from shared.kit.ids import Clock
from shared.kit.principal import Unauthenticated
from shared.kit.telemetry import logger

log = logger(__name__)

KEPT_S = 600.0
"""Seconds a provider's keys are kept."""
APART_S = 10.0
"""Seconds between two questions, however many tokens name keys it has not."""
LONGEST = 256 * 1024
"""Bytes of an answer that are read."""
PATIENCE_S = 3.0
AHEAD_S = 60.0
"""So far a provider's clock may be ahead of ours."""


class ProviderToken(BaseModel):
    """What a token says about somebody, as far as it is used."""

    subject: str
    nonce: str
    name: str
    email: str | None
    language: str
    roles: tuple[GivenRole, ...]


@dataclass
class Known:
    """A provider with its keys, as far as they have been asked for."""

    provider: Provider
    clock: Clock
    authorization_endpoint: str = ""
    keys: dict[str, jwt.PyJWK] = field(default_factory=dict)
    asked_at: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self, id_token: str) -> ProviderToken:
        """What the provider's token says; Unauthenticated when it is none of its, not for us, or past its time."""
        try:
            header = jwt.get_unverified_header(id_token)
            key = await self._key(header.get("kid"))
            claims = self._checked(id_token, key)
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError) as error:
            raise _invalid() from error
        return self._said(claims)

    async def _key(self, kid: object) -> jwt.PyJWK:
        await self.look(unknown=kid is not None and kid not in self.keys)
        if kid is None and len(self.keys) == 1:
            # A provider with one key need not name it (OpenID Connect Core 1.0, 10.1).
            return next(iter(self.keys.values()))
        if not isinstance(kid, str) or kid not in self.keys:
            raise _invalid()
        return self.keys[kid]

    def _checked(self, id_token: str, key: jwt.PyJWK) -> dict[str, Any]:
        now = self.clock().timestamp()
        claims: dict[str, Any] = jwt.decode(
            id_token,
            key.key,
            algorithms=[self.provider.algorithm],
            audience=self.provider.client_id,
            issuer=self.provider.issuer,
            options={
                "require": ["exp", "iat", "sub", "aud", "iss", "nonce"],
                "verify_exp": False,
                "verify_iat": False,
            },
        )
        # OpenID Connect Core 1.0, 3.1.3.7: made for us, in force, and not made for another by way of us.
        made_for = claims.get("azp", self.provider.client_id)
        if not claims["iat"] - AHEAD_S <= now < claims["exp"] or made_for != self.provider.client_id:
            raise _invalid()
        return claims

    def _said(self, claims: dict[str, Any]) -> ProviderToken:
        email = claims.get("email") if claims.get("email_verified") is True else None
        name = str(claims.get("name") or claims.get("preferred_username") or "").strip()[:200]
        return ProviderToken(
            subject=str(claims["sub"]),
            nonce=str(claims["nonce"]),
            name=name or "Somebody",
            email=email if isinstance(email, str) else None,
            language=str(claims.get("locale") or "en").partition("-")[0].lower(),
            roles=tuple(
                GivenRole(hub=rule.hub, role=rule.role)
                for rule in self.provider.roles
                if _has(claims.get(rule.claim), rule.value)
            ),
        )

    async def look(self, *, unknown: bool) -> None:
        """Ask for endpoints and keys when it is time, or when a new key is met."""
        if self._is_due(unknown):
            async with self.turn:
                if self._is_due(unknown):
                    await self._ask()

    def _is_due(self, unknown: bool) -> bool:
        return abs(self.clock().timestamp() - self.asked_at) >= (
            APART_S if unknown or not self.keys else KEPT_S
        )

    async def _ask(self) -> None:
        self.asked_at = self.clock().timestamp()
        try:
            async with httpx2.AsyncClient(
                timeout=PATIENCE_S, trust_env=False, follow_redirects=False
            ) as client:
                base = self.provider.issuer.rstrip("/")
                document = await self._fetched(client, f"{base}/.well-known/openid-configuration")
                keys = await self._fetched(client, self._keys_at(document))
            self.keys = {one.key_id or "": one for one in jwt.PyJWKSet.from_dict(keys).keys}
            self.authorization_endpoint = str(document["authorization_endpoint"])
        except (httpx2.HTTPError, jwt.PyJWTError, KeyError, ValueError, TypeError) as error:
            log.warning("sign-in provider not asked", provider=self.provider.name, error=type(error).__name__)
            if not self.keys:
                raise Unavailable(
                    "The sign-in provider is away. Try again shortly.", retry_after=10
                ) from error

    def _keys_at(self, document: dict[str, Any]) -> str:
        if document["issuer"] != self.provider.issuer:
            raise ValueError("it calls itself otherwise")
        return self.provider.jwks_uri or str(document["jwks_uri"])

    async def _fetched(self, client: httpx2.AsyncClient, url: str) -> dict[str, Any]:
        """A document of the provider. Only hosts that stand in the configuration are asked, whatever it names."""
        allowed = {_origin(self.provider.issuer), _origin(self.provider.jwks_uri or self.provider.issuer)}
        scheme = urlsplit(url).scheme
        if _origin(url) not in allowed or (scheme != "https" and not self.provider.plain_http):
            raise ValueError("it names another host")
        async with client.stream("GET", url) as answer:
            if answer.status_code != 200:
                raise ValueError("it did not answer 200")
            body = b""
            async for part in answer.aiter_bytes():
                body += part
                if len(body) > LONGEST:
                    raise ValueError("it says too much")
        document: dict[str, Any] = httpx2.Response(200, content=body).json()
        return document


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _has(claim: object, value: str) -> bool:
    return value in claim if isinstance(claim, list) else claim == value


def _invalid() -> Unauthenticated:
    return Unauthenticated("The provider's token is not valid. Begin the sign-in again.")
