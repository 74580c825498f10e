"""Hubs as booking knows them, spaces of units, bookings that cannot overlap, occupancy."""

from alembic import op

from shared.kit import schema

revision = "0001"
down_revision = None

LIVE = "status IN ('held', 'confirmed', 'checked_in')"

TABLES = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    CREATE FUNCTION count_units(units int4multirange) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT coalesce(sum(upper(r) - lower(r)), 0)::int FROM unnest(units) r)
    """,
    """
    CREATE TABLE hub (
        slug text PRIMARY KEY,
        number int GENERATED ALWAYS AS IDENTITY UNIQUE,
        name text NOT NULL,
        time_zone text NOT NULL,
        next_unit int NOT NULL DEFAULT 1
    )
    """,
    """
    CREATE TABLE space (
        hub text NOT NULL REFERENCES hub,
        hub_number int NOT NULL REFERENCES hub (number),
        slug text NOT NULL,
        name text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('room', 'flex', 'desk', 'event', 'equipment', 'advisor')),
        capacity int NOT NULL CHECK (capacity > 0),
        units int4multirange NOT NULL CHECK (NOT isempty(units)),
        made_of text[] NOT NULL DEFAULT '{}',
        rules jsonb NOT NULL,
        guarded boolean NOT NULL DEFAULT false,
        active boolean NOT NULL DEFAULT true,
        version int NOT NULL DEFAULT 1,
        stated int NOT NULL DEFAULT 1,
        PRIMARY KEY (hub, slug)
    )
    """,
    # What was in force when a booking was made: written once per version, never changed.
    """
    CREATE TABLE space_terms (
        hub text NOT NULL,
        slug text NOT NULL,
        version int NOT NULL,
        rules jsonb NOT NULL,
        time_zone text NOT NULL,
        since timestamptz NOT NULL,
        PRIMARY KEY (hub, slug, version)
    )
    """,
    """
    CREATE TABLE booking (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        hub_number int NOT NULL,
        space text NOT NULL,
        units int4multirange NOT NULL CHECK (NOT isempty(units)),
        seats int NOT NULL CHECK (seats > 0),
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        kept_from timestamptz,
        kept_until timestamptz NOT NULL,
        status text NOT NULL CHECK (status IN ('held', 'confirmed', 'checked_in', 'checked_out', 'cancelled', 'expired')),
        title text,
        person uuid NOT NULL,
        booked_by uuid NOT NULL,
        time_zone text NOT NULL,
        rules_version int NOT NULL,
        expires_at timestamptz CHECK ((status = 'held') <= (expires_at IS NOT NULL)),
        cancel_reason text,
        calendar text,
        uid text,
        recurrence_id text,
        version int NOT NULL DEFAULT 1,
        created_at timestamptz NOT NULL,
        CHECK (starts_at < ends_at AND ends_at <= kept_until AND kept_from <= starts_at),
        CHECK ((calendar IS NULL) = (uid IS NULL) AND (calendar IS NULL) = (recurrence_id IS NULL))
    )
    """,
    # By hash, so that finding a space touches two pages whether there are ten hubs or ten thousand.
    "CREATE INDEX space_place ON space USING hash ((hub || '/' || slug))",
    # The number of the hub instead of its slug keeps entries small: a million bookings fit one level less of the tree.
    # The promise: no unit is claimed twice at a time, the buffer after a booking included.
    f"""
    ALTER TABLE booking ADD CONSTRAINT booking_no_overlap EXCLUDE USING gist
        (hub_number WITH =, units WITH &&, tstzrange(starts_at, kept_until) WITH &&) WHERE ({LIVE})
    """,
    # The buffer before a booking. Two constraints, not one wider range, so that of two neighbours' buffers the longer
    # counts instead of their sum. `kept_from` is null where no space sharing the units asks for such a buffer, and the
    # row is then not in this index at all.
    f"""
    ALTER TABLE booking ADD CONSTRAINT booking_buffer_before EXCLUDE USING gist
        (hub_number WITH =, units WITH &&, tstzrange(kept_from, ends_at) WITH &&)
        WHERE (kept_from IS NOT NULL AND {LIVE})
    """,
    """
    CREATE UNIQUE INDEX booking_source ON booking (hub, calendar, uid, recurrence_id)
        WHERE calendar IS NOT NULL AND status IN ('held', 'confirmed', 'checked_in', 'checked_out')
    """,
    "CREATE INDEX booking_by_time ON booking (hub, starts_at, id)",
    "CREATE INDEX booking_by_person ON booking (person, starts_at, id)",
    """
    CREATE TABLE occupancy (
        hub text NOT NULL,
        space text NOT NULL,
        capacity int NOT NULL,
        booked int NOT NULL,
        present int NOT NULL,
        measured_at timestamptz NOT NULL,
        version int NOT NULL DEFAULT 1,
        public_booked int NOT NULL,
        public_present int NOT NULL,
        public_at timestamptz NOT NULL,
        PRIMARY KEY (hub, space),
        CHECK (booked <= capacity)
    )
    """,
)


def upgrade() -> None:
    for statement in (*schema.V1, *TABLES):
        op.execute(statement)
