"""Events and their series, places and sign-ups that the database counts, agreements on rooms, calendar addresses."""

from alembic import op

from shared.kit import schema

revision = "0001"
down_revision = None

TABLES = (
    # Mirrored from directory.
    """
    CREATE TABLE hub (
        slug text PRIMARY KEY,
        name text NOT NULL,
        municipality text,
        country text,
        time_zone text NOT NULL,
        languages text[] NOT NULL DEFAULT '{}'
    )
    """,
    # Mirrored from booking, for the names in calendars.
    """
    CREATE TABLE space (
        hub text NOT NULL,
        slug text NOT NULL,
        name text NOT NULL,
        capacity int NOT NULL,
        PRIMARY KEY (hub, slug)
    )
    """,
    """
    CREATE TABLE hub_settings (
        hub text PRIMARY KEY,
        approval boolean NOT NULL DEFAULT false,
        version int NOT NULL DEFAULT 1,
        changed_by uuid,
        changed_at timestamptz
    )
    """,
    # `first_start` is wall time such as `2027-03-01T10:00`: text, so that nobody takes it for a moment. `template` is
    # what new dates are made from, and `made_until` how far the rule has been expanded.
    """
    CREATE TABLE series (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('rule', 'theme')),
        texts jsonb NOT NULL CHECK (jsonb_typeof(texts) = 'object' AND texts <> '{}'),
        language text NOT NULL,
        rule text,
        first_start text,
        minutes int CHECK (minutes > 0),
        time_zone text NOT NULL,
        template jsonb,
        made_until date,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        version int NOT NULL DEFAULT 1,
        CHECK ((kind = 'rule') = (rule IS NOT NULL AND first_start IS NOT NULL AND minutes IS NOT NULL))
    )
    """,
    # A date that was left out, and why; it can be added again.
    """
    CREATE TABLE series_skip (
        hub text NOT NULL,
        series uuid NOT NULL REFERENCES series ON DELETE CASCADE,
        wall_start text NOT NULL,
        because text NOT NULL,
        since timestamptz NOT NULL,
        PRIMARY KEY (series, wall_start)
    )
    """,
    # One meeting at one time. `version` counts changes a caller can see, `stated` its facts, and `sequence` changes
    # of time, place and state as calendars count them.
    """
    CREATE TABLE event (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        series uuid REFERENCES series ON DELETE SET NULL,
        series_start text,
        detached boolean NOT NULL DEFAULT false,
        kind text NOT NULL CHECK (length(kind) BETWEEN 1 AND 60),
        visibility text NOT NULL CHECK (visibility IN ('hub', 'federation', 'public')),
        status text NOT NULL CHECK (
            status IN ('draft', 'awaiting', 'publishing', 'published', 'changed', 'cancelled', 'held')),
        starts_at timestamptz NOT NULL,
        ends_at timestamptz NOT NULL,
        time_zone text NOT NULL,
        space text,
        address text,
        online_url text,
        texts jsonb NOT NULL CHECK (jsonb_typeof(texts) = 'object' AND texts <> '{}'),
        language text NOT NULL,
        tags text[] NOT NULL DEFAULT '{}',
        cost text,
        accessibility text,
        link text,
        created_by uuid NOT NULL,
        created_at timestamptz NOT NULL,
        started_by text NOT NULL CHECK (started_by IN ('member', 'staff')),
        asked_at timestamptz,
        usable_at timestamptz,
        waited boolean NOT NULL DEFAULT false,
        cancelled_at timestamptz,
        cancel_reason text,
        returned_reason text,
        hidden_at timestamptz,
        hidden_by uuid,
        hidden_reason text,
        hidden_answer text,
        walk_ins int NOT NULL DEFAULT 0 CHECK (walk_ins >= 0),
        calendar text,
        uid text,
        recurrence_id text,
        sequence int NOT NULL DEFAULT 0,
        stated int NOT NULL DEFAULT 0,
        version int NOT NULL DEFAULT 1,
        changed_at timestamptz NOT NULL,
        CHECK (starts_at < ends_at),
        CHECK (NOT (space IS NOT NULL AND address IS NOT NULL)),
        CHECK ((hidden_at IS NULL) = (hidden_reason IS NULL)),
        CHECK ((status = 'cancelled') = (cancelled_at IS NOT NULL)),
        CHECK ((calendar IS NULL) = (uid IS NULL) AND (calendar IS NULL) = (recurrence_id IS NULL)),
        UNIQUE (series, series_start)
    )
    """,
    """
    CREATE UNIQUE INDEX event_source ON event (hub, calendar, uid, recurrence_id)
        WHERE calendar IS NOT NULL AND status <> 'cancelled'
    """,
    "CREATE INDEX event_by_time ON event (hub, starts_at, id)",
    "CREATE INDEX event_changed ON event (hub, changed_at)",
    # `id` is the nil UUID for the hub itself.
    """
    CREATE TABLE organiser (
        event uuid NOT NULL REFERENCES event ON DELETE CASCADE,
        hub text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('person', 'organisation', 'hub')),
        id uuid NOT NULL,
        PRIMARY KEY (event, kind, id)
    )
    """,
    "CREATE INDEX organiser_person ON organiser (id, event) WHERE kind = 'person'",
    # The row everybody who signs up locks: narrow, no index but its key, and room on its page for its next version.
    # `taken` counts attending and offered. What is copied from the event spares signing up a second row.
    """
    CREATE TABLE places (
        event uuid NOT NULL REFERENCES event ON DELETE CASCADE,
        way text NOT NULL CHECK (way IN ('room', 'online')),
        hub text NOT NULL,
        capacity int CHECK (capacity >= 0),
        taken int NOT NULL DEFAULT 0 CHECK (taken >= 0),
        waiting int NOT NULL DEFAULT 0 CHECK (waiting >= 0),
        came int NOT NULL DEFAULT 0 CHECK (came >= 0),
        last_number int NOT NULL DEFAULT 0,
        open boolean NOT NULL DEFAULT false,
        closes_at timestamptz NOT NULL,
        for_members boolean NOT NULL,
        waits boolean NOT NULL DEFAULT true,
        starts_at timestamptz NOT NULL,
        PRIMARY KEY (event, way),
        CONSTRAINT places_not_overfull CHECK (taken <= capacity)
    ) WITH (fillfactor = 50)
    """,
    # One row per person and event, so nobody is in two states; `number` is the place in commit order.
    """
    CREATE TABLE sign_up (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        event uuid NOT NULL,
        way text NOT NULL,
        person uuid NOT NULL,
        guest boolean NOT NULL DEFAULT false,
        seats smallint NOT NULL DEFAULT 1 CHECK (seats > 0),
        status text NOT NULL CHECK (
            status IN ('pending', 'attending', 'offered', 'waiting', 'declined', 'lapsed', 'cancelled')),
        number int,
        code text,
        offer_until timestamptz,
        pending_until timestamptz,
        came_at timestamptz,
        came_by uuid,
        signed_up_at timestamptz NOT NULL,
        changed_at timestamptz NOT NULL,
        version int NOT NULL DEFAULT 1,
        FOREIGN KEY (event, way) REFERENCES places ON DELETE CASCADE,
        CONSTRAINT sign_up_one_state UNIQUE (event, person),
        CONSTRAINT sign_up_number UNIQUE (event, way, number),
        CONSTRAINT sign_up_code UNIQUE (hub, code),
        CHECK ((status = 'offered') = (offer_until IS NOT NULL)),
        CHECK ((status = 'pending') = (pending_until IS NOT NULL)),
        CHECK ((status IN ('attending', 'offered', 'waiting')) <= (number IS NOT NULL)),
        CHECK ((status = 'attending') <= (code IS NOT NULL)),
        CHECK ((came_at IS NULL) OR status = 'attending')
    )
    """,
    "CREATE INDEX sign_up_line ON sign_up (event, way, number) WHERE status = 'waiting'",
    "CREATE INDEX sign_up_person ON sign_up (person, event)",
    # The wish for a room, and what booking last said. No foreign key: the agreement may outlive its event. `version`
    # counts our facts about it, `heard` is the last of booking's that was acted on.
    """
    CREATE TABLE venue (
        event uuid PRIMARY KEY,
        hub text NOT NULL,
        edition int NOT NULL,
        state text NOT NULL CHECK (state IN ('wanted', 'held', 'confirmed', 'refused', 'lost', 'released')),
        wants boolean NOT NULL,
        space text,
        starts_at timestamptz,
        ends_at timestamptz,
        seats int,
        person uuid,
        booking uuid UNIQUE,
        booked_space text,
        booked_starts_at timestamptz,
        booked_ends_at timestamptz,
        refused_because text,
        free_starts timestamptz[] NOT NULL DEFAULT '{}',
        free_spaces text[] NOT NULL DEFAULT '{}',
        bookable_from timestamptz,
        lost_because text,
        moved_by uuid,
        version int NOT NULL DEFAULT 0,
        heard int NOT NULL DEFAULT 0,
        asked_at timestamptz,
        changed_at timestamptz NOT NULL,
        CHECK (wants = (state IN ('wanted', 'held', 'confirmed'))),
        CHECK (NOT wants OR (space IS NOT NULL AND starts_at < ends_at AND person IS NOT NULL)),
        CHECK ((booking IS NULL) = (booked_space IS NULL))
    )
    """,
    # What somebody wanted and did not get, for the figures: `because` says approval, hidden or a venue refusal's word.
    """
    CREATE TABLE refusal (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        event uuid NOT NULL,
        at timestamptz NOT NULL,
        because text NOT NULL,
        by uuid
    )
    """,
    "CREATE INDEX refusal_month ON refusal (hub, at)",
    """
    CREATE TABLE feed (
        id uuid PRIMARY KEY,
        hub text NOT NULL,
        person uuid NOT NULL,
        secret_hash bytea NOT NULL UNIQUE,
        everywhere boolean NOT NULL,
        made_at timestamptz NOT NULL,
        revoked_at timestamptz
    )
    """,
    "CREATE INDEX feed_person ON feed (person)",
)


