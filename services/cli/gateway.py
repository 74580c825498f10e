"""The command line's way to the gateway: one small client with patience, pages and plain-spoken errors."""

from __future__ import annotations

import json
import ssl
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Self

import httpx2
from pydantic_settings import BaseSettings, SettingsConfigDict

_TRY_AGAIN = frozenset((429, 503))
_LOOPBACK = frozenset(("127.0.0.1", "localhost", "::1"))


class Whereabouts(BaseSettings):
    """Where the gateway is and who asks, from FOCI_URL, FOCI_PORT, FOCI_HOME and FOCI_TOKEN."""

    model_config = SettingsConfigDict(env_prefix="FOCI_", frozen=True, extra="ignore")

    url: str | None = None
    port: int | None = None
    home: Path = Path(".foci")
    token: str | None = None

    def base_url(self) -> str:
        """FOCI_URL, else FOCI_PORT on this machine, else where `foci up` says it is, else port 8080."""
        if self.url:
            return self.url.rstrip("/").removesuffix("/v1")
        if self.port:
            return f"http://127.0.0.1:{self.port}"
        return self._running() or "http://127.0.0.1:8080"

    def _running(self) -> str | None:
        try:
            state = json.loads((self.home / "run" / "state.json").read_text("utf-8"))
            url = state["urls"]["gateway"]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return str(url).rstrip("/").removesuffix("/v1")


@dataclass(frozen=True)
class Patience:
    """How long a request is tried again before it counts as failed."""

    tries: int = 6
    longest_wait_s: float = 60
    total_wait_s: float = 180


@dataclass
class Answer:
    """A successful answer."""

    status: int
    body: Any
    etag: str | None = None


class GatewayError(Exception):
    """The gateway could not be reached, or did not answer as a gateway does."""


@dataclass(eq=False)
class RefusalError(GatewayError):
    """A refusal (RFC 9457); `str()` is a sentence for the person at the keyboard."""

    status: int
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def code(self) -> str:
        """The problem's code, such as `space-taken`."""
        return str(self.body.get("code") or "")

    def __str__(self) -> str:
        said = str(self.body.get("detail") or self.body.get("title") or f"the gateway answered {self.status}")
        return "; ".join([said, *(fault for fault in self._faults() if fault not in said)])

    def _faults(self) -> Iterator[str]:
        errors = self.body.get("errors")
        for error in errors if isinstance(errors, list) else []:
            if isinstance(error, Mapping):
                yield f"{error.get('field')}: {error.get('detail')}"


class Gateway:
    """Sends requests as one person. Every POST carries a key, so trying again never does a thing twice."""

    def __init__(
        self,
        url: str,
        token: str | None = None,
        *,
        patience: Patience | None = None,
        wait: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.url = url.rstrip("/")
        self._patience = patience or Patience()
        self._wait = wait
        self._now = now
        headers = {"Accept": "application/json", "User-Agent": "foci-cli"}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        address = httpx2.URL(self.url)
        self._client = httpx2.Client(
            base_url=self.url,
            headers=headers,
            timeout=httpx2.Timeout(30, connect=5),
            follow_redirects=False,
            # A proxy cannot reach this machine's own port.
            trust_env=address.host not in _LOOPBACK,
            # Reading all authorities takes as long as ten answers; without TLS none is needed, and none is trusted.
            verify=address.scheme == "https" or ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> Answer:
        """One resource."""
        return self._send("GET", path, params=params)

    def items(self, path: str, params: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Everything in a collection, page by page."""
        seen = set()
        page = self.get(path, params).body
        while True:
            yield from page["items"]
            if not page.get("next"):
                return
            # Only path and query: the token goes to no other host, whatever the page says.
            following = str(httpx2.URL(self.url).copy_with(raw_path=httpx2.URL(str(page["next"])).raw_path))
            if following in seen:
                raise GatewayError(f"{path}: the pages go round in a circle")
            seen.add(following)
            page = self.get(following).body

    def post(self, path: str, body: Mapping[str, Any], *, key: str | None = None) -> Answer:
        """Make something, or do something to it."""
        return self._send("POST", path, body=body, headers={"Idempotency-Key": key or str(uuid.uuid4())})

    def patch(self, path: str, body: Mapping[str, Any], *, version: int) -> Answer:
        """Change something, provided nobody changed it since."""
        return self._send("PATCH", path, body=body, headers={"If-Match": f'"{version}"'})

    def _send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        waited = 0.0
        for tried in range(1, self._patience.tries + 1):
            pause = min(0.2 * 2**tried, self._patience.longest_wait_s)
            failure: GatewayError
            try:
                response = self._client.request(method, path, params=params, json=body, headers=headers)
            except httpx2.TransportError as error:
                why = str(error) or type(error).__name__
                failure = GatewayError(f"the gateway at {self.url} cannot be reached: {why}")
            else:
                if response.status_code not in _TRY_AGAIN:
                    return _answer(response)
                failure = _problem(response)
                pause = self._asked_for(response, pause)
            if tried == self._patience.tries or waited + pause > self._patience.total_wait_s:
                break
            self._wait(pause)
            waited += pause
        raise failure

    def _asked_for(self, response: httpx2.Response, otherwise: float) -> float:
        """Retry-After, in seconds or as a date, within reason."""
        asked = response.headers.get("Retry-After", "").strip()
        try:
            until = None if asked.isdigit() else parsedate_to_datetime(asked)
            seconds = (until - self._now()).total_seconds() if until else float(asked)
        except (ValueError, TypeError):
            return otherwise
        return min(max(seconds, 0.05), self._patience.longest_wait_s)


def _answer(response: httpx2.Response) -> Answer:
    if not response.is_success:
        raise _problem(response)
    try:
        body = response.json() if response.content else None
    except ValueError:
        raise GatewayError(f"{response.request.url} does not answer with JSON; is it the gateway?") from None
    return Answer(response.status_code, body, response.headers.get("ETag"))


def _problem(response: httpx2.Response) -> RefusalError:
    try:
        body = response.json()
    except ValueError:
        body = None
    return RefusalError(response.status_code, body if isinstance(body, dict) else {})
