"""Sends requests to services; whoever only asks loads nothing of what answering takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.errors import NoRespondersError
from opentelemetry import trace
from opentelemetry.trace import SpanKind
from prometheus_client import Counter

from shared.contracts.base import Request
from shared.kit import problems
from shared.kit.errors import Unavailable
from shared.kit.ids import Clock
from shared.kit.problems import RemoteProblem
from shared.kit.tracing import inject, span

tracer = trace.get_tracer("foci.rpc")
UNANSWERED = Counter(
    "foci_requests_unanswered_total",
    "Requests that nobody answered, by whom they were for.",
    ("asked", "why"),
)

ASSERTION = "Foci-Assertion"
DEADLINE = "Foci-Deadline"
"""Milliseconds since the epoch after which nobody waits for the answer any more."""
IDEMPOTENCY_KEY = "Foci-Idempotency-Key"
STATUS = "Foci-Status"
VERSION = "Foci-Version"


@dataclass(frozen=True)
class Reply:
    """A successful answer as it came: JSON bytes, HTTP status and the object's version."""

    status: int
    version: int | None
    body: bytes


class Requester:
    """Sends requests to services and gives back answers, problems, or Unavailable; it never hangs."""

    def __init__(self, nc: Client, clock: Clock) -> None:
        self._nc = nc
        self._clock = clock

    async def send(
        self,
        request: Request[Any],
        *,
        cell: str,
        seconds: float,
        assertion: str | None = None,
        key: str | None = None,
        service: str | None = None,
    ) -> Reply:
        """The answer to `request`; RemoteProblem when refused, Unavailable when nobody answers in `seconds`."""
        name = service or request.service
        if not self._nc.is_connected:
            UNANSWERED.labels(name, "bus-away").inc()
            raise Unavailable("Foci's message bus is away for a moment. Try again shortly.", retry_after=2)
        with span(tracer, f"{name} {request.operation}", kind=SpanKind.CLIENT):
            headers = inject({DEADLINE: str(int((self._clock().timestamp() + seconds) * 1000))})
            if assertion is not None:
                headers[ASSERTION] = assertion
            if key is not None:
                headers[IDEMPOTENCY_KEY] = key
            subject = request.subject_for(cell, service)
            body = request.model_dump_json(exclude_unset=True).encode()
            return _read(await self._exchange(subject, body, headers, seconds, name))

    async def _exchange(
        self, subject: str, body: bytes, headers: dict[str, str], seconds: float, name: str
    ) -> Msg:
        try:
            return await self._nc.request(subject, body, timeout=seconds, headers=headers)
        except NoRespondersError as error:
            UNANSWERED.labels(name, "no-responders").inc()
            raise Unavailable(
                f"The {name} service is away for a moment. Try again shortly.", retry_after=2
            ) from error
        except (NatsError, TimeoutError) as error:
            UNANSWERED.labels(name, "time-out").inc()
            raise Unavailable(
                f"The {name} service did not answer in time. Try again shortly.", retry_after=2
            ) from error


def _read(message: Msg) -> Reply:
    headers = message.headers or {}
    status = int(headers.get(STATUS, headers.get("Nats-Service-Error-Code", "500")))
    if status >= 400:
        raise RemoteProblem(_problem_in(message.data, status))
    version = headers.get(VERSION)
    return Reply(status, None if version is None else int(version), message.data)


def _problem_in(body: bytes, status: int) -> problems.Problem:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        document = None
    if isinstance(document, dict) and document.get("status") == status:
        return document
    return problems.problem(
        status, "internal", "Something went wrong here", "The service answered without saying why."
    )
