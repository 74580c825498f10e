"""Facts in about hubs: keep what matching needs of them."""

from __future__ import annotations

from collections.abc import Mapping

from services.matching.commands.mirrors import keep_hub
from shared.contracts.base import Fact
from shared.contracts.streams import HUB_FACTS
from shared.kit.bus import Effect


def mirrors_hubs() -> Mapping[type[Fact], Effect]:
    """Keep names, places, zones and languages of hubs."""
    return dict.fromkeys(HUB_FACTS, keep_hub)