def _part(sign: str, rows: str) -> str:
    return f"""
        SELECT event, way, {sign} seats * (status IN ('attending', 'offered'))::int AS taken,
               {sign} seats * (status = 'waiting')::int AS waiting,
               {sign} seats * (came_at IS NOT NULL)::int AS came
        FROM {rows}
    """  # noqa: S608  # constants


NEW, OLD = ("+", "new_rows"), ("-", "old_rows")


def _counting(operation: str, *parts: tuple[str, str]) -> tuple[str, str]:
    """A statement's sign-ups are added up and put on the places once: whatever writes them, the counts are right."""
    counted = " UNION ALL ".join(_part(sign, rows) for sign, rows in parts)
    tables = " ".join(f"{rows.split('_', 1)[0].upper()} TABLE AS {rows}" for _, rows in parts)
    function = f"""
        CREATE FUNCTION count_places_{operation}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            UPDATE places p SET taken = p.taken + d.taken, waiting = p.waiting + d.waiting, came = p.came + d.came
            FROM (
                SELECT event, way, sum(taken)::int AS taken, sum(waiting)::int AS waiting, sum(came)::int AS came
                FROM ({counted}) one GROUP BY event, way
            ) d
            WHERE p.event = d.event AND p.way = d.way AND (d.taken, d.waiting, d.came) <> (0, 0, 0);
            RETURN NULL;
        END $$
    """  # noqa: S608  # constants
    trigger = f"""
        CREATE TRIGGER sign_up_counts_{operation} AFTER {operation.upper()} ON sign_up REFERENCING {tables}
            FOR EACH STATEMENT EXECUTE FUNCTION count_places_{operation}()
    """
    return function, trigger


COUNTING = (
    *_counting("insert", NEW),
    *_counting("update", NEW, OLD),
    *_counting("delete", OLD),
)


def upgrade() -> None:
    for statement in (*schema.V1, *TABLES, *COUNTING):
        op.execute(statement)
