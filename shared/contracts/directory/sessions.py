"""Requests directory answers about signing in: links by mail, sessions, and the keys their tokens are signed with."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import AwareDatetime, EmailStr, Field, StringConstraints

from shared.contracts.base import Body, Page, Plain, Reply, Request, Slug, View, described
from shared.contracts.links import LinkPurpose

Secret = Annotated[str, StringConstraints(min_length=20, max_length=200, pattern=r"^[A-Za-z0-9_-]+$")]
"""A token as somebody was given it."""
Agent = Annotated[Plain, StringConstraints(max_length=200)]
"""What a browser or program calls itself."""


class _OfDirectory(Request[Reply]):
    service = "directory"


class SignInWish(Body):
    """Who wants to sign in."""

    email: EmailStr = described(
        "Where the link goes, if somebody has it here.", examples=["nora@people.example"]
    )
    hub: Slug | None = described("The hub they are at: the mail comes in its name.", default=None)


class SignInAsked(View):
    """The same whoever asks for whatever address: whether somebody has it here is not for others to find out."""

    minutes: int = described("So long the link works, once, if there is one.")


class RequestSignIn(SignInWish, _OfDirectory[SignInAsked]):
    """Send a link that signs in to whoever has this address, if anybody."""

    operation = "request-sign-in"
    reply = SignInAsked
    changes = True

    client: Plain = described("Where the wish comes from: an address, counted and not kept.", max_length=64)


class SignInView(View):
    """What a link to sign in would do."""

    purpose: Literal[LinkPurpose.SIGN_IN] = LinkPurpose.SIGN_IN
    hub: Slug
    until: AwareDatetime
    used: bool = described("It works once.")


class _OneSignIn(_OfDirectory[Reply]):
    hub: Slug
    sign_in: UUID


class GetSignIn(_OneSignIn[SignInView]):
    """What a link to sign in would do; asked as the person it is for."""

    operation = "get-sign-in"
    reply = SignInView


class Grant(View):
    """A session's tokens: one to act with for some minutes, one to get the next with."""

    access_token: str = described("Send it as `Authorization: Bearer …`.")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  # a kind of token (RFC 6750)
    expires_in: int = described("Seconds the access token is good for.")
    refresh_token: str | None = described(
        "Gets the next access token and is replaced by it; null where the browser keeps it as a cookie.",
        default=None,
    )
    session: UUID
    person: UUID
    ends_at: AwareDatetime = described("When one has to sign in again.")


class RedeemSignIn(_OneSignIn[Grant]):
    """Sign in with a link, once; asked as the person it is for."""

    operation = "redeem-sign-in"
    reply = Grant
    changes = True

    agent: Agent = ""


class RefreshSession(_OfDirectory[Grant]):
    """The next tokens of a session. A refresh token that was replaced before ends the session: somebody has copied it."""

    operation = "refresh-session"
    reply = Grant
    changes = True

    token: Secret
    agent: Agent = ""


class SignedOut(View):
    """So many sessions have ended with it."""

    sessions: int


class SignOut(_OfDirectory[SignedOut]):
    """End the session a refresh token belongs to; one that is none any more ends nothing."""

    operation = "sign-out"
    reply = SignedOut
    changes = True

    token: Secret


class SessionView(View):
    """A session of one's own: some browser or program that is signed in."""

    id: UUID
    started_at: AwareDatetime
    seen_at: AwareDatetime = described("When it got its latest tokens.")
    ends_at: AwareDatetime
    agent: str = described("What the browser or program called itself, shortened.")
    via: str = described("How it began: `link`, or the name of a sign-in provider.")


class SessionPage(Page):
    """Sessions, the latest used first."""

    items: tuple[SessionView, ...]


class ListMySessions(_OfDirectory[SessionPage]):
    """Where I am signed in."""

    operation = "list-my-sessions"
    reply = SessionPage

    limit: int = Field(default=50, ge=1, le=100)
    cursor: Plain | None = Field(default=None, max_length=200)


class EndMySession(_OfDirectory[SessionView]):
    """End one of my sessions; ended twice is ended."""

    operation = "end-my-session"
    reply = SessionView
    changes = True

    session: UUID


class EndMySessions(_OfDirectory[SignedOut]):
    """End all of my sessions."""

    operation = "end-my-sessions"
    reply = SignedOut
    changes = True


class TokenKey(View):
    """A public key (Ed25519) that access tokens are checked with."""

    kid: str = described("Its name in a token's header.")
    x: str = described("The key, as RFC 8037 writes it: base64url without padding.")
    until: AwareDatetime | None = described(
        "When the last token it signed has ended; null while it signs or will.", default=None
    )


class TokenKeys(View):
    """The keys that may be met now, the newest first: published before they sign, until their last token has ended."""

    items: tuple[TokenKey, ...]


class GetTokenKeys(_OfDirectory[TokenKeys]):
    """The keys that access tokens are checked with."""

    operation = "get-token-keys"
    reply = TokenKeys


class RotateTokenKeys(_OfDirectory[TokenKeys]):
    """Make a new key for access tokens. It is published a while before it signs; `at_once` for a key that has leaked."""

    operation = "rotate-token-keys"
    reply = TokenKeys
    changes = True
    admin = True

    at_once: bool = described("The new key signs now, and tokens of the older ones end now.", default=False)
