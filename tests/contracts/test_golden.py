"""A published version stays readable for ever: golden examples, and the compatibility check that guards them."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from pydantic import Field

from shared.contracts.base import Audience, Fact
from tests.contracts.compatibility import breaks
from tests.contracts.golden import FOLDER, HOW, PUBLISHED, Published, digest, sums

every_version = pytest.mark.parametrize("published", PUBLISHED, ids=lambda one: f"{one.service}/{one.name}")


@every_version
def test_every_published_version_has_a_golden_example(published: Published) -> None:
    assert published.example_file.exists(), f"{published.model.__name__} has no golden example: {HOW}"
    assert published.schema_file.exists(), f"{published.model.__name__} has no frozen schema: {HOW}"


@every_version
def test_todays_class_reads_the_golden_example_whole(published: Published) -> None:
    golden = json.loads(published.example_file.read_text())
    read = published.model.model_validate(golden).model_dump(mode="json")
    assert {name: read[name] for name in golden} == golden


@every_version
def test_todays_class_and_the_published_one_understand_each_other(published: Published) -> None:
    faults = breaks(json.loads(published.schema_file.read_text()), published.schema())
    assert not faults, (
        f"{published.model.__name__} is published and frozen; make the next version beside it. {'; '.join(faults)}"
    )


def test_no_golden_file_was_edited_and_none_is_left_over() -> None:
    known = sums()
    files = {str(file.relative_to(FOLDER)): file for file in FOLDER.rglob("*.json")}
    edited = [name for name, file in files.items() if known.get(name) != digest(file)]
    assert not edited, f"golden files are never edited; put back {edited} and publish a new version instead"
    assert files.keys() == known.keys(), "a golden file was removed: what was published stays published"
    published = {
        str(file.relative_to(FOLDER)) for one in PUBLISHED for file in (one.example_file, one.schema_file)
    }
    assert files.keys() == published, (
        "a published version has lost its class; messages of it are in the streams"
    )


class _Published(Fact):
    """A fact to plant changes in."""

    service = "booking"
    fact = "planted"
    audience = Audience.PUBLIC

    space: str
    seats: int
    note: str | None = None


def test_a_new_fact_without_a_golden_example_is_told_how_to_get_one() -> None:
    with pytest.raises(AssertionError, match=r"python -m tests\.contracts\.golden"):
        test_every_published_version_has_a_golden_example(Published(_Published, "booking", "planted.v1"))


FROZEN: dict[str, Any] = _Published.model_json_schema()


def _changed(**properties: Any) -> dict[str, Any]:
    schema = copy.deepcopy(FROZEN)
    for name, wanted in properties.items():
        if wanted is None:
            del schema["properties"][name]
            schema["required"] = [one for one in schema["required"] if one != name]
        else:
            schema["properties"][name] = wanted
    return schema


def test_the_checker_sees_a_removed_field() -> None:
    assert breaks(FROZEN, _changed(seats=None)) == ["seats was removed or renamed"]


def test_the_checker_sees_a_renamed_field() -> None:
    renamed = _changed(seats=None, places={"type": "integer"})
    renamed["required"].append("places")
    assert breaks(FROZEN, renamed) == [
        "places is new and required: old messages lack it",
        "seats was removed or renamed",
    ]


@pytest.mark.parametrize(
    "retyped",
    [
        {"type": "string"},
        {"type": "integer", "minimum": 5},
        {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    ],
)
def test_the_checker_sees_a_retyped_field(retyped: dict[str, Any]) -> None:
    (fault,) = breaks(FROZEN, _changed(seats=retyped))
    assert fault.startswith("seats was retyped")


def test_the_checker_sees_a_field_that_became_required_or_optional() -> None:
    stricter = copy.deepcopy(FROZEN)
    stricter["required"].append("note")
    assert breaks(FROZEN, stricter) == ["note became required: old messages may lack it"]
    assert breaks(stricter, FROZEN) == ["note became optional: old readers need it"]


def test_the_checker_sees_a_new_word_in_an_enumeration() -> None:
    kinds = _changed(space={"type": "string", "enum": ["room", "flex"]})
    more = _changed(space={"type": "string", "enum": ["room", "flex", "garden"]})
    assert breaks(kinds, more)
    assert breaks(more, kinds)


def test_the_checker_looks_into_nested_objects_and_references() -> None:
    inner: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    old = {"properties": {"data": {"$ref": "#/$defs/Inner"}}, "$defs": {"Inner": inner}}
    changed = {**inner, "properties": {"b": {"type": "integer"}}, "required": ["b"]}
    new = {"properties": {"data": {"$ref": "#/$defs/Inner"}}, "$defs": {"Inner": changed}}
    assert breaks(old, new) == [
        "data.a was removed or renamed",
        "data.b is new and required: old messages lack it",
    ]


def test_the_checker_lets_a_new_optional_field_and_better_words_pass() -> None:
    class Grown(_Published):
        """The same with one optional field more and a better description."""

        space: str = Field(description="Which space.")
        access: str | None = None

    assert breaks(FROZEN, Grown.model_json_schema()) == []
