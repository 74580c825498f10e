"""Who started or hid an event and who let people in is found without reading them all."""

from alembic import op

from shared.kit import schema

revision = "0003"
down_revision = "0002"

INDEXES = {
    "event_started": "event (created_by)",
    "event_hid": "event (hidden_by) WHERE hidden_by IS NOT NULL",
    # Empty while people sign up: it costs nothing in a rush.
    "sign_up_let_in": "sign_up (came_by) WHERE came_by IS NOT NULL",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, on in INDEXES.items():
            schema.index_beside_work(name, on)
