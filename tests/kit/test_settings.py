"""What a process says when its settings are not there or not usable."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


def started(service: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The end of a process that is started with these variables and no others of ours."""
    own = {name: value for name, value in os.environ.items() if not name.startswith(("BOOKING_", "GATEWAY_"))}
    command = [sys.executable, "-m", f"services.{service}", "serve"]
    return subprocess.run(
        command, env=own | environment, capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("service", "secret"), [("booking", "BOOKING_DATABASE_URL"), ("gateway", "GATEWAY_ASSERTION_PRIVATE_KEY")]
)
def test_a_missing_setting_is_named_and_nothing_else_is_printed(service: str, secret: str) -> None:
    ended = started(service)
    assert ended.returncode == 1
    assert f"{secret} is not set." in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_wrong_setting_is_named_and_its_value_is_not_repeated() -> None:
    ended = started(
        "booking", BOOKING_DATABASE_URL="postgresql+asyncpg://b:hush@h/b", BOOKING_POOL_SIZE="hush-too"
    )
    assert "BOOKING_POOL_SIZE is not usable" in ended.stderr
    assert "hush" not in ended.stderr + ended.stdout
