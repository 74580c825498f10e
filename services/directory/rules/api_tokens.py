"""The rules of API tokens: how many a hub has, and what each may at most."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from shared.contracts.directory.words import Role, TokenPurpose
from shared.kit.errors import Conflict
from shared.kit.principal import Unauthenticated

MOST = 50
"""Tokens of a hub that count at once."""
KEPT = timedelta(days=30)
"""So long one that is over stays in the list."""
ROLES: Mapping[TokenPurpose, Role] = {
    TokenPurpose.KIOSK: Role.HOST,
    TokenPurpose.OCCUPANCY: Role.VISITOR,
    TokenPurpose.WEBHOOKS: Role.OPERATOR,
}
"""What a token is in its hub; the gateway lets it do only what its purpose needs of that."""


class TooManyApiTokens(Conflict):
    """The hub has as many as it can have."""

    code = "too-many-api-tokens"
    title = "Too many API tokens"


def refused() -> Unauthenticated:
    """The refusal, the same for a token that never was and for one that is over."""
    return Unauthenticated("The token is not valid. Get a new one.")
