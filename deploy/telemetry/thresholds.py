"""At which value an alarm rings, read from its rule, so that a dashboard cannot say another one."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml  # type: ignore[import-untyped]  # brings no types

RULES = Path(__file__).parent / "rules"


@cache
def thresholds() -> dict[str, tuple[float, ...]]:
    """What each alarm's figures are compared with, in the order of its rule."""
    return {
        rule["alert"]: tuple(float(found) for found in re.findall(r"> ([\d.]+)", rule["expr"]))
        for path in sorted(RULES.glob("*.yaml"))
        for group in yaml.safe_load(path.read_text())["groups"]
        for rule in group["rules"]
    }
