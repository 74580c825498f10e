"""What must be true after a run; each module looks at one promise."""

from __future__ import annotations

from collections.abc import Iterable

from tests.faults.checks import answers, claims, effects, keys, occupancy, stating, upkeep
from tests.faults.checks.violation import Broken, Violation
from tests.faults.evidence import Evidence

CHECKS = (
    claims.check,
    answers.check,
    stating.check,
    effects.check,
    keys.check,
    occupancy.check,
    upkeep.check,
)


def check(evidence: Evidence) -> list[Violation]:
    """Every promise that was broken."""
    return [violation for one in CHECKS for violation in one(evidence)]


def classes(violations: Iterable[Violation]) -> set[Broken]:
    """Which promises."""
    return {violation.broken for violation in violations}


__all__ = ["CHECKS", "Broken", "Violation", "check", "classes"]
