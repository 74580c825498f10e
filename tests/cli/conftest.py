"""What several stories of `foci` need around them."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture
def no_log() -> Iterator[None]:
    """The service's log would go to the standard output that a command's answer is read from."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield
    structlog.reset_defaults()
