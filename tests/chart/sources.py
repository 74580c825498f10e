"""What the chart takes from the code: the names of settings, the consumers of each service. One truth, written into it.

`python -m tests.chart.sources` writes it, with `--check` it only says whether it is up to date.
"""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]  # brings no types
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings

from shared.contracts.streams import CONSUMERS
from shared.contracts.users import SERVICES
from tests.architecture.source import ROOT

CHART = ROOT / "deploy" / "chart"
PROCESSES = (*SERVICES, "gateway")
SCHEMA = CHART / "values.schema.json"
LISTENING = {"HTTP_HOST", "HTTP_PORT", "CELL", "NATS_URL", "NATS_CA"}
"""What the chart says itself, the same for every process."""


def settings_of(process: str) -> type[BaseSettings]:
    """The class that says what a process reads from its environment."""
    found: type[BaseSettings] = importlib.import_module(f"services.{process}.settings").Settings
    return found


def fields(process: str) -> dict[str, FieldInfo]:
    """Its settings by the names the chart uses. What is only for development is not among them."""
    known = settings_of(process).model_fields.items()
    return {name.upper(): field for name, field in known if not name.startswith("dev_")}


def is_secret(field: FieldInfo) -> bool:
    """Whether its value must never stand in values."""
    return "SecretStr" in str(field.annotation) or field.annotation is SecretStr


def _plain(process: str) -> dict[str, Any]:
    """Schema of the settings that may stand in values."""
    made = settings_of(process).model_json_schema()["properties"]
    kept = {}
    for name, field in sorted(fields(process).items()):
        if is_secret(field) or name in LISTENING:
            continue
        schema = {key: one for key, one in made[name.lower()].items() if key not in {"title", "default"}}
        kept[name] = schema
    return {"type": "object", "additionalProperties": False, "properties": kept}


def schema() -> str:
    """values.schema.json with the settings of today's code."""
    document = json.loads(SCHEMA.read_text())
    services = document["properties"]["services"]["properties"]
    for process in PROCESSES:
        document["$defs"] |= settings_of(process).model_json_schema().get("$defs", {})
        document["$defs"][f"{process}Settings"] = _plain(process)
        services[process]["properties"]["fromSecret"]["propertyNames"] = {"enum": sorted(fields(process))}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def consumers() -> str:
    """Who consumes what, for what scales by it."""
    found: dict[str, list[dict[str, str]]] = {}
    for one in CONSUMERS:
        found.setdefault(one.service, []).append({"durable": one.durable, "stream": one.stream})
    head = "# Written by `make docs` from shared/contracts/streams.py.\n"
    return head + str(yaml.safe_dump(found, sort_keys=True))


def written() -> dict[Path, str]:
    """Each file with what should stand in it."""
    return {SCHEMA: schema(), CHART / "files" / "consumers.yaml": consumers()}


def main(arguments: list[str] | None = None) -> int:
    """Entry; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args(arguments).check
    old = [file for file, text in written().items() if not file.exists() or file.read_text() != text]
    for file in old:
        if check:
            sys.stderr.write(f"{file.relative_to(ROOT)} is out of date: run `make docs`\n")
        else:
            file.write_text(written()[file])
    return 1 if check and old else 0


if __name__ == "__main__":
    raise SystemExit(main())
