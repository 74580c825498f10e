"""Who may do what with notices, choices and webhooks: the rows of the table for their routes."""

from __future__ import annotations

from typing import Any

from tests.gateway.cell import Cell
from tests.gateway.notify_things import RARE
from tests.gateway.rows import HUB, OPERATORS, PEOPLE, VERSION, Row, headers_of

WEBHOOK = f"{HUB}/webhooks/{{webhook}}"
DELIVERY = f"{WEBHOOK}/deliveries/{{delivery}}"
BOUNCES = "/v1/mail/bounces"
BOUNCE = {"message_id": "<nobody.knows.this.one@foci.example>", "status": "5.1.1"}


def _webhook(cell: Cell, *_: str) -> dict[str, Any]:
    return {"json": {"url": cell.outside.target.url, "types": [RARE]}}


def _choices(cell: Cell, _: str, role: str) -> dict[str, Any]:
    body = {"json": {"choices": [{"kind": "programme", "channel": "email", "when": "off"}]}}
    seen = cell.http.get("/v1/me/choices", headers=headers_of(cell, role))
    return body | ({"headers": {"If-Match": seen.headers["etag"]}} if seen.status_code == 200 else VERSION)


# The notice the address names is another person's; webhooks are for those who run the hub and nobody else.
NOTIFY_TABLE: dict[tuple[str, str], Row] = {
    ("GET", "/v1/me/notices"): Row(200, 0, PEOPLE),
    ("POST", "/v1/me/notices/read"): Row(200, 0, PEOPLE, ask=lambda *_: {"json": {}}),
    ("GET", "/v1/me/notices/{notice}"): Row(200, 404, ()),
    ("GET", "/v1/me/choices"): Row(200, 0, PEOPLE),
    ("PATCH", "/v1/me/choices"): Row(200, 0, PEOPLE, ask=_choices),
    ("GET", f"{HUB}/webhooks"): Row(200, 403, OPERATORS),
    ("POST", f"{HUB}/webhooks"): Row(201, 403, OPERATORS, ask=_webhook),
    ("GET", WEBHOOK): Row(200, 403, OPERATORS),
    ("PATCH", WEBHOOK): Row(200, 403, OPERATORS, ask=lambda *_: {"json": {"name": "Board"}, **VERSION}),
    ("DELETE", WEBHOOK): Row(200, 403, OPERATORS),
    ("POST", f"{WEBHOOK}/rotate-secret"): Row(200, 403, OPERATORS),
    ("POST", f"{WEBHOOK}/test"): Row(201, 403, OPERATORS),
    ("GET", f"{WEBHOOK}/deliveries"): Row(200, 403, OPERATORS),
    ("GET", DELIVERY): Row(200, 403, OPERATORS),
    ("POST", f"{DELIVERY}/redeliver"): Row(200, 403, OPERATORS),
    # The mail server has a token of its own; no person's opens this.
    ("POST", BOUNCES): Row(200, 401, (), ask=lambda *_: {"json": BOUNCE}),
}
