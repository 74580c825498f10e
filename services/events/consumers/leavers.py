"""Facts in about members: who leaves a hub gives back places at what is for its people."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.base import Fact
from shared.kit.bus import Effect
from shared.kit.ids import Clock, Ids


def frees_leavers_places(clock: Clock, ids: Ids) -> Mapping[type[Fact], Effect]:  # noqa: ARG001
    """Give back what somebody who left a hub had in events for its people."""
    return {}
