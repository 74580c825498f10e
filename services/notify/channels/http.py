"""HTTP to servers that strangers named: to public addresses only, one answer, little of it, and soon."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Container, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache, lru_cache
from ipaddress import ip_address, ip_network
from typing import Any

import httpcore2
import ssrfguard

from services.notify.rules.targets import (
    PORTS,
    Target,
    TargetNotFound,
    TargetNotPublic,
    TargetRefused,
    target_of,
)

LONGEST = 10.0
"""Seconds one try may take from looking up the name to the end of the answer, however slowly that trickles."""
LONGEST_LOOK = 2.0
"""Seconds to look up a new webhook's name in; somebody waits for the answer."""
MOST_READ = 64 * 1024
"""Bytes of an answer's body that are read, for the line's sake, and thrown away; after them the line is closed."""
CONNECTIONS = 128
KEPT_OPEN = 15.0
"""Seconds an idle line is kept; a name is looked up again at each connect."""
LOOK_UPS = 16
"""Names looked up at once. One name takes one of them however many wait for it, so a slow one holds up itself alone."""
ADDRESSES_TRIED = 3

_MORE_DENIED = (
    # Public by its number, and yet inside: what a virtual machine of that cloud is given its settings by.
    ssrfguard.Block(
        ip_network("168.63.129.16/32"), "Azure platform services", "none", ssrfguard.Reach.DENIED
    ),
)
PUBLIC_ONLY = ssrfguard.Policy(
    allowed_schemes=frozenset({"https"}),
    allowed_ports=PORTS,
    denied_networks=ssrfguard.AddressTable((*ssrfguard.DEFAULT_DENIED.blocks, *_MORE_DENIED)),
    max_redirects=0,
)
"""No address IANA sets aside, in no wrapping; a name that leads to a public and another address is refused whole."""


@dataclass(frozen=True)
class Answer:
    """What became of one try: the HTTP status if there was one, or why not, for the webhook's operator.

    Nothing of the answer's body: it would show what is at an address that the operator may not see.
    """

    status: int | None
    ms: int
    problem: str | None = None
    retry_after: str | None = None


class _Refused(httpcore2.ConnectError):
    """The name leads where nothing is sent to."""


class _NotFound(httpcore2.ConnectError):
    """The name leads nowhere."""


class _Lookup:
    """Looks names up in threads, one at a time for each name, and keeps no answer."""

    def __init__(
        self, policy: ssrfguard.Policy, resolver: ssrfguard.Resolver, trusted: Container[str]
    ) -> None:
        self._policy = policy
        self._resolver = resolver
        self._trusted = trusted
        self._threads = ThreadPoolExecutor(LOOK_UPS, thread_name_prefix="look-up")
        self._going_on: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def addresses(self, host: str, port: int) -> list[str]:
        """Where the name leads now; _Refused unless that may be connected to, _NotFound if nowhere."""
        named = (host, port)
        going_on = self._going_on.get(named)
        if going_on is None:
            going_on = asyncio.get_running_loop().run_in_executor(self._threads, self._look_up, host, port)
            self._going_on[named] = going_on
            going_on.add_done_callback(lambda _: self._going_on.pop(named))
        try:
            # A thread cannot be called off; others may wait for it, too.
            return await asyncio.shield(going_on)
        except ssrfguard.SSRFGuardError as error:
            raise _Refused(str(error)) from error
        except (OSError, UnicodeError) as error:
            raise _NotFound(str(error)) from error

    def _look_up(self, host: str, port: int) -> list[str]:
        if Target("http", host, port, "").place in self._trusted:
            rows = self._resolver(host, port, 0, socket.SOCK_STREAM, 0, 0)
            return [str(address[0]) for *_, address in rows]
        target = self._policy.check_url(f"https://{host}:{port}/")
        found = ssrfguard.resolve(target, policy=self._policy, resolver=self._resolver)
        return [str(one.ip) for one in found]

    def end(self) -> None:
        """Start no more."""
        self._threads.shutdown(wait=False, cancel_futures=True)


class _CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """Connects to an address that was looked up and checked just now, and never to a name.

    The certificate is checked against the name all the same: that is the pool's part, and it knows only the name.
    """

    def __init__(self, lookup: _Lookup) -> None:
        self._lookup = lookup
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
        """A connection to the first of the name's addresses that answers; its time is bounded by who waits for it."""
        addresses = (await self._lookup.addresses(host, port))[:ADDRESSES_TRIED]
        for place, address in enumerate(addresses, 1):
            try:
                stream = await self._network.connect_tcp(address, port)
            except httpcore2.ConnectError:
                if place == len(addresses):
                    raise
                continue
            if ip_address(stream.get_extra_info("server_addr")[0]) == ip_address(address):
                return stream
            await stream.aclose()
        raise _Refused("something on the way leads to another address")

    async def sleep(self, seconds: float) -> None:
        """Wait between the pool's own retries, of which there are none."""
        await asyncio.sleep(seconds)


@cache
def _known_certificates() -> ssl.SSLContext:
    """Reading all of them takes a hundredth of a second; one for a process is enough."""
    return httpcore2.default_ssl_context()


