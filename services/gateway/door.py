"""What every HTTP request passes: body limit, identity, rate limit, trace, metrics, security headers."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import NoReturn

from limits import RateLimitItem
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import FixedWindowRateLimiter
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.gateway.auth import Authenticator, Caller, Memory, api_token_in
from services.gateway.auth.purposes import check_purpose
from services.gateway.responses import problem_response
from services.gateway.wishes import Wishes
from shared.kit import problems
from shared.kit.errors import FociError
from shared.kit.problems import Problem, RemoteProblem
from shared.kit.telemetry import logger
from shared.kit.tracing import span

log = logger(__name__)
tracer = trace.get_tracer("foci.gateway")

HTTP_TIME = Histogram(
    "foci_http_seconds",
    "Time to answer an HTTP request.",
    ("route",),
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
)
HTTP_REQUESTS = Counter("foci_http_requests_total", "HTTP requests answered.", ("route", "method", "status"))

SECURITY_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"strict-transport-security", b"max-age=31536000"),
    (b"cross-origin-resource-policy", b"same-site"),
)
"""As ASGI sends them, unless an answer brings its own: a page has a policy for its style and its form."""
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
"""Counted by name; whoever asks could invent others."""
KEEPERS = frozenset({"/healthz", "/readyz", "/metrics"})
KEYED = frozenset({"/v1/mail/bounces"})
"""Addresses whose route looks at a key of its own; no person asks there."""
MET_S = 600.0
"""Seconds in which an API token that was good is not taken for a guess, however many others come from its address."""
SECRET_PATHS = ("/v1/links/", "/v1/feeds/", "/v1/me/erasure/")
"""Addresses that let whoever knows them in; they stand in no log."""


class TooManyRequests(FociError):
    """The rate limit is used up."""

    kind = "limited"
    status = 429
    code = "too-many-requests"
    title = "Too many requests"


class Door:
    """ASGI middleware; plain, because Starlette's convenience class costs as much as a whole empty request."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        authenticator: Authenticator,
        limit: RateLimitItem,
        body_limit: int,
        wishes: Wishes,
    ) -> None:
        self._app = app
        self._authenticator = authenticator
        self._limit = limit
        self._limiter = FixedWindowRateLimiter(MemoryStorage())
        self._met: Memory[str, bool] = Memory()
        self._body_limit = body_limit
        self._wishes = wishes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in KEEPERS:
            await self._app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        if head:
            # What GET would answer, without the body; the HTTP server still knows what was asked.
            scope = {**scope, "method": "GET", "state": {**scope.get("state", {}), "head": True}}
        started = time.perf_counter()
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        plain = {name.decode("latin-1"): value for name, value in headers.items()}
        status = 500

        async def send_on(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": _secured(message["headers"])}
            elif head:
                message = {**message, "body": b""}
            await send(message)

        with span(tracer, "http", context=self._wishes.context_of(plain), kind=SpanKind.SERVER) as current:
            await self._answer(scope, receive, send_on, plain)
            route = getattr(scope.get("route"), "path", "other")
            if current.is_recording():
                current.update_name(f"{scope['method']} {route}")
                current.set_attribute("http.response.status_code", status)
        HTTP_TIME.labels(route).observe(time.perf_counter() - started)
        method = scope["method"] if scope["method"] in METHODS else "other"
        HTTP_REQUESTS.labels(route, method, status).inc()

    async def _answer(self, scope: Scope, receive: Receive, send: Send, headers: dict[str, str]) -> None:
        begun = False

        async def send_noting(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            caller = await self._admit(scope, headers)
            person = None if caller is None else caller.person
            scope["state"] = {**scope.get("state", {}), "person": person}
            await self._app(scope, self._bounded(receive, headers), send_noting)
        except FociError as error:
            if begun:
                raise
            await problem_response(_problem_of(error))(scope, receive, send)
        except HTTPException as error:
            await problem_response(problems.of_status(error.status_code))(scope, receive, send)
        except Exception as error:  # the edge: whatever went wrong, the caller gets a problem document
            log.exception("request failed", path=_loggable(scope), error=error)
            if begun:
                raise
            await problem_response(problems.of_error(error))(scope, receive, send)

    async def _admit(self, scope: Scope, headers: dict[str, str]) -> Caller | None:
        address = scope["client"][0] if scope.get("client") else "unknown"
        said = None if scope["path"] in KEYED else headers.get("authorization")
        shown = api_token_in(said)
        if shown is not None:
            await self._check_worth_asking(shown, address)
        try:
            caller = await self._authenticator.caller(said)
        except FociError as error:
            # Whoever cannot be asked about just now has done nothing wrong.
            if _problem_of(error)["status"] == 401:
                if shown is not None:
                    await self._limiter.hit(self._limit, f"guesses {address}")
                    self._met.forget(shown)
                await self._count(f"address {address}")
            raise
        if shown is not None:
            self._met.put(shown, value=True, until=time.monotonic() + MET_S)
            await self._count(f"token {shown}")
        else:
            await self._count(f"address {address}" if caller is None else f"person {caller.person}")
        if caller is not None and caller.token is not None:
            check_purpose(caller.token, scope["method"], scope["path"])
        return caller

    async def _check_worth_asking(self, shown: str, address: str) -> None:
        """TooManyRequests for an API token that has used up its limit, and for unknown ones where too many were guessed.

        Each is a question to directory. Kiosks share their address with a hub's visitors: one that is known is none of their
        guesses.
        """
        if not await self._limiter.test(self._limit, f"token {shown}"):
            await self._refuse(f"token {shown}")
        guesses, known = f"guesses {address}", self._met.get(shown, time.monotonic())
        if known is None and not await self._limiter.test(self._limit, guesses):
            await self._refuse(guesses)

    async def _count(self, who: str) -> None:
        if not await self._limiter.hit(self._limit, who):
            await self._refuse(who)

    async def _refuse(self, who: str) -> NoReturn:
        window = await self._limiter.get_window_stats(self._limit, who)
        wait = max(1, int(window.reset_time - time.time()) + 1)
        raise TooManyRequests(f"At most {self._limit} here. Try again in {wait} s.", retry_after=wait)

    def _bounded(self, receive: Receive, headers: dict[str, str]) -> Receive:
        """The body, refused when it is too large. FastAPI's own limit answers in plain text, from outside every handler."""
        length = headers.get("content-length")
        if length is not None:
            # The HTTP parser hands over no more than was announced, so there is nothing to count.
            if int(length) > self._body_limit:
                raise HTTPException(413)
            return receive
        received = 0

        async def receive_counting() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._body_limit:
                # The one kind of exception that FastAPI lets through while it reads a body.
                raise HTTPException(413)
            return message

        return receive_counting


def _secured(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    given = [*headers]
    named = {name for name, _ in given}
    return given + [one for one in SECURITY_HEADERS if one[0] not in named]


def _problem_of(error: FociError) -> Problem:
    return error.document if isinstance(error, RemoteProblem) else problems.of_error(error)


def _loggable(scope: Scope) -> str:
    path: str = scope["path"]
    for secret in SECRET_PATHS:
        if path.startswith(secret):
            return f"{secret}…"
    return path
