"""Facts in about hubs and spaces: keep what events needs of them."""

from __future__ import annotations

from collections.abc import Mapping

from shared.contracts.base import Fact
from shared.kit.bus import Effect
from shared.kit.ids import Clock


def mirrors_hubs(clock: Clock) -> Mapping[type[Fact], Effect]:  # noqa: ARG001
    """Keep names, places, zones and languages of hubs."""
    return {}


def mirrors_spaces(clock: Clock) -> Mapping[type[Fact], Effect]:  # noqa: ARG001
    """Keep names and sizes of spaces."""
    return {}
