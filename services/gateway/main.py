"""The only place where the gateway's parts are built and put together."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import cache
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from limits import parse
from nats.aio.client import Client
from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.routing import Route

from services.gateway.auth import Authenticator
from services.gateway.auth.providers import Known
from services.gateway.client import Services
from services.gateway.documents import TAGS, completed
from services.gateway.door import Door
from services.gateway.leaving import Departure, LeavingServer
from services.gateway.live.following import followers
from services.gateway.live.hall import Hall, Limits
from services.gateway.live.keeping import keep_figures, keep_up
from services.gateway.live.occupancy import PublicOccupancy
from services.gateway.responses import problem_response
from services.gateway.routes import (
    api_tokens,
    bookings,
    choices,
    documents,
    erasure,
    event_calendars,
    event_series,
    events,
    export,
    feeds,
    gaps,
    hubs,
    introductions,
    links,
    live,
    mail,
    matches,
    me,
    members,
    notices,
    now,
    organisations,
    outcomes,
    profiles,
    providers,
    sessions,
    sign_in,
    sign_ups,
    skills,
    spaces,
    webhooks,
)
from services.gateway.settings import Settings
from services.gateway.wire import Wire
from services.gateway.wishes import Wishes
from shared.contracts.users import GATEWAY
from shared.kit import problems, telemetry
from shared.kit.errors import FociError
from shared.kit.health import Readiness, routes
from shared.kit.ids import Clock, utc_now
from shared.kit.life import RELEASE, leave_the_permanent_alone, running
from shared.kit.links import LinkReader
from shared.kit.nats import Closed, Pulse, connect
from shared.kit.principal import load_private_key, load_public_key
from shared.kit.requester import Requester
from shared.kit.settings import from_environment

DESCRIPTION = """
The HTTP door of Foci, the open platform for federations of coworking hubs.

