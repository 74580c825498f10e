"""`/v1/sign-in/providers`: signing in with what a city, a company or a university says (OpenID Connect)."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request
from pydantic import StringConstraints
from starlette.responses import Response

from services.gateway.auth.providers import Known
from services.gateway.documents import NOT_MODIFIED, refusals
from services.gateway.responses import JSON, static
from services.gateway.routes.cookies import check_not_cross_site
from services.gateway.routes.parts import Ask, StrictRoute
from services.gateway.routes.sessions import NEVER_KEPT, agent_of, granted
from shared.contracts.base import SLUG_PATTERN, Body, View
from shared.contracts.directory.identities import ExchangeIdentity, MakeNonce, NonceView
from shared.contracts.directory.sessions import Grant
from shared.kit.errors import NotFound

router = APIRouter(route_class=StrictRoute, prefix="/v1/sign-in/providers", tags=["sign-in"])

ProviderName = Annotated[str, Path(pattern=SLUG_PATTERN, description="The provider's name.")]


class ProviderView(View):
    """A provider one can sign in with."""

    name: str
    issuer: str
    client_id: str


class Providers(View):
    """All of them."""

    items: list[ProviderView]


class Beginning(NonceView):
    """What a frontend asks the provider with (authorization code flow with PKCE)."""

    authorization_endpoint: str
    client_id: str
    scope: str = "openid profile email"


class IdToken(Body):
    """What the provider has given."""

    id_token: Annotated[str, StringConstraints(min_length=20, max_length=8192)]
    cookie: bool = False
    """True for browsers: what gets the next tokens is kept as a cookie, and not shown."""


@router.get("", response_model=Providers, responses=NOT_MODIFIED | refusals())
async def list_providers(request: Request) -> Response:
    """Whom one can sign in with, beside the mailed link."""
    known: dict[str, Known] = request.app.state.providers
    items = [
        {"name": one.provider.name, "issuer": one.provider.issuer, "client_id": one.provider.client_id}
        for one in known.values()
    ]
    return static(request, orjson.dumps({"items": items}))


@router.post("/{provider}/begin", response_model=Beginning, responses=refusals())
async def begin_with_provider(request: Request, ask: Ask, provider: ProviderName) -> Response:
    """A nonce for one sign-in, and where the provider is to be asked with it."""
    known = _known(request, provider)
    there = await known.look()
    reply = await ask.ask(MakeNonce(issuer=known.provider.issuer), person=None)
    said = NonceView.model_validate_json(reply.body)
    begun = Beginning(
        **said.model_dump(),
        authorization_endpoint=there.authorization_endpoint,
        client_id=known.provider.client_id,
    )
    return Response(begun.model_dump_json(), media_type=JSON, headers=NEVER_KEPT)


@router.post("/{provider}", response_model=Grant, responses=refusals())
async def sign_in_with_provider(
    request: Request, ask: Ask, provider: ProviderName, body: IdToken
) -> Response:
    """Exchange the provider's ID token, once, for a session here."""
    check_not_cross_site(request, browsers_only=False)
    known = _known(request, provider)
    said = await known.token(body.id_token)
    wanted = ExchangeIdentity(
        provider=provider, issuer=known.provider.issuer, agent=agent_of(request), **said.model_dump()
    )
    return granted(request, await ask.ask(wanted, person=None), cookie=body.cookie)


def _known(request: Request, name: str) -> Known:
    known: Known | None = request.app.state.providers.get(name)
    if known is None:
        raise NotFound("There is no such sign-in provider.")
    return known
