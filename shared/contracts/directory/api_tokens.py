"""Requests directory answers about API tokens: what a hub's kiosks and systems prove themselves with."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from pydantic import AwareDatetime, Field, StringConstraints

from shared.contracts.base import Body, Line, Page, Plain, Reply, Request, Slug, View, described
from shared.contracts.directory.words import TokenPurpose

LONGEST_DAYS = 366
Hash = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class NewApiToken(Body):
    """What a token is for."""

    name: Line = described(
        "Where it is used, so that one knows which to revoke.", examples=["Kiosk at the door"]
    )
    purpose: TokenPurpose
    days: int = Field(default=90, ge=1, le=LONGEST_DAYS, description="So long it is good for.")


class ApiTokenView(View):
    """An API token as the hub's operators see it; the token itself was shown once."""

    id: UUID = described("Who acts with it: stands where a person's id would.")
    hub: Slug
    name: Line
    purpose: TokenPurpose
    created_by: UUID
    created_at: AwareDatetime
    expires_at: AwareDatetime
    revoked_at: AwareDatetime | None = None


class ApiTokenSecretView(ApiTokenView):
    """The same with the token, shown this once."""

    token: str = described("Send it as `Authorization: Bearer …`.")


class _InHub(Request[Reply]):
    service = "directory"

    hub: Slug


class MakeApiToken(NewApiToken, _InHub[ApiTokenSecretView]):
    """Make a token for a kiosk or a system of the hub; only a hash of it is kept."""

    operation = "make-api-token"
    reply = ApiTokenSecretView
    changes = True
    created = True


class ApiTokenPage(Page):
    """A hub's tokens, the newest first."""

    items: tuple[ApiTokenView, ...]


class ListApiTokens(_InHub[ApiTokenPage]):
    """The hub's tokens, those that are over for a while, too."""

    operation = "list-api-tokens"
    reply = ApiTokenPage

    limit: int = Field(default=50, ge=1, le=100)
    cursor: Plain | None = Field(default=None, max_length=200)


class RevokeApiToken(_InHub[ApiTokenView]):
    """End a token: the next request with it is refused. Revoked twice is revoked."""

    operation = "revoke-api-token"
    reply = ApiTokenView
    changes = True

    token: UUID


class ApiTokenAccess(View):
    """What a token is good for now."""

    id: UUID
    hub: Slug
    purpose: TokenPurpose


class CheckApiToken(Request[ApiTokenAccess]):
    """Which token is this, if it is one that counts? Asked at each request, so that a revoked one ends at once."""

    service = "directory"
    operation = "check-api-token"
    reply = ApiTokenAccess

    hash: Hash = described("SHA-256 of the token: itself it goes no further than the door.")