Every error is an RFC 9457 problem document with a stable `code`. Orders take an `Idempotency-Key`; changes need
`If-Match`. Times come in with an offset, or as wall time in the hub's zone.
"""

PARTS = (
    bookings.hot,
    sign_ups.hot,
    bookings.router,
    spaces.router,
    event_calendars.router,  # before the events themselves, whose ids would take in `….ics`
    events.router,
    sign_ups.router,
    event_series.router,
    feeds.router,
    links.router,
    notices.router,
    choices.router,
    profiles.router,
    matches.router,
    introductions.router,
    members.router,
    gaps.router,
    outcomes.router,
    organisations.router,
    webhooks.router,
    api_tokens.router,
    mail.router,
    skills.router,
    live.router,
    now.router,
    hubs.router,
    me.router,
    sign_in.router,
    providers.router,
    sessions.router,
    erasure.router,
    export.router,
    documents.router,
)

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def make_app(settings: Settings, *, clock: Clock) -> FastAPI:
    """The ASGI application; it connects to NATS when its lifespan begins and answers 503 until then."""
    dev_key = (
        None if settings.dev_token_public_key is None else load_public_key(settings.dev_token_public_key)
    )
    assertion_key = load_private_key(settings.assertion_private_key.get_secret_value())
    authenticator = Authenticator(dev_key, assertion_key, clock, cell=settings.cell)
    readiness = Readiness()
    services = Services(settings.cell, authenticator, clock, settings.deadline_s)
    authenticator.keys.fetch = services.token_keys
    authenticator.check_api_token = services.check_api_token
    hall = Hall(services, _limits(settings))
    figures = PublicOccupancy(hall)
    departure = Departure(readiness)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running("bus", _keep_connected(settings, hall, figures, departure, readiness)):
            yield
        telemetry.send_the_rest()

    app = _routed(lifespan)
    app.state.services, app.state.hall, app.state.figures = services, hall, figures
    app.state.departure = departure
    app.state.settings = settings
    app.state.providers = {one.name: Known(one, clock) for one in settings.oidc_providers}
    link_key = settings.link_public_key
    app.state.links = None if link_key is None else LinkReader(load_public_key(link_key), settings.cell)
    app.router.routes.extend(routes(readiness))
    app.add_middleware(
        Door,
        authenticator=authenticator,
        limit=parse(settings.rate_limit),
        body_limit=settings.body_limit,
        wishes=Wishes(settings.traces_wished),
    )
    if settings.cors_origins:
        _let_frontends_in(app, settings.cors_origins)
    return app


def _let_frontends_in(app: FastAPI, origins: Sequence[str]) -> None:
    asks = ["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID"]
    app.add_middleware(
        CORSMiddleware,
        allow_origins=list(origins),
        allow_methods=["GET", "POST", "PUT", "PATCH", "DELETE"],
        # The cookie of a session goes along, which only named frontends may have.
        allow_credentials="*" not in origins,
        allow_headers=asks,
        expose_headers=["ETag", "Link", "Location", "Retry-After"],
    )


def _routed(lifespan: Lifespan | None = None) -> FastAPI:
    """The application as far as it is the same for everybody: routes, problems, the published document."""
    app = FastAPI(
        title="Foci",
        version=RELEASE,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url=None,  # a route like any other, see routes/documents.py
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        generate_unique_id_function=lambda route: route.name,
        openapi_tags=TAGS,
    )
    # Side by side in one list, the busiest first: FastAPI looks through included routers one inside the other.
    for part in PARTS:
        app.router.routes.extend(part.routes)
    _handle_errors(app)
    app.openapi = openapi_document  # type: ignore[method-assign]  # FastAPI's documented way of extending the document
    return app


@cache
def openapi_document() -> dict[str, Any]:
    """The published document, made when it is first asked for: half a second of work."""
    return completed(FastAPI.openapi(_routed()))


def _limits(settings: Settings) -> Limits:
    return Limits(
        settings.live_together, settings.live_per_person, settings.live_per_address, settings.live_held
    )


async def _keep_connected(
    settings: Settings, hall: Hall, figures: PublicOccupancy, departure: Departure, readiness: Readiness
) -> None:
    async with AsyncExitStack() as stack:
        closed = Closed()
        await stack.enter_async_context(running("readiness", readiness.keep_noting()))
        nc: Client = await connect(settings, GATEWAY, closed)
        stack.push_async_callback(nc.close)
        readiness.needs("nats", Pulse(nc).beats)
        hall.services.requester = Requester(nc, hall.services.clock)
        following = dict(followers(nc, hall))
        for stream, ordered in following.items():
            await stack.enter_async_context(running(f"live {stream}", ordered.run()))
        keeping = keep_up(hall, following, departure.begun)
        await stack.enter_async_context(running("live readers", keeping))
        await stack.enter_async_context(running("live figures", keep_figures(hall, figures)))
        await closed.never()


def _handle_errors(app: FastAPI) -> None:
    async def on_foci_error(request: Request, error: FociError) -> Response:
        if isinstance(error, problems.RemoteProblem):
            return problem_response(_in_words_of_http(request, error.document))
        return problem_response(problems.of_error(error))

    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        faults = error.errors()
        if any(fault.get("type") == "json_invalid" for fault in faults):
            return problem_response(problems.of_status(400))
        return problem_response(problems.of_faults(faults, drop=1))

    async def on_unfit(_: Request, error: ValidationError) -> Response:
        return problem_response(problems.of_validation(error))

    async def on_http(request: Request, error: HTTPException) -> Response:
        if error.status_code != 405:
            return problem_response(problems.of_status(error.status_code))
        allow = {"Allow": _methods_at(app, request.url.path) or (error.headers or {}).get("Allow", "")}
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=allow)
        response = problem_response(problems.of_status(405))
        response.headers.update(allow)
        return response

    # Starlette looks the handler up by the class it is registered for, but types it for any exception.
    app.add_exception_handler(FociError, on_foci_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, on_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(ValidationError, on_unfit)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, on_http)  # type: ignore[arg-type]


_QUERY_NAMES = {"start": "from", "end": "to"}


def _in_words_of_http(request: Request, document: problems.Problem) -> problems.Problem:
    """The service's problem, naming the field as this request called it."""
    name = _QUERY_NAMES.get(str(document.get("field")))
    if name is None or name not in request.query_params:
        return document
    detail = str(document["detail"]).replace(f"{document['field']} ", f"{name} ", 1)
    return {**document, "field": name, "detail": detail}


def _methods_at(app: FastAPI, path: str) -> str:
    """What an address takes, over all its routes; Starlette names only those of the first."""
    found = {
        method
        for route in app.routes
        if isinstance(route, Route) and route.path_regex.match(path)
        for method in route.methods or ()
    }
    if "GET" in found:
        found.add("HEAD")
    return ", ".join(sorted({*found, "OPTIONS"})) if found else ""


def make_server(settings: Settings, app: FastAPI) -> uvicorn.Server:
    """The HTTP server around the application, as it runs in production."""
    config = uvicorn.Config(
        app,
        host=settings.http_host,
        port=settings.http_port,
        loop="uvloop",
        http=Wire,
        log_config=None,
        access_log=False,
        server_header=False,
        forwarded_allow_ips=settings.trusted_proxies,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=10,
    )
    return LeavingServer(config, app.state.departure, settings.leaving_s)


def serve() -> None:
    """Run the gateway until it is told to stop."""
    settings = from_environment(Settings)  # secrets come from the environment
    telemetry.set_up("gateway", cell=settings.cell, release=RELEASE, level=settings.log_level)
    server = make_server(settings, make_app(settings, clock=utc_now))
    leave_the_permanent_alone()
    server.run()
