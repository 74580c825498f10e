"""What notify mirrors, what people chose, notices and messages, webhooks and their deliveries."""

from alembic import op

from shared.kit import schema

revision = "0001"
down_revision = None

MIRRORS = (
    """
    CREATE TABLE hub (
        slug text PRIMARY KEY,
        name text NOT NULL,
        municipality text,
        time_zone text NOT NULL,
        languages text[] NOT NULL DEFAULT '{}',
        version int NOT NULL
    )
    """,
    """
    CREATE TABLE space (
        hub text NOT NULL,
        slug text NOT NULL,
        name text NOT NULL,
        version int NOT NULL,
        PRIMARY KEY (hub, slug)
    )
    """,
    # Who belongs to a hub: for what concerns all of its people, or those who run it. No name, no address.
    """
    CREATE TABLE member (
        hub text NOT NULL,
        person uuid NOT NULL,
        role text,
        version int NOT NULL,
        PRIMARY KEY (hub, person)
    )
    """,
    """
    CREATE TABLE booking (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        person uuid NOT NULL,
        space text NOT NULL,
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        seats int NOT NULL,
        status text NOT NULL,
        by uuid NOT NULL,
        -- an event's room, or imported: nobody is told of it
        silent boolean NOT NULL DEFAULT false,
        version int NOT NULL
    )
    """,
    """
    CREATE TABLE event (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        status text NOT NULL,
        visibility text NOT NULL,
        hidden boolean NOT NULL DEFAULT false,
        venue_lost boolean NOT NULL DEFAULT false,
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        space text,
        online boolean NOT NULL DEFAULT false,
        titles jsonb NOT NULL DEFAULT '{}',
        organisers uuid[] NOT NULL DEFAULT '{}',
        by uuid,
        version int NOT NULL
    )
    """,
    """
    CREATE TABLE sign_up (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        event uuid NOT NULL,
        person uuid NOT NULL,
        guest boolean NOT NULL,
        way text NOT NULL,
        status text NOT NULL,
        number int,
        until timestamptz,
        by uuid,
        version int NOT NULL
    )
    """,
    "CREATE INDEX sign_up_event ON sign_up (event)",
    # to forget what is long over
    "CREATE INDEX booking_over ON booking (ends_at)",
    "CREATE INDEX event_over ON event (ends_at)",
)

CHOICES = (
    # hub '' stands for every hub.
    """
    CREATE TABLE choice (
        person uuid NOT NULL,
        hub text NOT NULL,
        kind text NOT NULL CHECK (kind NOT IN ('confirm', 'safety')),
        channel text NOT NULL CHECK (channel IN ('email', 'inbox')),
        pace text NOT NULL CHECK (pace IN ('now', 'daily', 'weekly', 'off')),
        chosen_at timestamptz NOT NULL,
        PRIMARY KEY (person, hub, kind, channel)
    )
    """,
    """
    CREATE TABLE habit (
        person uuid PRIMARY KEY,
        quiet_start time,
        quiet_end time,
        digest_at time,
        remind_minutes int CHECK (remind_minutes BETWEEN 15 AND 20160),
        version int NOT NULL DEFAULT 1
    )
    """,
)

