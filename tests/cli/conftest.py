"""What several stories of `foci` need around them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog

from services.cli.calendar import confined
from services.cli.calendar.reader import answered

APART = confined.apart


@pytest.fixture
def no_log() -> Iterator[None]:
    """The service's log would go to the standard output that a command's answer is read from."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()


@pytest.fixture
def read_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the reader's own process would answer is answered in this one: the bounds of that process are told elsewhere."""
    monkeypatch.setattr(confined, "apart", lambda task, raw, _: answered(task, raw, lambda _uid: None))


@pytest.fixture
def read_apart(read_here: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a process of its own all the same, as everywhere but in tests."""
    monkeypatch.setattr(confined, "apart", APART)
