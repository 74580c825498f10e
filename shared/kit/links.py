"""Links in messages: signed words about what may be done for whom until when; who prints them signs, the door reads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
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
    """What one link does: `purpose` with somebody's sign-up as it was in `version`, and nothing else."""

    purpose: LinkPurpose
    hub: str
    event: UUID
    sign_up: UUID
    person: UUID
    version: int


def sign_link(link: Link, expires_at: datetime, key: Ed25519PrivateKey, cell: str) -> str:
    """The token of a link, good in one cell until it expires; at most LONGEST_TOKEN characters of URL text."""
    claims = {
        "iss": ISSUER,
        "aud": cell,
        "sub": link.person.hex,
        "exp": int(expires_at.timestamp()),
        "do": link.purpose.value,
        "hub": link.hub,
        "on": link.event.hex,
        "id": link.sign_up.hex,
        "v": link.version,
    }
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
            return Link(
                purpose=LinkPurpose(claims["do"]),
                hub=str(claims["hub"]),
                event=UUID(hex=claims["on"]),
                sign_up=UUID(hex=claims["id"]),
                person=UUID(hex=claims["sub"]),
                version=int(claims["v"]),
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError):
            raise _invalid() from None


def _invalid() -> LinkInvalid:
    return LinkInvalid("This link is not valid, or not any more. Ask for a new one where you signed up.")
