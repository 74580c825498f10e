"""What in a new OpenAPI document would fail a caller who was written for an older one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
STORED = ROOT / "docs" / "openapi.json"
"""The published one of this release."""
Document = dict[str, Any]
METHODS = ("get", "post", "patch", "put", "delete")


def breaks(old: Document, new: Document) -> list[str]:
    """Each breaking difference in a sentence; empty when every old caller is still served."""
    found: list[str] = []
    for path, item in old["paths"].items():
        for method in METHODS:
            if method in item:
                after = new["paths"].get(path, {}).get(method)
                at = f"{method.upper()} {path}"
                found += [f"{at} is gone"] if after is None else _operation(old, new, item[method], after, at)
    return found


def _operation(old: Document, new: Document, before: Document, after: Document, at: str) -> Iterator[str]:
    had = {(one["in"], one["name"]): one for one in before.get("parameters", ())}
    has = {(one["in"], one["name"]): one for one in after.get("parameters", ())}
    yield from (f"{at}: parameter {name} is gone" for name in had.keys() - has.keys())
    for name, one in has.items():
        if one.get("required") and not had.get(name, {}).get("required"):
            yield f"{at}: parameter {name} is required now"
    for name in had.keys() & has.keys():
        yield from _taken(old, new, had[name]["schema"], has[name]["schema"], f"{at}?{name[1]}", set())
    sent, takes = _body(before.get("requestBody")), _body(after.get("requestBody"))
    if takes is not None and sent is None and after["requestBody"].get("required"):
        yield f"{at}: a body is required now"
    if sent is not None and takes is not None:
        yield from _taken(old, new, sent, takes, at, set())
    for status, answer in before["responses"].items():
        if status.startswith("2"):
            if status not in after["responses"]:
                yield f"{at}: no longer answers {status}"
            elif (given := _body(answer)) is not None:
                yield from _given(
                    old, new, given, _body(after["responses"][status]) or {}, f"{at} {status}", set()
                )


def _body(part: Document | None) -> Document | None:
    schema: Document | None = ((part or {}).get("content") or {}).get("application/json", {}).get("schema")
    return schema


def _whole(document: Document, schema: Document) -> Document:
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return schema


def _types(document: Document, schema: Document) -> set[str]:
    whole = _whole(document, schema)
    some = [_types(document, one) for word in ("anyOf", "oneOf") for one in whole.get(word, ())]
    own = whole.get("type", [])
    return {own} if isinstance(own, str) else set(own).union(*some)


def _given(
    old: Document, new: Document, before: Document, after: Document, at: str, seen: set[str]
) -> Iterator[str]:
    """What is answered: nothing may go, nothing become another kind."""
    if before.get("$ref", "") in seen:
        return
    seen = seen | {before.get("$ref", at)}
    was, is_ = _whole(old, before), _whole(new, after)
    if _types(new, after) - _types(old, before) and _types(old, before):
        yield f"{at}: answered as {sorted(_types(new, after))} instead of {sorted(_types(old, before))}"
    for name, one in was.get("properties", {}).items():
        if name not in is_.get("properties", {}):
            yield f"{at}: {name} is no longer answered"
        else:
            yield from _given(old, new, one, is_["properties"][name], f"{at}.{name}", seen)
    for name in set(was.get("required", ())) - set(is_.get("required", ())):
        yield f"{at}: {name} is no longer always answered"
    if "items" in was and "items" in is_:
        yield from _given(old, new, was["items"], is_["items"], f"{at}[]", seen)


def _taken(
    old: Document, new: Document, before: Document, after: Document, at: str, seen: set[str]
) -> Iterator[str]:
    """What is sent: nothing may be refused that was taken."""
    if before.get("$ref", "") in seen:
        return
    seen = seen | {before.get("$ref", at)}
    was, is_ = _whole(old, before), _whole(new, after)
    if _types(old, before) - _types(new, after):
        yield f"{at}: no longer takes {sorted(_types(old, before) - _types(new, after))}"
    if "enum" in is_ and set(was.get("enum", ())) - set(is_["enum"]):
        yield f"{at}: no longer takes {sorted(set(was['enum']) - set(is_['enum']))}"
    for name, one in was.get("properties", {}).items():
        if name not in is_.get("properties", {}):
            yield f"{at}: no longer takes {name}"
        else:
            yield from _taken(old, new, one, is_["properties"][name], f"{at}.{name}", seen)
    for name in set(is_.get("required", ())) - set(was.get("required", ())):
        yield f"{at}: {name} is required now"
    if "items" in was and "items" in is_:
        yield from _taken(old, new, was["items"], is_["items"], f"{at}[]", seen)
    yield from _alternatives(old, new, was, is_, at, seen)


def _alternatives(
    old: Document, new: Document, was: Document, is_: Document, at: str, seen: set[str]
) -> Iterator[str]:
    for number, one in enumerate(was.get("anyOf", ())):
        others = is_.get("anyOf", ())
        same = [other for other in others if other.get("$ref") == one.get("$ref")]
        if "$ref" in one and same:
            yield from _taken(old, new, one, same[0], f"{at}|{number}", seen)
