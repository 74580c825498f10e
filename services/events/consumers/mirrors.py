"""Facts in about hubs and spaces: keep what events needs of them."""

from __future__ import annotations

from collections.abc import Mapping

from services.events.commands.mirrors import keep_hub, keep_space
from shared.contracts.base import Fact
from shared.contracts.booking.facts import SpaceOpenedV1, SpaceRulesChangedV1, SpaceSnapshotV1
from shared.contracts.directory.facts import HubProfileChangedV1, HubRegisteredV1, HubSnapshotV1
from shared.kit.bus import Effect
from shared.kit.ids import Clock


def mirrors_hubs(_: Clock) -> Mapping[type[Fact], Effect]:
    """Keep names, places, zones and languages of hubs."""
    return dict.fromkeys((HubRegisteredV1, HubProfileChangedV1, HubSnapshotV1), keep_hub)


def mirrors_spaces(_: Clock) -> Mapping[type[Fact], Effect]:
    """Keep names and sizes of spaces."""
    return dict.fromkeys((SpaceOpenedV1, SpaceRulesChangedV1, SpaceSnapshotV1), keep_space)
