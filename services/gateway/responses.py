"""HTTP answers: JSON as the service gave it, ETags, pages with links, calendars, problem documents."""

from __future__ import annotations

import csv
import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from hashlib import blake2b
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import orjson
from starlette.requests import Request
from starlette.responses import Response

from shared.contracts.events.views import CalendarFile
from shared.kit import problems
from shared.kit.errors import FociError, Invalid, VersionMismatch
from shared.kit.problems import Problem
from shared.kit.requester import Reply

JSON = "application/json"
CALENDAR = "text/calendar"
LINKED_DATA = "application/ld+json"
CSV = "text/csv"
BY_WHO_ASKS = "Authorization"
BY_LANGUAGE = "Authorization, Accept-Language"
BY_FORM = "Authorization, Accept"
PERSONAL = "private, no-cache"
PUBLIC = "public, max-age=300"
SEAL = 6
# A proxy that compresses weakens the tag on the way out; the version is the same.
_VERSION = re.compile(r'(?:W/)?"([0-9]{1,9})(?:-[0-9a-f]{1,40})?"')
# What a service may be told of If-None-Match; whatever else somebody sends names none of our tags.
_SEEN = re.compile(r"[\x20-\x7e]{1,500}")
# A document that is pasted into a page must not be able to end the script element it stands in.
_IN_A_PAGE = ((b"<", b"\\u003c"), (b">", b"\\u003e"), (b"&", b"\\u0026"))


class PreconditionRequired(FociError):
    """A change must say on which version it was decided."""

    kind = "invalid"
    status = 428
    code = "precondition-required"
    title = "If-Match is missing"


def problem_response(document: Problem) -> Response:
    """A problem document as an HTTP answer, with what else its status asks for."""
    headers = {"Cache-Control": "no-store"}
    if document["status"] in (429, 503):
        headers["Retry-After"] = str(document.get("retry_after", 1))
    if document["status"] == 401:
        headers["WWW-Authenticate"] = 'Bearer realm="foci"'
    return Response(
        _dumped(document),
        status_code=document["status"],
        media_type=problems.MEDIA_TYPE,
        headers=headers,
    )


def _dumped(document: Problem) -> bytes:
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError:
        # A field's name can come from the request and need not be proper Unicode.
        return json.dumps(document).encode()


def static(request: Request, body: bytes) -> Response:
    """A published document, the same for everybody."""
    return _respond(request, 200, body, _tag(body), {})


def answer(
    request: Request,
    reply: Reply,
    *,
    location: str | None = None,
    counted: bool = False,
    vary: str = BY_WHO_ASKS,
) -> Response:
    """One object as the service gave it, with its version as ETag; 304 when the caller has it already.

    `counted` is for objects that show numbers which change without a new version: their tag is of the body, too.
    """
    tag = _tag(reply.body)
    if reply.version is not None:
        tag = f'"{reply.version}-{tag[1:]}' if counted else f'"{reply.version}"'
    headers = {"Vary": vary} if location is None else {"Vary": vary, "Location": location}
    return _respond(request, reply.status, reply.body, tag, headers)


def id_in(reply: Reply) -> str:
    """The id of what was made."""
    # `id` is the first member of every view that has one; reading it so spares parsing the whole answer.
    return reply.body[7:43].decode()


def seen_by(request: Request) -> str | None:
    """If-None-Match as a service may be told it; None when there is none, or it can name none of our tags."""
    seen = request.headers.get("if-none-match", "")
    return seen if _SEEN.fullmatch(seen) else None


def calendar(request: Request, reply: Reply, name: str, *, keep: str | None = None) -> Response:
    """A calendar file for subscribers; 304 when the service says that they have it already. `keep` is for how long."""
    file = CalendarFile.model_validate_json(reply.body)
    headers = {"Vary": BY_LANGUAGE, "Content-Disposition": f'inline; filename="{name}.ics"'}
    if keep is not None:
        headers["Cache-Control"] = keep
    body = None if file.text is None else file.text.encode()
    return _respond(request, 200, body, f'"{file.tag}"', headers, CALENDAR)


def page(request: Request, text: str, language: str, policy: str) -> Response:
    """A page with what its script and style may do; 304 when the caller has it already."""
    body = text.encode()
    headers = {
        "Content-Security-Policy": policy,
        "Content-Language": language,
        "Vary": "Accept-Language, Cookie",
    }
    return _respond(request, 200, body, _tag(body), headers, "text/html")


