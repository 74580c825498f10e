"""Whatever is said, chosen and refused, in any order, and wherever processes die: each thing is told, once, by day."""

from __future__ import annotations

import asyncio
from datetime import time, timedelta

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from shared.contracts.notify.words import Channel
from tests.connections import empty
from tests.notify.anything.dying import Fuse
from tests.notify.anything.happenings import Anything

EXAMPLES, STEPS = 20, 30


def test_whatever_happens_each_thing_is_told_once_and_by_day(notify_database: str) -> None:
    def a_world() -> Anything:
        return Anything(notify_database)

    run_state_machine_as_test(
        a_world,  # type: ignore[arg-type]  # anything that makes one will do
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
            phases=(Phase.generate,),
        ),
    )
