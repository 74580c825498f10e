"""What matching keeps for a hub: the skills it wants more of. Profiles, consents and introductions belong to people."""

from __future__ import annotations

from shared.kit.belongings import Kept

HUB_IS_KNOWN = "SELECT 1 FROM hub WHERE id = :hub"

KEPT = (
    Kept(
        "targets", "target", "Skills the hub wants more of, and how many people with them.",
        ("hub", "concept", "wanted", "set_by"), {"concept": "text"},
    ),
)  # fmt: skip
