"""Links in messages: signed words about what may be done for whom until when; who prints them signs, the door reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from shared.contracts.links import LinkPurpose
from shared.kit.errors import NotFound

ALGORITHM = "EdDSA"
ISSUER = "foci-link"
LONGEST_TOKEN = 600


class LinkInvalid(NotFound):
    """The link is none of this cell's, has been changed on its way, or is past its time."""

    code = "link-invalid"
    title = "The link is not valid"


@dataclass(frozen=True)
class Link:
    """What one link does for `person` at `hub`, and nothing else.

    With a sign-up: `purpose` with it as it was in `version`. UNSUBSCRIBE: mail of these `kinds` from this hub ends.
    SIGN_IN: the one sign-in that was asked for.
    ValueError when the purpose needs what is not named.
    """

    purpose: LinkPurpose
    hub: str
    person: UUID
    event: UUID | None = None
    sign_up: UUID | None = None
    version: int = 0
    kinds: tuple[str, ...] = ()
    sign_in: UUID | None = None

    def __post_init__(self) -> None:
        if self.purpose is LinkPurpose.UNSUBSCRIBE:
            if not self.kinds:
                raise ValueError("a link to unsubscribe names kinds of notices")
        elif self.purpose is LinkPurpose.SIGN_IN:
            if self.sign_in is None:
                raise ValueError("a link to sign in names what was asked for")
        elif self.event is None or self.sign_up is None:
            raise ValueError(f"a link to {self.purpose} names an event and a sign-up")


def sign_link(link: Link, expires_at: datetime, key: Ed25519PrivateKey, cell: str) -> str:
    """The token of a link, good in one cell until it expires; at most LONGEST_TOKEN characters of URL text."""
    claims: dict[str, Any] = {
        "iss": ISSUER,
        "aud": cell,
        "sub": link.person.hex,
        "exp": int(expires_at.timestamp()),
        "do": link.purpose.value,
        "hub": link.hub,
    }
    if link.event is not None and link.sign_up is not None:
        claims |= {"on": link.event.hex, "id": link.sign_up.hex, "v": link.version}
    if link.sign_in is not None:
        claims["id"] = link.sign_in.hex
    if link.kinds:
        claims["kinds"] = list(link.kinds)
    return jwt.encode(claims, key, algorithm=ALGORITHM)


class LinkReader:
    """Reads the links of one cell."""

    def __init__(self, public_key: Ed25519PublicKey, cell: str) -> None:
        self._key = public_key
        self._cell = cell

    def read(self, token: str, now: datetime) -> Link:
        """What the link is for; LinkInvalid, which does not say why, for anything that is no link of ours."""
        try:
            claims = jwt.decode(
                token if len(token) <= LONGEST_TOKEN else "",
                self._key,
                algorithms=[ALGORITHM],
                audience=self._cell,
                issuer=ISSUER,
                # The time is given, not taken from the machine.
                options={"require": ["exp", "sub"], "verify_exp": False, "verify_iat": False},
            )
            if claims["exp"] <= now.timestamp():
                raise _invalid()
            return _link(claims)
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError):
            raise _invalid() from None


def _link(claims: Mapping[str, Any]) -> Link:
    purpose, hub, person = LinkPurpose(claims["do"]), str(claims["hub"]), UUID(hex=claims["sub"])
    if purpose is LinkPurpose.UNSUBSCRIBE:
        return Link(purpose, hub, person, kinds=_words(claims["kinds"]))
    if purpose is LinkPurpose.SIGN_IN:
        return Link(purpose, hub, person, sign_in=UUID(hex=claims["id"]))
    event, sign_up = UUID(hex=claims["on"]), UUID(hex=claims["id"])
    return Link(purpose, hub, person, event=event, sign_up=sign_up, version=int(claims["v"]))


def _words(claim: object) -> tuple[str, ...]:
    if not isinstance(claim, list) or not all(isinstance(word, str) for word in claim):
        raise TypeError("a list of words")
    return tuple(claim)


def _invalid() -> LinkInvalid:
    return LinkInvalid("This link is not valid, or not any more. Ask for a new one where you signed up.")
