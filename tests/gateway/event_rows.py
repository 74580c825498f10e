"""Who may do what with events: the rows of the table for the routes of events, sign-ups, calendars and links."""

from __future__ import annotations

from typing import Any

from tests.gateway.cell import Cell
from tests.gateway.rows import HUB, OPERATORS, PEOPLE, STAFF, Row

EVENT = f"{HUB}/events/{{event}}"
SERIES = f"{HUB}/series/{{series}}"
SIGN_UP = f"{EVENT}/sign-ups/{{sign_up}}"
STARTERS = ("member", *STAFF)
REASON = {"json": {"reason": "Please tell us more"}}


def _event(cell: Cell, *_: str) -> dict[str, Any]:
    return {"json": {"title": "A meetup", **cell.slot()}}


def _date(cell: Cell, *_: str) -> dict[str, Any]:
    return {"json": cell.slot(day=300)}


def _settings(cell: Cell, hub: str, _: str) -> dict[str, Any]:
    version = cell.http.get(f"/v1/hubs/{hub}/event-settings").headers["etag"]
    return {"json": {"approval": False}, "headers": {"If-Match": version}}


def _open(good: int = 200, **more: Any) -> Row:
    return Row(good, 0, PEOPLE, signed_in=False, **more)


# The events the addresses name are another member's, published for everybody unless the act is about another state.
# Who sees an event and may not run it hears 403; a draft, one that awaits approval and a hidden one are not there.
EVENT_TABLE: dict[tuple[str, str], Row] = {
    ("GET", f"{HUB}/events"): _open(),
    ("POST", f"{HUB}/events"): Row(201, 403, STARTERS, ask=_event),
    ("GET", EVENT): _open(),
    ("PATCH", EVENT): Row(200, 403, STAFF, ask=lambda *_: {"json": {"title": "Another"}}),
    ("POST", f"{EVENT}/publish"): Row(200, 404, STAFF),
    ("POST", f"{EVENT}/cancel"): Row(200, 403, STAFF),
    ("POST", f"{EVENT}/approve"): Row(200, 404, STAFF),
    ("POST", f"{EVENT}/return"): Row(200, 404, STAFF, ask=lambda *_: REASON.copy()),
    ("POST", f"{EVENT}/hide"): Row(200, 403, STAFF, ask=lambda *_: REASON.copy()),
    ("POST", f"{EVENT}/show"): Row(200, 404, STAFF),
    # Only those who organise it answer for it.
    ("POST", f"{EVENT}/answer"): Row(
        200, 404, (), ask=lambda *_: {"json": {"answer": "Yes"}}, besides=dict.fromkeys(STAFF, 403)
    ),
    ("GET", f"{EVENT}.ics"): _open(),
    ("GET", f"{EVENT}.jsonld"): _open(),
    ("POST", f"{EVENT}/sign-ups"): Row(201, 0, PEOPLE),
    ("GET", f"{EVENT}/sign-ups"): Row(200, 403, STAFF),
    ("GET", SIGN_UP): Row(200, 404, STAFF),
    ("DELETE", SIGN_UP): Row(200, 404, STAFF),
    # Nobody answers an offer for somebody else.
    ("POST", f"{SIGN_UP}/accept"): Row(200, 404, ()),
    ("POST", f"{SIGN_UP}/decline"): Row(200, 404, ()),
    ("POST", f"{EVENT}/check-in"): Row(200, 403, STAFF, ask=lambda *_: {"json": {"walk_ins": 1}}),
    ("POST", f"{HUB}/series"): Row(201, 403, STARTERS, ask=lambda *_: {"json": {"title": "A week"}}),
    ("GET", SERIES): _open(),
    ("PATCH", SERIES): Row(200, 403, STAFF, ask=lambda *_: {"json": {"change": {"title": "Other"}}}),
    ("POST", f"{SERIES}/publish"): Row(200, 404, STAFF),
    ("POST", f"{SERIES}/cancel"): Row(200, 403, STAFF),
    ("POST", f"{SERIES}/dates"): Row(201, 403, STAFF, ask=_date),
    ("GET", f"{HUB}/feeds/programme.ics"): _open(),
    ("POST", f"{HUB}/feeds"): Row(201, 0, PEOPLE),
    ("GET", "/v1/me/feeds"): Row(200, 0, PEOPLE),
    ("DELETE", "/v1/me/feeds/{feed}"): Row(200, 404, ()),
    # Whoever knows these two addresses is let in.
    ("GET", "/v1/feeds/{secret}.ics"): _open(),
    ("GET", "/v1/links/{token}"): _open(),
    ("POST", "/v1/links/{token}"): _open(),
    ("GET", f"{HUB}/event-settings"): _open(),
    ("PATCH", f"{HUB}/event-settings"): Row(200, 403, OPERATORS, ask=_settings),
    ("GET", f"{HUB}/event-figures"): _open(ask=lambda *_: {"params": {"year": 2027}}),
    ("GET", "/v1/me/events"): Row(200, 0, PEOPLE),
}