NOTICES = (
    # What is about to be said, or has been, over one channel: frozen, so that a repeat is the same message.
    """
    CREATE TABLE message (
        id uuid PRIMARY KEY,
        person uuid NOT NULL,
        hub text NOT NULL,
        channel text NOT NULL CHECK (channel IN ('email', 'inbox')),
        kinds text[] NOT NULL,
        items jsonb NOT NULL,
        created_at timestamptz NOT NULL,
        -- while one process is sending it; when this is over and nothing is marked, nobody knows what became of it
        claimed_until timestamptz,
        attempts int NOT NULL DEFAULT 0,
        sent_at timestamptz,
        read_at timestamptz,
        failed_at timestamptz,
        problem text,
        -- keyed hash of the address it went to, to find it when it comes back
        address_hash bytea
    )
    """,
    "CREATE INDEX message_inbox ON message (person, id DESC) WHERE channel = 'inbox'",
    "CREATE INDEX message_unread ON message (person) WHERE channel = 'inbox' AND read_at IS NULL",
    "CREATE INDEX message_mailed ON message (person, id DESC) WHERE address_hash IS NOT NULL",
    "CREATE INDEX message_in_flight ON message (claimed_until) WHERE sent_at IS NULL AND failed_at IS NULL",
    "CREATE INDEX message_created ON message USING brin (created_at)",
    # Look at this thing for this person at `due_at`: what there is to say is the difference between what they were told
    # last and what is, taken when it is said. So edits become one message and what has been overtaken none.
    """
    CREATE TABLE notice (
        id uuid PRIMARY KEY,
        person uuid NOT NULL,
        hub text NOT NULL,
        about text NOT NULL,
        thing uuid NOT NULL,
        channel text NOT NULL CHECK (channel IN ('email', 'inbox')),
        due_at timestamptz NOT NULL,
        first_at timestamptz NOT NULL,
        -- waits in a digest of this pace
        digest text CHECK (digest IN ('daily', 'weekly')),
        attempts int NOT NULL DEFAULT 0,
        claimed_until timestamptz,
        message uuid REFERENCES message ON DELETE SET NULL
    )
    """,
    "CREATE UNIQUE INDEX notice_one ON notice (person, about, thing, channel) WHERE message IS NULL",
    "CREATE INDEX notice_due ON notice (due_at) WHERE message IS NULL AND digest IS NULL",
    "CREATE INDEX notice_digest ON notice (person, hub, channel, digest) WHERE message IS NULL AND digest IS NOT NULL",
    "CREATE INDEX notice_message ON notice (message) WHERE message IS NOT NULL",
    """
    CREATE TABLE digest (
        person uuid NOT NULL,
        hub text NOT NULL,
        channel text NOT NULL,
        pace text NOT NULL CHECK (pace IN ('daily', 'weekly')),
        due_at timestamptz NOT NULL,
        claimed_until timestamptz,
        PRIMARY KEY (person, hub, channel, pace)
    )
    """,
    "CREATE INDEX digest_due ON digest (due_at)",
    # What somebody knows. `sequence` counts what calendars have been sent about the thing (RFC 5545 SEQUENCE).
    """
    CREATE TABLE told (
        person uuid NOT NULL,
        about text NOT NULL,
        thing uuid NOT NULL,
        channel text NOT NULL,
        state jsonb NOT NULL,
        sequence int NOT NULL DEFAULT 0,
        told_at timestamptz NOT NULL,
        PRIMARY KEY (person, about, thing, channel)
    )
    """,
    # Addresses nothing is mailed to, as keyed hashes: a new address of the same person is another one.
    """
    CREATE TABLE stopped_address (
        address_hash bytea PRIMARY KEY,
        because text NOT NULL CHECK (because IN ('bounced', 'refused')),
        since timestamptz NOT NULL
    )
    """,
    # When the next mail may go to a mail server (lane '') or a domain, over all replicas.
    "CREATE TABLE lane (name text PRIMARY KEY, next_at timestamptz NOT NULL)",
)

WEBHOOKS = (
    # The secrets are derived from the service's key, the id and the generation: none is kept.
    """
    CREATE TABLE webhook (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        url text NOT NULL,
        name text,
        types text[] NOT NULL DEFAULT '{}',
        state text NOT NULL CHECK (state IN ('active', 'paused', 'gone')),
        because text,
        generation int NOT NULL DEFAULT 1,
        previous_until timestamptz,
        failing_since timestamptz,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        stated int NOT NULL DEFAULT 0,
        version int NOT NULL DEFAULT 1,
        CHECK ((state = 'active') = (because IS NULL))
    )
    """,
    "CREATE INDEX webhook_hub ON webhook (hub, id)",
    """
    CREATE TABLE delivery (
        id uuid PRIMARY KEY,
        webhook uuid NOT NULL REFERENCES webhook ON DELETE CASCADE,
        hub text NOT NULL,
        fact uuid NOT NULL,
        type text NOT NULL,
        body text NOT NULL,
        state text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'failed')),
        attempts int NOT NULL DEFAULT 0,
        created_at timestamptz NOT NULL,
        -- when the back-off began: the creation, or the redelivery by hand
        since timestamptz NOT NULL,
        due_at timestamptz,
        claimed_until timestamptz,
        last_at timestamptz,
        last_status int,
        last_ms int,
        last_problem text,
        UNIQUE (webhook, fact),
        CHECK ((state = 'waiting') = (due_at IS NOT NULL))
    )
    """,
    "CREATE INDEX delivery_due ON delivery (due_at) WHERE state = 'waiting'",
    "CREATE INDEX delivery_log ON delivery (webhook, id DESC)",
    "CREATE INDEX delivery_created ON delivery USING brin (created_at)",
)


def upgrade() -> None:
    """Create everything."""
    for statement in (*schema.V1, *MIRRORS, *CHOICES, *NOTICES, *WEBHOOKS):
        op.execute(statement)
