"""Sign-in providers by configuration (OpenID Connect): their keys, and what one of their tokens says about somebody."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx2
import jwt
from pydantic import BaseModel, EmailStr, TypeAdapter, ValidationError

from services.gateway.settings import Provider
from shared.contracts.base import Language, Line
from shared.contracts.directory.identities import GivenRole, Issuer
from shared.contracts.directory.sessions import Secret
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
"""Seconds until both answers must be there; everybody who comes meanwhile waits for them."""
AHEAD_S = 60.0
"""So far a provider's clock may be ahead of ours."""


T = TypeVar("T")
_LINE: TypeAdapter[str] = TypeAdapter(Line)
_EMAIL: TypeAdapter[str] = TypeAdapter(EmailStr)
_LANGUAGE: TypeAdapter[str] = TypeAdapter(Language)
NAMELESS = "Somebody"
# What reading somebody else's JSON raises, whatever stands in it.
_NOT_AS_IT_SHOULD_BE = (KeyError, ValueError, TypeError, AttributeError)


class ProviderToken(BaseModel):
    """What a token says about somebody, as far as it is used."""

    subject: Issuer
    nonce: Secret
    name: Line
    email: EmailStr | None
    language: Language
    roles: tuple[GivenRole, ...]


@dataclass(frozen=True)
class Said:
    """What a provider has said of itself: where it signs people in, and the keys of its tokens."""

    authorization_endpoint: str
    keys: Mapping[str, jwt.PyJWK]


@dataclass
class Known:
    """A provider with what it has said of itself, once it has been asked."""

    provider: Provider
    clock: Clock
    said: Said | None = None
    asked_at: float = 0.0
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self, id_token: str) -> ProviderToken:
        """What the provider's token says; Unauthenticated when it is none of its, not for us, or past its time."""
        try:
            header = jwt.get_unverified_header(id_token)
            key = await self._key(header.get("kid"))
            return self._read(self._checked(id_token, key))
        except (jwt.PyJWTError, *_NOT_AS_IT_SHOULD_BE) as error:
            raise _invalid() from error

    async def _key(self, kid: object) -> jwt.PyJWK:
        keys = (await self.look(kid=kid)).keys
        if kid is None and len(keys) == 1:
            # A provider with one key need not name it (OpenID Connect Core 1.0, 10.1).
            return next(iter(keys.values()))
        if not isinstance(kid, str) or kid not in keys:
            raise _invalid()
        return keys[kid]

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

    def _read(self, claims: dict[str, Any]) -> ProviderToken:
        # Only who it is and for which sign-in must be right: what else we cannot keep as it is written does not shut them out.
        email = claims.get("email") if claims.get("email_verified") is True else None
        language = str(claims.get("locale") or "").replace("_", "-").partition("-")[0].lower()
        return ProviderToken(
            subject=str(claims["sub"]),
            nonce=str(claims["nonce"]),
            name=_name(claims.get("name")) or _name(claims.get("preferred_username")) or NAMELESS,
            email=_fitting(_EMAIL, email),
            language=_fitting(_LANGUAGE, language) or "en",
            roles=tuple(
                GivenRole(hub=rule.hub, role=rule.role)
                for rule in self.provider.roles
                if _has(claims.get(rule.claim), rule.value)
            ),
        )

    async def look(self, *, kid: object = None) -> Said:
        """What the provider says of itself, asked when it is time or a new key is met; Unavailable when nothing is known.

        Who comes while it is being asked waits for the answer.
        """
        if self._is_due(kid):
            async with self.turn:
                if self._is_due(kid):
                    await self._ask()
        if self.said is None:
            raise Unavailable("The sign-in provider is away. Try again shortly.", retry_after=10)
        return self.said

    def _is_due(self, kid: object) -> bool:
        familiar = self.said is not None and (kid is None or kid in self.said.keys)
        return abs(self.clock().timestamp() - self.asked_at) >= (KEPT_S if familiar else APART_S)

    async def _ask(self) -> None:
        try:
            async with (
                asyncio.timeout(PATIENCE_S),
                httpx2.AsyncClient(timeout=None, trust_env=False, follow_redirects=False) as client,
            ):
                base = self.provider.issuer.rstrip("/")
                document = await self._fetched(client, f"{base}/.well-known/openid-configuration")
                keys = await self._fetched(client, self._keys_at(document))
            self.said = Said(
                str(document["authorization_endpoint"]),
                {one.key_id or "": one for one in jwt.PyJWKSet.from_dict(keys).keys},
            )
        except (httpx2.HTTPError, TimeoutError, jwt.PyJWTError, *_NOT_AS_IT_SHOULD_BE) as error:
            # Keys that are known go on: a provider that is away for a while does not sign anybody out.
            log.warning("sign-in provider not asked", provider=self.provider.name, error=type(error).__name__)
        # Only now: whoever comes while it is being asked finds that it is due, and waits for their turn.
        self.asked_at = self.clock().timestamp()

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


def _fitting(kind: TypeAdapter[T], value: object) -> T | None:
    try:
        return kind.validate_python(value)
    except ValidationError:
        return None


def _name(written: object) -> str | None:
    """A name as we can keep it: without what is hidden in it when it cannot be kept as it is written."""
    said = written.strip()[:200] if isinstance(written, str) else ""
    return _fitting(_LINE, said) or _fitting(_LINE, "".join(filter(str.isprintable, said)))


def _invalid() -> Unauthenticated:
    return Unauthenticated("The provider's token is not valid. Begin the sign-in again.")
