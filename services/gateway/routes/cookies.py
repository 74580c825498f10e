"""The browser's refresh token: a cookie no script reads, and that counts only where our own pages or frontends ask."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request
from starlette.responses import Response

from shared.kit.errors import Forbidden

SAME = frozenset({"same-origin", "none"})


class CrossSite(Forbidden):
    """Another site's page has made the browser send this."""

    code = "cross-site"
    title = "Sent by another site's page"


def cookie_name(request: Request) -> str:
    """`__Host-` keeps other hosts of the domain from planting one (RFC 6265bis, 4.1.3.2); it takes TLS."""
    return "__Host-foci-session" if request.app.state.settings.secure_cookies else "foci-session"


def put_cookie(request: Request, response: Response, token: str, ends_at: datetime, now: datetime) -> None:
    """Let the browser keep the refresh token."""
    left = max(timedelta(0), ends_at - now)
    response.set_cookie(
        cookie_name(request), token, max_age=int(left.total_seconds()), **_attributes(request)
    )


def take_cookie_away(request: Request, response: Response) -> None:
    """Let the browser forget it."""
    response.delete_cookie(cookie_name(request), **_attributes(request))


def _attributes(request: Request) -> dict[str, Any]:
    return {
        "path": "/",
        "secure": request.app.state.settings.secure_cookies,
        "httponly": True,
        "samesite": "strict",
    }


def check_not_cross_site(request: Request, *, browsers_only: bool) -> None:
    """CrossSite when a page of another site may have sent this; with `browsers_only` also when nothing says who has.

    What browsers say cannot be forged by a page: Sec-Fetch-Site, or else Origin. The order is that of Go's
    `net/http.CrossOriginProtection` and of OWASP's cheat sheet on CSRF, section "Fetch Metadata headers".
    """
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    if origin is not None and origin in request.app.state.settings.cors_origins:
        return
    if site is not None:
        allowed = site in SAME
    elif origin is not None:
        allowed = urlsplit(origin).netloc == request.headers.get("host")
    else:
        allowed = not browsers_only
    if not allowed:
        raise CrossSite("Another site's page has sent this. Do it from where you sign in.")