def linked_data(request: Request, reply: Reply) -> Response:
    """A JSON-LD document that can stand inside a page as it is."""
    body = orjson.dumps(orjson.loads(reply.body)["document"])
    for sign, written in _IN_A_PAGE:
        body = body.replace(sign, written)
    return _respond(request, 200, body, _tag(body), {"Vary": BY_LANGUAGE}, LINKED_DATA)


def listing(request: Request, reply: Reply, base: str, *, vary: str = BY_WHO_ASKS) -> Response:
    """A page: `items` and `next`, the URL of the next page or null, also as a Link header."""
    page: dict[str, Any] = orjson.loads(reply.body)
    cursor = page.pop("cursor", None)
    page["next"] = None if cursor is None else _next(request, base, _sealed(request, cursor))
    body = orjson.dumps(page)
    headers = {"Vary": vary}
    if cursor is not None:
        headers["Link"] = f'<{page["next"]}>; rel="next"'
    return _respond(request, reply.status, body, _tag(body), headers)


def table(
    request: Request,
    reply: Reply,
    base: str,
    columns: tuple[str, ...],
    lines: Callable[[dict[str, Any]], list[list[Any]]],
    *,
    vary: str,
) -> Response:
    """A page as CSV (RFC 4180) with a heading; the next one stands in the Link header."""
    page: dict[str, Any] = orjson.loads(reply.body)
    written = StringIO()
    writer = csv.writer(written)
    writer.writerow(columns)
    writer.writerows([_harmless(one) for one in line] for line in lines(page))
    headers = {"Vary": vary}
    if page.get("cursor") is not None:
        headers["Link"] = f'<{_next(request, base, _sealed(request, page["cursor"]))}>; rel="next"'
    body = written.getvalue().encode()
    return _respond(request, reply.status, body, _tag(body), headers, CSV)


def _harmless(value: Any) -> Any:
    """What a spreadsheet would take for a formula, as text."""
    return (
        f"'{value}"
        if isinstance(value, str) and value.startswith(("=", "+", "-", "@", "\t", "\r"))
        else value
    )


def expected_version(if_match: str | None) -> int:
    """The version in an If-Match header; 428 when it is missing, 412 when it is none of our ETags."""
    if if_match is None:
        raise PreconditionRequired(
            "Send If-Match with the ETag you read, so that no one's change is overwritten."
        )
    named = _VERSION.fullmatch(if_match.strip())
    if named is None:
        raise VersionMismatch("If-Match names no version of this object. Read it again and send its ETag.")
    return int(named[1])


def unsealed(request: Request, sealed: str | None) -> str | None:
    """The service's cursor in one of ours; Invalid when it was made for another list or another search."""
    if sealed is None:
        return None
    try:
        raw = urlsafe_b64decode(sealed.encode("ascii") + b"==")
        cursor = raw[SEAL:].decode()
    except ValueError:
        raw, cursor = b"", ""
    if not cursor or raw[:SEAL] != _seal(request, cursor):
        raise Invalid("This cursor is not from this list; start again without it.", field="cursor")
    return cursor


def _sealed(request: Request, cursor: str) -> str:
    return urlsafe_b64encode(_seal(request, cursor) + cursor.encode()).decode().rstrip("=")


def _seal(request: Request, cursor: str) -> bytes:
    """Marks the list a cursor belongs to; no secret, a cursor says only where to go on."""
    kept = sorted(pair for pair in request.query_params.multi_items() if pair[0] not in ("cursor", "limit"))
    return blake2b(repr((request.url.path, kept, cursor)).encode(), digest_size=SEAL).digest()


def _next(request: Request, base: str, cursor: str) -> str:
    kept = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    return f"{base}{request.url.path}?{urlencode([*kept, ('cursor', cursor)])}"


def _tag(body: bytes) -> str:
    return f'"{blake2b(body, digest_size=12).hexdigest()}"'


def _respond(
    request: Request, status: int, body: bytes | None, tag: str, more: dict[str, str], kind: str = JSON
) -> Response:
    private = request.state.person is not None
    headers = {
        "ETag": tag,
        "Cache-Control": PERSONAL if private else "no-cache",
        "Vary": BY_WHO_ASKS,
        **more,
    }
    seen = request.headers.get("if-none-match")
    has_it = seen is not None and request.method == "GET" and (tag in seen or seen.strip() == "*")
    if body is None or has_it:
        return Response(status_code=304, headers=headers)
    return Response(body, status_code=status, media_type=kind, headers=headers)
