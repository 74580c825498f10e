"""A hub on paper: the few rules of the API an import meets, over real HTTP, with faults on request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

from shared.contracts.booking.requests import CancelBooking, ListBookings, MoveBooking, Reserve
from shared.contracts.booking.words import BookingStatus

LIVE = ("held", "confirmed", "checked_in")
Reply = tuple[int, dict[str, Any]]


def problem(status: int, code: str, **more: Any) -> Reply:
    """A refusal."""
    return status, {"title": code, "status": status, "code": code, "detail": f"{code}.", **more}


@dataclass
class PaperHub:
    """One hub with one room. `log` tells what was asked for, in order."""

    zone: str = "Europe/Berlin"
    page: int = 7
    bookings: dict[str, dict[str, Any]] = field(default_factory=dict)
    answered: dict[str, tuple[str, Reply]] = field(default_factory=dict)
    log: list[str] = field(default_factory=list)
    lose_answers: int = 0
    """So many changes are made without anybody hearing of it."""
    busy: int = 0
    """So many requests are turned away with Retry-After."""
    away_after: int | None = None
    """After so many changes the hub answers 503 for ever."""
    url: str = ""

    def live(self) -> list[dict[str, Any]]:
        """What is booked, by time."""
        standing = [one for one in self.bookings.values() if one["status"] in LIVE]
        return sorted(standing, key=lambda one: (datetime.fromisoformat(one["start"]), one["id"]))

    def book(self, start: str, end: str, **more: Any) -> dict[str, Any]:
        """Somebody else books."""
        status, body = self.reserve({"space": "room", "start": start, "end": end, "title": "Theirs", **more})
        assert status == 201, body
        return body

    def cancel(self, booking: str, reason: str | None) -> Reply:
        """Give the time back."""
        CancelBooking(hub="h", booking=UUID(booking), reason=reason)
        found = self.bookings.get(booking)
        if found is None:
            return problem(404, "not-found")
        if found["status"] in LIVE:
            found.update(status="cancelled", cancel_reason=reason, version=found["version"] + 1)
        return 200, found

    def reserve(self, wish: dict[str, Any]) -> Reply:
        """Book, unless it is taken."""
        Reserve.model_validate({"hub": "h", **wish})  # paper is patient, the published language is not
        source = wish.get("source")
        if source and any(one["source"] == source for one in self.live()):
            return problem(409, "already-imported")
        if taken := self._taken(wish):
            return problem(409, "space-taken", in_the_way=taken)
        made = {"status": "confirmed", "version": 1, "cancel_reason": None, "source": None, **wish}
        made["id"] = f"00000000-0000-7000-8000-{len(self.bookings):012}"
        self.bookings[made["id"]] = made
        return 201, made

    def move(self, booking: str, wish: dict[str, Any], if_match: str | None) -> Reply:
        """Another time, title or space, for who knows the latest version."""
        MoveBooking.model_validate({"hub": "h", "booking": booking, "version": 1, **wish})
        found = self.bookings.get(booking)
        if found is None:
            return problem(404, "not-found")
        if if_match is None:
            return problem(428, "precondition-required")
        if if_match != f'"{found["version"]}"':
            return problem(412, "version-mismatch")
        if taken := self._taken({**found, **wish}, but=booking):
            return problem(409, "space-taken", in_the_way=taken)
        found.update(wish, version=found["version"] + 1)
        return 200, found

    def _taken(self, wish: dict[str, Any], but: str = "") -> list[dict[str, str]]:
        start, end = (datetime.fromisoformat(wish[name]) for name in ("start", "end"))
        return [
            {name: one[name] for name in ("space", "start", "end")}
            for one in self.live()
            if one["id"] != but
            and one["space"] == wish["space"]
            and datetime.fromisoformat(one["start"]) < end
            and start < datetime.fromisoformat(one["end"])
        ]

    def listed(self, query: dict[str, list[str]]) -> Reply:
        """A page of what came from a calendar."""
        ListBookings(
            hub="h", calendar=query["calendar"][0], status=tuple(map(BookingStatus, query["status"]))
        )
        wanted = [
            one
            for one in self.bookings.values()
            if (one["source"] or {}).get("calendar") == query["calendar"][0]
            and one["status"] in query["status"]
        ]
        first = int(query.get("cursor", ["0"])[0])
        rest = "&".join(f"{name}={value}" for name in ("calendar", "status") for value in query[name])
        following = f"https://elsewhere.example/v1/hubs/h/bookings?{rest}&cursor={first + self.page}"
        page = wanted[first : first + self.page]
        return 200, {"items": page, "next": following if len(wanted) > first + self.page else None}

    def answer(self, method: str, target: str, body: dict[str, Any], headers: Any) -> Reply:
        """One request."""
        url = urlsplit(target)
        parts = url.path.strip("/").split("/")[1:]
        if headers.get("Authorization") != "Bearer operator":
            return problem(401, "unauthenticated")
        missing = problem(404, "not-found")
        match method, parts:
            case "GET", ["hubs", "h"]:
                reply: Reply = 200, {"id": "h", "time_zone": self.zone}
            case "GET", ["hubs", "h", "spaces", "room"]:
                reply = 200, {"id": "room"}
            case "GET", ["hubs", "h", "bookings"]:
                reply = self.listed(parse_qs(url.query))
            case "GET", ["hubs", "h", "bookings", booking]:
                reply = (200, self.bookings[booking]) if booking in self.bookings else missing
            case "PATCH", ["hubs", "h", "bookings", booking]:
                reply = self.move(booking, body, headers.get("If-Match"))
            case "POST", ["hubs", "h", "bookings"]:
                reply = self._once(headers["Idempotency-Key"], body)
            case "POST", ["hubs", "h", "bookings", booking, "cancel"]:
                reply = self.cancel(booking, body["reason"])
            case _:
                reply = missing
        return reply

    def turned_away(self, *, changing: bool) -> bool:
        """Whether this request meets a closed door."""
        self.busy, was_busy = max(self.busy - 1, 0), self.busy > 0
        if not changing or self.away_after is None:
            return was_busy
        self.away_after -= 1
        return was_busy or self.away_after < 0

    def loses_answer(self) -> bool:
        """Whether the line breaks before the answer is out."""
        self.lose_answers, lost = max(self.lose_answers - 1, 0), self.lose_answers > 0
        return lost

    def _once(self, key: str, body: dict[str, Any]) -> Reply:
        said = json.dumps(body, sort_keys=True)
        if key not in self.answered:
            status, answer = self.reserve(body)
            self.answered[key] = said, (status, dict(answer))  # as it was then, whatever becomes of it
        known, reply = self.answered[key]
        return reply if known == said else problem(422, "idempotency-key-reused")

    @contextmanager
    def open(self) -> Iterator[PaperHub]:
        """Over real HTTP, at `url`."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _desk(self))
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        self.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _desk(hub: PaperHub) -> type[BaseHTTPRequestHandler]:
    class Desk(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # head and body in one packet; apart they wait for each other's acknowledgement

        def setup(self) -> None:
            self.request.settimeout(20)
            super().setup()

        def _serve(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            changing = self.command != "GET"
            if hub.turned_away(changing=changing):
                self._send(problem(503, "unavailable"), {"Retry-After": "7"})
                return
            reply = hub.answer(self.command, self.path, body, self.headers)
            if changing:
                hub.log.append(f"{self.command} {self.path.rpartition('/')[2]} {reply[0]}")
            if changing and hub.loses_answer():
                self.close_connection = True
            else:
                self._send(reply, {})

        do_GET = do_POST = do_PATCH = _serve  # noqa: N815 - http.server asks for these names

        def _send(self, reply: Reply, headers: dict[str, str]) -> None:
            status, body = reply
            raw = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(raw))}.items():
                self.send_header(name, value)
            if "version" in body:
                self.send_header("ETag", f'"{body["version"]}"')
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Tests are quiet."""

    return Desk
