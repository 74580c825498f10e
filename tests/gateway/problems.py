"""What every refusal must look like."""

from __future__ import annotations

from typing import Any

import httpx2

DOCS = "https://foci.example/problems/"


def problem(answer: httpx2.Response, status: int, code: str, *, field: str | None = None) -> dict[str, Any]:
    """The problem document of an answer, which must be one of this status and code."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert (said["status"], said["code"], said["type"]) == (status, code, DOCS + code), said
    assert said["title"]
    assert said["detail"]
    if field is not None:
        assert said["field"] == field
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    if status in (429, 503):
        assert int(answer.headers["retry-after"]) >= 1
    if status == 401:
        assert answer.headers["www-authenticate"].startswith("Bearer")
    return said
