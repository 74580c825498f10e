"""Schemas of everything the chart makes: Kubernetes' own, and of the operators' resources it uses, all strict about names."""

from __future__ import annotations

import json
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
from referencing import Registry, Resource

from tests.chart.tools import wheel

VERSIONS = ("1.32", "1.34", "1.37")
"""From the oldest that Chart.yaml allows to the newest that has schemas."""
CRDS = Path(__file__).parent / "crds"

Objects = list[dict[str, Any]]


@cache
def _archive() -> zipfile.ZipFile:
    return zipfile.ZipFile(wheel("kubernetes_validate"))


def _read(version: str, name: str) -> Any:
    folder = f"kubernetes_validate/kubernetes-json-schema/v{version}.0-local-strict"
    return json.loads(_archive().read(f"{folder}/{name}"))


@cache
def _definitions(version: str) -> Registry[Any]:
    return Resource.from_contents(_read(version, "_definitions.json")) @ Registry()


@cache
def _builtin(version: str, kind: str, group_version: str) -> Any:
    """The schema of one of Kubernetes' own kinds, as kubernetes-validate names its file."""
    group, _, api = group_version.rpartition("/")
    name = "-".join(filter(None, (kind.lower(), group.split(".")[0], api)))
    schema = _read(version, f"{name}.json")
    registry = Resource.from_contents(schema) @ _definitions(version)
    return jsonschema.Draft202012Validator(schema, registry=registry)


@cache
def _of_operators() -> dict[tuple[str, str], Any]:
    found = {}
    for file in sorted(CRDS.glob("*.json")):
        crd = json.loads(file.read_text())
        found[crd["apiVersion"], crd["kind"]] = jsonschema.Draft202012Validator(crd["schema"])
    return found


@cache
def _faults(text: str, version: str) -> tuple[str, ...]:
    """Of one object as JSON: most are the same whatever the values, and looked at once."""
    one = json.loads(text)
    kind, api = one["kind"], one["apiVersion"]
    validator = _of_operators().get((api, kind)) or _builtin(version, kind, api)
    return tuple(
        f"{kind} {one['metadata']['name']}: {'/'.join(map(str, fault.absolute_path))}: {fault.message}"
        for fault in validator.iter_errors(one)
    )


def faults(objects: Objects, version: str) -> list[str]:
    """What a cluster of that version would refuse, or drop without a word."""
    return [fault for one in objects for fault in _faults(json.dumps(one), version)]
