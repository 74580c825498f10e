"""Slims a published CustomResourceDefinition to what checks need: `python -m tests.chart.crds SOURCE < crd.yaml`.

What a cluster would check by rules of its own (`x-kubernetes-validations`, in CEL) is not checked here.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import yaml  # type: ignore[import-untyped]  # brings no types

from tests.chart.schemas import CRDS

_KEPT = (
    "type", "enum", "pattern", "minimum", "maximum", "minLength", "maxLength", "minItems", "maxItems", "required",
)  # fmt: skip


def slimmed(schema: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of a structural schema: unknown fields, which a cluster would drop, are faults."""
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    made = {name: schema[name] for name in _KEPT if name in schema}
    if schema.get("nullable"):
        made["type"] = [made["type"], "null"]
    if "items" in schema:
        made["items"] = slimmed(schema["items"])
    if "properties" in schema:
        made["properties"] = {name: slimmed(one) for name, one in schema["properties"].items()}
        if not schema.get("x-kubernetes-preserve-unknown-fields"):
            made["additionalProperties"] = False
    elif isinstance(schema.get("additionalProperties"), dict):
        made["additionalProperties"] = slimmed(schema["additionalProperties"])
    return made


def main(source: str) -> None:
    """Write it beside the others; `source` says where it is published."""
    crd = yaml.safe_load(sys.stdin)
    spec = crd["spec"]
    [version] = [one for one in spec["versions"] if one["storage"]]
    schema = slimmed(version["schema"]["openAPIV3Schema"])
    schema["properties"]["metadata"] = {"type": "object", "required": ["name"]}
    schema["properties"].pop("status", None)
    document = {
        "source": source,
        "apiVersion": f"{spec['group']}/{version['name']}",
        "kind": spec["names"]["kind"],
        "schema": schema,
    }
    file = CRDS / f"{spec['names']['singular']}.json"
    file.write_text(json.dumps(document, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])
