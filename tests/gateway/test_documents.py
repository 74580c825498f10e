"""The published OpenAPI document: complete, true to itself, and never breaking those who read an earlier one."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from services.gateway.documents import EXAMPLES, PROBLEMS
from services.gateway.main import openapi_document
from tests.gateway.compatibility import ROOT, STORED, breaks

PAGED = ("/v1/links/{token}", "/v1/me/erasure/{number}")
"""What they answer, refusals included, people can have as a page."""
LIVE = "/v1/live"
"""Never the same twice, so nobody has it already."""
BY_THE_DOOR = ("400", "401", "413", "422", "429")
Document = dict[str, Any]


@pytest.fixture(scope="module")
def document() -> Document:
    made: Document = json.loads(json.dumps(openapi_document()))
    return made


def operations(document: Document) -> list[tuple[str, str, Document]]:
    return [(method, path, one) for path, item in document["paths"].items() for method, one in item.items()]


def test_the_stored_document_is_todays(document: Document) -> None:
    assert json.loads(STORED.read_text("utf-8")) == document, (
        "write it again with `make docs`, and look at the difference"
    )


def test_it_breaks_nobody_who_reads_the_stored_one(document: Document) -> None:
    assert breaks(json.loads(STORED.read_text("utf-8")), document) == []


def _without(*path: str) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        inner: Any = document
        for part in path[:-1]:
            inner = inner[part]
        del inner[path[-1]]

    return change


def _with(value: Any, *path: str) -> Callable[[Document], None]:
    def change(document: Document) -> None:
        inner: Any = document
        for part in path[:-1]:
            inner = inner[part]
        inner[path[-1]] = value

    return change


SCHEMAS = ("components", "schemas")
ROOM = ("paths", "/v1/hubs/{hub}/spaces")


@pytest.mark.parametrize(
    "change",
    [
        _without("paths", "/v1/me"),
        _without(*ROOM, "post"),
        _without(*ROOM, "get", "responses", "200"),
        _without(*SCHEMAS, "BookingView", "properties", "status"),
        _with(["id"], *SCHEMAS, "BookingView", "required"),
        _without(*SCHEMAS, "NewSpace", "properties", "capacity"),
        _with({"type": "integer"}, *SCHEMAS, "NewSpace", "properties", "name"),
        _with({"type": "integer"}, *SCHEMAS, "BookingView", "properties", "id"),
        _with(["id", "name", "kind", "rules"], *SCHEMAS, "NewSpace", "required"),
        _with(["room"], *SCHEMAS, "SpaceKind", "enum"),
        _with([], *ROOM, "get", "parameters"),
    ],
)
def test_a_breaking_change_is_noticed(document: Document, change: Callable[[Document], None]) -> None:
    changed = copy.deepcopy(document)
    change(changed)
    assert breaks(document, changed)


def test_an_addition_is_none(document: Document) -> None:
    changed = copy.deepcopy(document)
    changed["paths"]["/v1/new"] = changed["paths"]["/v1/me"]
    changed["components"]["schemas"]["BookingView"]["properties"]["colour"] = {"type": "string"}
    changed["components"]["schemas"]["NewSpace"]["properties"]["colour"] = {"type": "string"}
    assert breaks(document, changed) == []


def test_every_operation_says_who_it_is_what_it_needs_and_how_it_refuses(document: Document) -> None:
    assert document["openapi"].startswith("3.1")
    assert document["components"]["securitySchemes"]["HTTPBearer"]["scheme"] == "bearer"
    names = [one["operationId"] for _, _, one in operations(document)]
    assert len(names) == len(set(names))
    for method, path, one in operations(document):
        assert one["tags"], path
        assert one["summary"], path
        assert one["security"], path
        refusals = {status for status in one["responses"] if status >= "400"}
        assert {"401", "404", "422", "429", "500", "503"} <= refusals, (method, path)
        for status in refusals:
            kinds = one["responses"][status]["content"]
            pages = {"text/html"} if path in PAGED and status not in BY_THE_DOOR else set()
            assert set(kinds) == {"application/problem+json"} | pages, (method, path, status)
            content = kinds["application/problem+json"]
            assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert content["example"]["status"] == int(status)
        if path == LIVE:
            assert set(one["responses"]["200"]["content"]) == {"text/event-stream"}
        elif method == "get":
            assert "304" in one["responses"], path
    assert "HTTPValidationError" not in json.dumps(document)


def test_every_code_is_published_and_explained(document: Document) -> None:
    codes = {code for some in PROBLEMS.values() for code in some}
    assert document["x-problems"] == {str(status): list(some) for status, some in PROBLEMS.items()}
    explained = (ROOT / "docs" / "problems.md").read_text("utf-8")
    assert [code for code in sorted(codes) if f"### {code}\n" not in explained] == []


def test_references_lead_somewhere(document: Document) -> None:
    text = json.dumps(document)
    named = {part.split('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named <= set(document["components"]["schemas"])


@pytest.mark.parametrize("name", sorted(EXAMPLES))
def test_examples_are_valid(document: Document, name: str) -> None:
    schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    jsonschema.Draft202012Validator(schema, format_checker=checker).validate(EXAMPLES[name])
    properties = document["components"]["schemas"][name]["properties"]
    assert set(EXAMPLES[name]) <= set(properties)


@pytest.mark.parametrize("path", ["/v1/hubs/{hub}/bookings", "/v1/hubs/{hub}/events/{event}/sign-ups"])
def test_examples_of_what_routes_read_themselves_are_valid(document: Document, path: str) -> None:
    body = document["paths"][path]["post"]["requestBody"]["content"]["application/json"]
    assert body["examples"]
    for example in body["examples"].values():
        schema = {**body["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(example["value"])
