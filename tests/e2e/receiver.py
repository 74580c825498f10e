"""An operator's own system: takes a hub's webhooks over HTTP and keeps what came."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from standardwebhooks import Webhook


@dataclass(frozen=True)
class Posted:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: str

    def verified(self, secret: str) -> Any:
        """The body, once the official library has found it signed with the secret; WebhookVerificationError otherwise."""
        return Webhook(secret).verify(self.body, self.headers)


class Receiver:
    """Listens on a free port for as long as the block lasts."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        """Reached by that name; by another than this address also from containers."""
        self.posted: list[Posted] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:  # the name http.server looks for
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                headers = {name.lower(): value for name, value in self.headers.items()}
                receiver.posted.append(Posted(self.path, headers, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer((host if host == "127.0.0.1" else "0.0.0.0", 0), Handler)
        self.place = f"{host}:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def at(self, path: str) -> list[Posted]:
        """What was posted to that path, in order of arrival."""
        return [one for one in list(self.posted) if one.path == path]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
