"""`/v1/sign-in`: asking for a link by mail; and the keys with which anybody can check access tokens."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import JSON, static
from services.gateway.routes.parts import Ask, StrictRoute, said
from shared.contracts.base import View
from shared.contracts.directory.sessions import RequestSignIn, SignInAsked, SignInWish
from shared.kit.principal import ALGORITHM

router = APIRouter(route_class=StrictRoute, tags=["sign-in"])

JWKS_FOR = "public, max-age=300"
"""Shorter than keys are published before they sign."""


class PublishedKey(View):
    """A public key as RFC 7517 and RFC 8037 write it."""

    kid: str
    kty: str
    crv: str
    alg: str
    use: str
    x: str


class PublishedKeys(View):
    """A JSON Web Key Set."""

    keys: list[PublishedKey]


@router.post("/v1/sign-in", status_code=202, response_model=SignInAsked, responses=refusals())
async def request_sign_in(request: Request, ask: Ask, body: SignInWish) -> Response:
    """Have a link mailed that signs in. The answer is the same whether anybody has the address here or not.

    The link works once, for a quarter of an hour. How often one may be asked for is limited, for each address and for each
    place on the network.
    """
    client = request.client.host if request.client else "unknown"
    reply = await ask.ask(RequestSignIn(**said(body), client=client[:64]), person=None)
    return Response(reply.body, status_code=202, media_type=JSON, headers={"Cache-Control": "no-store"})


@router.get("/.well-known/jwks.json", response_model=PublishedKeys, responses=NOT_MODIFIED | refusals())
async def get_token_keys(request: Request) -> Response:
    """The keys that access tokens are signed with (RFC 7517). A new one is here a quarter of an hour before it signs."""
    known = await request.app.state.services.authenticator.keys.listed()
    fixed: dict[str, Any] = {"kty": "OKP", "crv": "Ed25519", "alg": ALGORITHM, "use": "sig"}
    keys = [{"kid": one.kid, **fixed, "x": one.x} for one in known.items]
    response = static(request, orjson.dumps({"keys": keys}))
    response.headers["Cache-Control"] = JWKS_FOR
    return response
