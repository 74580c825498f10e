"""Notices, webhooks, deliveries and links to unsubscribe, in the state in which a route can act on them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import jwt

from shared.contracts.directory.requests import EnsurePerson
from shared.contracts.directory.words import Role
from shared.contracts.links import LinkPurpose
from shared.kit.links import Link, sign_link
from shared.kit.principal import load_private_key
from tests.gateway.cell import CELL, Cell, eventually
from tests.notify.post_office import Taken

WEBHOOKS = "/v1/hubs/{hub}/webhooks"
RARE = "foci.notify.webhook-resumed.v1"
MOST = 18
"""A hub may have two more; the oldest make room."""


def unsubscribe_link(
    cell: Cell, person: UUID, hub: str, *kinds: str, good_for: timedelta = timedelta(days=365)
) -> str:
    """The address of such a link as it stands in a mail's header."""
    link = Link(LinkPurpose.UNSUBSCRIBE, hub, person, kinds=kinds)
    token = sign_link(link, cell.clock() + good_for, load_private_key(cell.link_key), CELL)
    return f"/v1/links/{token}"


def webhook_for(cell: Cell, hub: str, **more: Any) -> dict[str, Any]:
    """A webhook of the hub to the cell's own target, with its secret; it is sent little unless `types` says what."""
    url, auth = WEBHOOKS.format(hub=hub), cell.auth(hub, "operator")
    there = cell.http.get(url, headers=auth).json()["items"]
    for old in there[: max(0, len(there) - MOST + 1)]:
        assert cell.http.delete(f"{url}/{old['id']}", headers=auth).status_code == 200
    body = {"url": cell.outside.target.url, "types": [RARE], **more}
    added = cell.http.post(url, json=body, headers=auth)
    assert added.status_code == 201, added.text
    made: dict[str, Any] = added.json()
    return made


def delivery_for(cell: Cell, hub: str, webhook: str) -> dict[str, Any]:
    """What became of a test message to the webhook."""
    url, auth = f"{WEBHOOKS.format(hub=hub)}/{webhook}", cell.auth(hub, "operator")
    sent = cell.http.post(f"{url}/test", headers=auth)
    assert sent.status_code == 201, sent.text
    address = f"{url}/deliveries/{sent.json()['id']}"

    def settled() -> Any:
        one = cell.http.get(address, headers=auth).json()
        return one if one["state"] != "waiting" else None

    found: dict[str, Any] = eventually("the test message has arrived", settled)
    return found


def reachable(cell: Cell, hub: str, name: str, email: str, *, language: str = "en") -> dict[str, str]:
    """The header of a member with an address, who is mailed at any hour."""
    wanted = EnsurePerson(hub=hub, name=name, role=Role.MEMBER, email=email, language=language)
    auth = {"Authorization": f"Bearer {cell.token_of(cell.as_admin(wanted).id)}"}
    awake(cell, auth)
    return auth


def mail_to(cell: Cell, email: str, *, number: int = 1) -> Taken:
    """The latest mail to an address, when there are so many of them."""

    def found() -> list[Taken]:
        mails = cell.outside.post.mails_to(email)
        return mails if len(mails) >= number else []

    return eventually(f"mail number {number} to {email}", found)[-1]


@dataclass
class Mailed:
    """The links people, or whoever has one address, have been mailed after so many mails."""

    cell: Cell
    since: int
    to: str | None = None

    def links(self, purpose: str, sign_up: str | None = None) -> list[str]:
        """The addresses of those with a purpose, about one sign-up if it is named."""
        post = self.cell.outside.post
        texts = [
            str(body.get_content())
            for mail in (post.taken if self.to is None else post.mails_to(self.to))[self.since :]
            if (body := mail.message.get_body(("plain",))) is not None
        ]
        found = []
        for token in (token for text in texts for token in re.findall(r"/v1/links/([\w.-]+)", text)):
            claims = jwt.decode(token, options={"verify_signature": False})
            about = UUID(claims["id"]) if "id" in claims else None
            if claims["do"] == purpose and sign_up in (None, str(about)):
                found.append(f"/v1/links/{token}")
        return found

    def link(self, purpose: str, sign_up: str | None = None, *, number: int = 1) -> str:
        """The latest of them, when there are so many."""

        def there() -> list[str]:
            links = self.links(purpose, sign_up)
            return links if len(links) >= number else []

        return eventually(f"a link to {purpose}", there)[-1]


def awake(cell: Cell, auth: dict[str, str]) -> None:
    """Somebody is mailed at night too: tests run at any hour."""
    version = cell.http.get("/v1/me/choices", headers=auth).headers["etag"]
    quiet = {"quiet": {"start": "03:00", "end": "03:00"}}
    chosen = cell.http.patch("/v1/me/choices", json=quiet, headers={**auth, "If-Match": version})
    assert chosen.status_code == 200, chosen.text


def notice_for(cell: Cell, hub: str, who: dict[str, str]) -> dict[str, Any]:
    """The notice of what somebody has just booked in the hub."""
    body = {"space": "flex", **cell.slot(day=20)}
    booked = cell.http.post(f"/v1/hubs/{hub}/bookings", json=body, headers=who)
    assert booked.status_code == 201, booked.text

    def told() -> Any:
        # Of many: they may have been told of something else meanwhile.
        items = cell.http.get("/v1/me/notices?limit=100", headers=who).json()["items"]
        return next((one for one in items if one["items"][0]["thing"] == booked.json()["id"]), None)

    found: dict[str, Any] = eventually("the booking is told of", told)
    return found


def things_of_notify(cell: Cell, hub: str, path: str, whose: dict[str, str]) -> dict[str, str]:
    """What the address of a route of notify names: the hub's webhook, somebody's notice."""
    made: dict[str, str] = {}
    if "{webhook}" in path:
        made["webhook"] = str(webhook_for(cell, hub)["id"])
        if "{delivery}" in path:
            made["delivery"] = str(delivery_for(cell, hub, made["webhook"])["id"])
    if "{notice}" in path:
        made["notice"] = str(notice_for(cell, hub, whose)["id"])
    return made
