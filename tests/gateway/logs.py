"""What the parts of a cell log, kept for tests to look at."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog


@contextmanager
def listening(heard: list[dict[str, Any]]) -> Iterator[None]:
    """Keep what the cell's parts log, instead of printing it."""

    def keep(_: Any, __: str, entry: Any) -> str:
        heard.append(dict(entry))
        raise structlog.DropEvent

    structlog.configure(
        processors=[structlog.stdlib.add_log_level, structlog.processors.format_exc_info, keep],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )
    try:
        yield
    finally:
        structlog.reset_defaults()
