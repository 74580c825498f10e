"""The dashboards as Grafana reads them."""

from __future__ import annotations

import json
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

from deploy.telemetry.boards import bookings, messages, notices, overview

FOLDER = Path(__file__).parent / "dashboards"
BOARDS = {
    "overview": overview.BOARD,
    "messages": messages.BOARD,
    "bookings": bookings.BOARD,
    "notices": notices.BOARD,
}


def written() -> dict[str, str]:
    """Each dashboard's JSON by its name."""
    return {
        name: json.dumps(board.build(), cls=JSONEncoder, indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        for name, board in BOARDS.items()
    }
