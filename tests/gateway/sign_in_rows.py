"""Who may do what about signing in: the rows of the table for its routes."""

from __future__ import annotations

from typing import Any

from tests.gateway.cell import Cell
from tests.gateway.rows import HUB, OPERATORS, PEOPLE, Row
from tests.gateway.sign_in_things import signed_in

SESSIONS = "/v1/me/sessions"
PROVIDERS = "/v1/sign-in/providers"
API_TOKENS = f"{HUB}/api-tokens"


def _wish(_: Cell, hub: str, role: str) -> dict[str, Any]:
    return {"json": {"email": f"{role}.{hub}@nobody.example"}}


def _tokens(cell: Cell, *_: str) -> dict[str, Any]:
    """Whoever has a refresh token may use it; who sends it is not asked."""
    grant = signed_in(cell, cell.person("here", "member", "Signed In"))
    return {"headers": {"Foci-Refresh-Token": grant.refresh_token}}


def _new_token(*_: object) -> dict[str, Any]:
    return {"json": {"name": "Kiosk at the door", "purpose": "kiosk", "days": 1}}


SIGN_IN_TABLE: dict[tuple[str, str], Row] = {
    ("POST", "/v1/sign-in"): Row(202, 0, PEOPLE, signed_in=False, ask=_wish),
    ("GET", "/.well-known/jwks.json"): Row(200, 0, PEOPLE, signed_in=False),
    ("POST", "/v1/session/refresh"): Row(200, 0, PEOPLE, signed_in=False, ask=_tokens),
    ("POST", "/v1/session/sign-out"): Row(200, 0, PEOPLE, signed_in=False, ask=_tokens),
    ("GET", SESSIONS): Row(200, 0, PEOPLE),
    ("DELETE", SESSIONS): Row(200, 0, PEOPLE),
    ("GET", PROVIDERS): Row(200, 0, PEOPLE, signed_in=False),
    # There is none here; tests/gateway/test_providers.py has one.
    ("POST", f"{PROVIDERS}/{{provider}}/begin"): Row(404, 0, PEOPLE, signed_in=False),
    ("POST", f"{PROVIDERS}/{{provider}}"): Row(
        404, 0, PEOPLE, signed_in=False, ask=lambda *_: {"json": {"id_token": "x" * 40}}
    ),
    ("GET", API_TOKENS): Row(200, 403, OPERATORS),
    ("POST", API_TOKENS): Row(201, 403, OPERATORS, ask=_new_token),
    ("DELETE", f"{API_TOKENS}/{{api_token}}"): Row(200, 403, OPERATORS),
    # The session the address names is another person's.
    ("DELETE", f"{SESSIONS}/{{session}}"): Row(200, 404, ()),
}
