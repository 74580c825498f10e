"""Sessions and links to sign in with, in the state in which a route can act on them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from services.directory.commands import sessions, token_keys
from services.directory.commands.sessions import Mint
from services.directory.rules.tokens import SigningKey
from services.directory.settings import Settings
from shared.contracts.directory.sessions import Grant
from shared.contracts.links import LinkPurpose
from shared.kit.ids import new_id
from tests.gateway.cell import CELL, Cell
from tests.gateway.notify_things import Mailed


def signed_in(cell: Cell, person: UUID, *, agent: str = "A browser") -> Grant:
    """The tokens of somebody who has just signed in, however they did it."""
    service = cell.services["directory"]
    settings = service.settings
    assert isinstance(settings, Settings)
    mint = Mint(CELL, settings.secret_key.get_secret_value(), cell.chance.randbytes, new_id)

    async def begin() -> Grant:
        async with service.database.transaction() as session:
            return await sessions.start(session, person, via="link", agent=agent, now=cell.clock(), mint=mint)

    return cell.run(begin())


def comes_from_a_provider(cell: Cell, person: UUID) -> None:
    """A provider has signed them in before."""
    cell.sql(
        "directory",
        f"INSERT INTO identity VALUES ('https://id.nordviken.example', 'them', '{person}', now())",  # an id
    )


def signing_key(cell: Cell) -> SigningKey:
    """The key that signs access tokens now, which nobody but directory has."""
    service = cell.services["directory"]
    settings = service.settings
    assert isinstance(settings, Settings)
    secret = settings.secret_key.get_secret_value()

    async def found() -> SigningKey:
        async with service.database.reading() as session:
            return await token_keys.signing_key(session, secret=secret, now=cell.clock())

    return cell.run(found())


MOST = 40
"""A hub may have ten more; the oldest make room."""


def api_token(cell: Cell, hub: str, purpose: str, **more: Any) -> dict[str, Any]:
    """A token of the hub, with itself."""
    url, auth = f"/v1/hubs/{hub}/api-tokens", cell.auth(hub, "operator")
    there = [
        one
        for one in cell.http.get(f"{url}?limit=100", headers=auth).json()["items"]
        if not one["revoked_at"]
    ]
    for old in there[MOST:]:
        assert cell.http.delete(f"{url}/{old['id']}", headers=auth).status_code == 200
    made = cell.http.post(url, json={"name": "Of a test", "purpose": purpose, **more}, headers=auth)
    assert made.status_code == 201, made.text
    found: dict[str, Any] = made.json()
    return found


def holder(cell: Cell, hub: str, purpose: str) -> dict[str, str]:
    """The header that a kiosk or system of the hub sends."""
    return {"Authorization": f"Bearer {api_token(cell, hub, purpose)['token']}"}


def mailed_link(cell: Cell, email: str, **more: str) -> str:
    """The address in the mail that whoever has this address is sent when they want to sign in."""
    mailed = Mailed(cell, len(cell.outside.post.mails_to(email)), email)
    asked = cell.http.post("/v1/sign-in", json={"email": email, **more})
    assert (asked.status_code, asked.json()) == (202, {"minutes": 15})
    return mailed.link(LinkPurpose.SIGN_IN)  # other mails may come meanwhile, with other links


def things_of_sign_in(cell: Cell, hub: str, path: str, *, operators: bool) -> dict[str, str]:
    """What the address of a route about signing in names: another member's session, or the operator's own."""
    if "{provider}" in path:
        return {"provider": "nobody"}
    if "{api_token}" in path:
        return {"api_token": api_token(cell, hub, "kiosk")["id"]}
    if "{session}" not in path:
        return {}
    whose = cell.person(hub, "operator") if operators else cell.person(hub, "member", "Signed In")
    return {"session": str(signed_in(cell, whose).session)}
