"""What notify keeps for a hub: how people want to hear from it, and its webhooks, which wait for the new secret."""

from __future__ import annotations

from services.notify.commands.webhooks import BY_OPERATOR
from shared.kit.belongings import Kept

HUB_IS_KNOWN = "SELECT 1 FROM hub WHERE slug = :hub"

KEPT = (
    Kept(
        "choices", "choice", "What people want to hear from the hub, over which channel and how soon.",
        ("person", "hub", "kind", "channel", "pace", "chosen_at"),
        {"person": "uuid", "kind": "text", "channel": "text"},
    ),
    Kept(
        "webhooks", "webhook", "Where the hub's facts are sent. Without the secret; paused until it has a new one.",
        ("id", "hub", "url", "name", "types", "created_by", "created_at"), {"id": "uuid"},
        given={"state": "'paused'", "because": f"'{BY_OPERATOR}'"},
    ),
)  # fmt: skip
