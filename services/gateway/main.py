"""The only place where the gateway's parts are built and put together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from limits import parse
from nats.aio.client import Client
from starlette.exceptions import HTTPException
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response

from services.gateway.auth import Authenticator
from services.gateway.client import Services
from services.gateway.documents import EXTRA_SCHEMAS, Problem
from services.gateway.door import Door
from services.gateway.responses import problem_response
from services.gateway.routes import bookings, documents, hubs, me, spaces
from services.gateway.settings import Settings
from shared.contracts.access import GATEWAY
from shared.kit import problems, telemetry
from shared.kit.errors import FociError
from shared.kit.health import Readiness, routes
from shared.kit.ids import Clock, utc_now
from shared.kit.nats import connect
from shared.kit.principal import load_private_key, load_public_key
from shared.kit.process import RELEASE, needs, running
from shared.kit.rpc import Requester

DESCRIPTION = """
The HTTP door of Foci, the open platform for federations of coworking hubs.

Every error is an RFC 9457 problem document with a stable `code`. Orders take an `Idempotency-Key`; changes need
`If-Match`. Times come in with an offset, or as wall time in the hub's zone.
"""


def make_app(settings: Settings, *, clock: Clock) -> FastAPI:
    """The ASGI application; it connects to NATS when its lifespan begins and answers 503 until then."""
    dev_key = (
        None if settings.dev_token_public_key is None else load_public_key(settings.dev_token_public_key)
    )
    authenticator = Authenticator.of(
        dev_key, load_private_key(settings.assertion_private_key.get_secret_value()), clock
    )
    readiness = Readiness()
    services = Services(settings.cell, authenticator, clock, settings.deadline_s)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with running("bus", _keep_connected(settings, services, readiness, clock)):
            yield

    app = FastAPI(
        title="Foci",
        version=RELEASE,
        description=DESCRIPTION,
        lifespan=lifespan,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False},
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.services = services
    app.state.settings = settings
    # Side by side in one list, the busiest first: FastAPI looks through included routers one inside the other.
    for part in (bookings.hot, bookings.router, spaces.router, hubs.router, me.router, documents.router):
        app.router.routes.extend(part.routes)
    app.router.routes.extend(routes(readiness))
    _handle_errors(app)
    app.add_middleware(
        Door, authenticator=authenticator, limit=parse(settings.rate_limit), body_limit=settings.body_limit
    )
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.cors_origins),
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match"],
            expose_headers=["ETag", "Link", "Location", "Retry-After"],
        )
    _document_problems(app)
    return app


async def _keep_connected(settings: Settings, services: Services, readiness: Readiness, clock: Clock) -> None:
    async with AsyncExitStack() as stack:
        nc: Client = await connect(settings, GATEWAY)
        stack.push_async_callback(nc.close)
        needs(readiness, nc, None)
        services.requester = Requester(nc, clock)
        await asyncio.Event().wait()


def _handle_errors(app: FastAPI) -> None:
    async def on_foci_error(_: Request, error: FociError) -> Response:
        if isinstance(error, problems.RemoteProblem):
            return problem_response(error.document)
        return problem_response(problems.of_error(error))

    async def on_invalid(_: Request, error: RequestValidationError) -> Response:
        return problem_response(problems.of_faults(error.errors(), drop=1))

    async def on_http(_: Request, error: HTTPException) -> Response:
        response = problem_response(problems.of_status(error.status_code))
        response.headers.update(error.headers or {})
        return response

    # Starlette looks the handler up by the class it is registered for, but types it for any exception.
    app.add_exception_handler(FociError, on_foci_error)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, on_invalid)  # type: ignore[arg-type]
    app.add_exception_handler(HTTPException, on_http)  # type: ignore[arg-type]


def _document_problems(app: FastAPI) -> None:
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            parts = schema["components"]["schemas"]
            shape = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
            parts |= shape.pop("$defs", {})
            parts["Problem"] = shape
            for name, extra in EXTRA_SCHEMAS.items():
                parts.setdefault(name, extra)
        return made()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way of extending the document


def make_server(settings: Settings, app: FastAPI) -> uvicorn.Server:
    """The HTTP server around the application, as it runs in production."""
    return uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.http_host,
            port=settings.http_port,
            loop="uvloop",
            http="httptools",
            log_config=None,
            access_log=False,
            server_header=False,
            forwarded_allow_ips=settings.trusted_proxies,
            timeout_graceful_shutdown=10,
        )
    )


def serve() -> None:
    """Run the gateway until it is told to stop."""
    settings = Settings()  # secrets come from the environment
    telemetry.set_up("gateway", cell=settings.cell, level=settings.log_level)
    make_server(settings, make_app(settings, clock=utc_now)).run()
