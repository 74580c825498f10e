"""Facts in about hubs, spaces and members: keep what notify needs of them."""

from __future__ import annotations

from collections.abc import Mapping

from services.notify.commands.mirroring import keep_hubs, keep_members, keep_spaces
from shared.kit.bus import BatchEffect

MIRRORS: Mapping[str, BatchEffect] = {
    "notify__mirrors_hubs": keep_hubs,
    "notify__mirrors_members": keep_members,
    "notify__mirrors_spaces": keep_spaces,
}
"""What each consumer does with the facts it hears, many at a time."""
