"""Requests directory answers about people whom somebody else has signed in: a city, a company, a university (OIDC)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AwareDatetime, EmailStr, StringConstraints

from shared.contracts.base import Language, Line, Plain, Reply, Request, Slug, View, described
from shared.contracts.directory.sessions import Agent, Grant, Secret
from shared.contracts.directory.words import Role

Issuer = Annotated[Plain, StringConstraints(min_length=1, max_length=500)]


class _OfDirectory(Request[Reply]):
    service = "directory"


class NonceView(View):
    """A word that the provider's token has to repeat; it works once."""

    nonce: str
    until: AwareDatetime


class MakeNonce(_OfDirectory[NonceView]):
    """A nonce for signing in with a provider."""

    operation = "make-nonce"
    reply = NonceView
    changes = True

    issuer: Issuer


class GivenRole(View):
    """A role that somebody has in a hub because the provider says what they are."""

    hub: Slug
    role: Role


class ExchangeIdentity(_OfDirectory[Grant]):
    """A session for somebody whose provider's token the gateway has checked; the nonce is used up by it."""

    operation = "exchange-identity"
    reply = Grant
    changes = True

    provider: Slug
    issuer: Issuer
    subject: Issuer
    nonce: Secret
    name: Line
    email: EmailStr | None = described("Only when the provider has verified it.", default=None)
    language: Language = "en"
    roles: tuple[GivenRole, ...] = ()
    agent: Agent = ""