class Outside:
    """Posts messages to targets; made of the engine below httpx2.

    That engine knows no redirects, proxies, cookies, environment or compression, so none of them can be followed,
    obeyed, kept or unpacked by mistake. Every wait is inside one time-out.
    """

    def __init__(
        self,
        *,
        trusted: Container[str] = (),
        resolver: ssrfguard.Resolver = socket.getaddrinfo,
        policy: ssrfguard.Policy = PUBLIC_ONLY,
        certificates: ssl.SSLContext | None = None,
        longest: float = LONGEST,
    ) -> None:
        self._trusted = trusted
        self._longest = longest
        self._lookup = _Lookup(policy, resolver, self._trusted)
        self._lines = httpcore2.AsyncConnectionPool(
            ssl_context=certificates or _known_certificates(),
            max_connections=CONNECTIONS,
            keepalive_expiry=KEPT_OPEN,
            network_backend=_CheckedNetwork(self._lookup),
        )
        self._target_of = lru_cache(maxsize=4096)(self._parsed)

    def target_of(self, url: str) -> Target:
        """The target a URL names; TargetRefused if it is none for a webhook."""
        return target_of(url, self._trusted)

    def place_of(self, url: str) -> str:
        """The `host:port` a URL names, or the whole of one that is refused now."""
        try:
            parsed = self._target_of(url)
        except TargetRefused:
            return url
        return f"{parsed.host.decode()}:{parsed.port}"

    async def look_at(self, url: str) -> Target:
        """The target of a URL somebody has just given, looked up once so that they hear at once what is wrong.

        TargetRefused, TargetNotPublic or TargetNotFound. It says nothing about later: each connect looks again.
        """
        target = self.target_of(url)
        if target.place in self._trusted:
            return target
        try:
            async with asyncio.timeout(LONGEST_LOOK):
                await self._lookup.addresses(target.host, target.port)
        except _Refused:
            raise TargetNotPublic(
                f"{target.host} does not lead to the public internet alone; messages go nowhere else.",
                field="url",
            ) from None
        except (_NotFound, TimeoutError):
            raise TargetNotFound(
                f"The name {target.host} cannot be found. Is it spelt right?", field="url"
            ) from None
        return target

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Post one message and say what became of it; nothing that a target does raises."""
        started = time.perf_counter()
        status: int | None = None
        problem: str | None = None
        retry_after: str | None = None
        try:
            async with asyncio.timeout(self._longest), self._posted(url, headers, body) as response:
                status = response.status
                retry_after = _header(response, b"retry-after")
                await _read_a_little(response)
        except TargetRefused as error:
            problem = error.detail
        except (
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
            httpcore2.TimeoutException,
            OSError,
        ) as error:
            # With a status the message has been answered; how the answer's body ends changes nothing.
            problem = None if status is not None else _said_of(error, self._longest)
        return Answer(status, round((time.perf_counter() - started) * 1000), problem, retry_after)

    @contextlib.asynccontextmanager
    async def _posted(
        self, url: str, headers: Mapping[str, str], body: bytes
    ) -> AsyncIterator[httpcore2.Response]:
        target = self._target_of(url)
        sent = [(name.encode(), value.encode()) for name, value in headers.items()]
        async with self._lines.stream(b"POST", target, headers=sent, content=body) as response:
            yield response

    def _parsed(self, url: str) -> httpcore2.URL:
        found = self.target_of(url)
        return httpcore2.URL(scheme=found.scheme, host=found.host, port=found.port, target=found.path)

    async def hang_up(self) -> None:
        """Close every line; the next message opens one."""
        await self._lines.aclose()

    async def aclose(self) -> None:
        """Close every line and look nothing up any more."""
        await self.hang_up()
        self._lookup.end()


def _header(response: httpcore2.Response, wanted: bytes) -> str | None:
    for name, value in response.headers:
        if name.lower() == wanted:
            return str(value, "latin-1")
    return None


async def _read_a_little(response: httpcore2.Response) -> None:
    """Read so much that a well-behaved target's line can be used again."""
    read = 0
    async with contextlib.aclosing(response.aiter_stream()) as parts:
        async for part in parts:
            read += len(part)
            if read > MOST_READ:
                return


_SENTENCES: tuple[tuple[type[Exception], str], ...] = (
    (TimeoutError, "No answer within {longest:g} seconds."),
    (_Refused, "The name does not lead to the public internet."),
    (_NotFound, "The name cannot be found."),
    (httpcore2.ConnectError, "No connection could be made."),
    (httpcore2.ProtocolError, "The answer was not HTTP."),
    (Exception, "The connection broke before there was an answer."),
)


def _said_of(error: Exception, longest: float) -> str:
    """The failure in a sentence for the operator, without the address it was about."""
    cause = error.__cause__ or error.__context__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"The certificate is not accepted: {cause.verify_message}."
    if isinstance(cause, ssl.SSLError):
        return "No TLS connection could be made."
    return next(sentence for kind, sentence in _SENTENCES if isinstance(error, kind)).format(longest=longest)
