"""What separates two JSON schemas of one fact: everything that would make an old reader or an old message fail."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]

_WORDS = frozenset({"title", "description", "examples", "default", "deprecated"})
"""Keywords that say something to people and nothing about which messages are valid."""


def breaks(old: Schema, new: Schema) -> list[str]:
    """Why messages made and read by the two do not go together; empty when they do.

    `old` is frozen beside the golden example, `new` is today's. A reader with `old` must understand a message made under
    `new`, and the other way round: both are in the streams, and releases run side by side.
    """
    return _object(old, new, old, new, "")


def _object(old: Schema, new: Schema, old_root: Schema, new_root: Schema, at: str) -> list[str]:
    before, after = old.get("properties", {}), new.get("properties", {})
    had, has = set(old.get("required", ())), set(new.get("required", ()))
    found = [f"{at}{name} was removed or renamed" for name in before if name not in after]
    found += [f"{at}{name} is new and required: old messages lack it" for name in has - set(before)]
    found += [f"{at}{name} became required: old messages may lack it" for name in (has - had) & set(before)]
    found += [f"{at}{name} became optional: old readers need it" for name in (had - has) & set(after)]
    for name in before.keys() & after.keys():
        found += _field(before[name], after[name], old_root, new_root, f"{at}{name}")
    return sorted(found)


def _field(old: Schema, new: Schema, old_root: Schema, new_root: Schema, at: str) -> list[str]:
    before, after = _resolved(old, old_root), _resolved(new, new_root)
    if "properties" in before and "properties" in after:
        return _object(before, after, old_root, new_root, f"{at}.")
    before, after = _bare(before, old_root), _bare(after, new_root)
    if before == after:
        return []
    return [f"{at} was retyped: {before} became {after}"]


def _resolved(schema: Schema, root: Schema) -> Schema:
    if "$ref" not in schema:
        return schema
    name = str(schema["$ref"]).rpartition("/")[2]
    return {**root["$defs"][name], **{word: schema[word] for word in schema if word != "$ref"}}


def _bare(schema: Any, root: Schema) -> Any:
    """The schema without words for people, with every reference followed."""
    if isinstance(schema, list):
        return [_bare(one, root) for one in schema]
    if not isinstance(schema, dict):
        return schema
    whole = _resolved(schema, root)
    return {word: _bare(value, root) for word, value in sorted(whole.items()) if word not in _WORDS}
