"""A place for traces and figures to be exported to: takes every POST, and forgets it or keeps its traces in a file."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Lock

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

_writing = Lock()


class Taker(BaseHTTPRequestHandler):
    """Answers an OTLP export as a collector would."""

    protocol_version = "HTTP/1.1"
    kept: Path | None = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.kept is not None and self.path == "/v1/traces":
            with _writing, self.kept.open("ab") as file:
                file.write(len(body).to_bytes(4, "big") + body)
        self.send_response(200)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""


def ends(kept: Path, name: str) -> dict[str, int]:
    """When the spans of that name ended, in nanoseconds since 1970, by trace id."""
    return {
        span.trace_id.hex(): span.end_time_unix_nano
        for body in _bodies(kept)
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
        if span.name == name
    }


def _bodies(kept: Path) -> Iterator[bytes]:
    """Whole exports; one that is being written is left for the next look."""
    found = kept.read_bytes() if kept.exists() else b""
    at = 0
    while at + 4 <= len(found) and at + 4 + (size := int.from_bytes(found[at : at + 4], "big")) <= len(found):
        yield found[at + 4 : at + 4 + size]
        at += 4 + size


if __name__ == "__main__":
    Taker.kept = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Taker).serve_forever()
