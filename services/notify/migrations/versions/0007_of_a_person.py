"""What is a person's is found without reading everybody's."""

from alembic import op

from shared.kit import schema

revision = "0007"
down_revision = "0006"

INDEXES = {
    "message_person": "message (person)",
    "member_person": "member (person)",
    "booking_person": "booking (person)",
    "booking_by": "booking (by) WHERE by <> person",
    "sign_up_person": "sign_up (person)",
    "sign_up_by": "sign_up (by) WHERE by <> person",
}


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for name, on in INDEXES.items():
            schema.index_beside_work(name, on)
