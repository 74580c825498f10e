-- The floor: what the hot path of booking executes for a booking with an idempotency key, by pgbench alone.
--
-- Frozen: the figures of two releases can be compared only while this file stays as it is. tests/bench/test_bench.py says
-- when the statement in services/booking/commands/reserving.py has another shape; then both change in one commit, and
-- docs/benchmarks.md starts anew.
--
-- Each client counts its own bookings (n); places and times are those of tests/bench/plan.py, in hubs of their own, so that
-- nearly all inserts find their place free. The text values below have the sizes real ones have.
-- The stream is one no relay carries: the floor is PostgreSQL alone.
--
-- define headers = {"traceparent":"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"}
-- define subject = hubs.floor-00.booking.booking-confirmed.v1
-- define zone = Europe/Stockholm
-- define title = Interview, please knock
-- define operation = reserve
-- define fingerprint = 0f1e2d3c4b5a69788796a5b4c3d2e1f0
-- define body = {"id":"01981f0e-5a00-7000-8000-0000000000f1","hub":"floor-00","occurred_at":"2027-03-01T08:00:00.123456Z","subject":"01981f0e-5a00-7000-8000-0000000000b1","subject_version":1,"space":"place-0","units":[44],"seats":1,"start":"2027-03-01T09:00:00Z","end":"2027-03-01T09:30:00Z","person":"01981f0e-5a00-7000-8000-0000000000a1","by":"01981f0e-5a00-7000-8000-0000000000a1"}
-- define answer = {"id":"01981f0e-5a00-7000-8000-0000000000b1","hub":"floor-00","space":"place-0","units":[44],"seats":1,"start":"2027-03-01T10:00:00+01:00","end":"2027-03-01T10:30:00+01:00","time_zone":"Europe/Stockholm","status":"confirmed","title":"Interview, please knock","person":"01981f0e-5a00-7000-8000-0000000000a1","booked_by":"01981f0e-5a00-7000-8000-0000000000a1","source":null,"expires_at":null,"cancel_reason":null,"rules_version":1,"version":1,"created_at":"2027-03-01T08:00:00.123456Z"}
\set n :n + 1
\set number :first + :n * :clients + :client_id
\set all :hubs * 10
\set hub :number % :all % :hubs
\set place :number % :all / :hubs
\set slot :number / :all * 2731 % 8640
\set minutes :slot / 24 * 1440 + :slot % 24 * 30
\set unit case when :place < 5 then :place + 1 else 6 + (:place - 5) * 8 + random(0, 7) end
WITH place AS (
    SELECT hub_number FROM space WHERE hub || '/' || slug = 'floor-' || :hub || '/place-' || :place AND version = 1 AND active
), booked AS (
    INSERT INTO booking (id, hub, hub_number, space, rules_version, units, seats, starts_at, ends_at, kept_from, kept_until, status,
                         title, person, booked_by, time_zone, expires_at, calendar, uid, recurrence_id, created_at)
    SELECT uuidv7(), 'floor-' || :hub, hub_number, 'place-' || :place, 1, int4multirange(int4range(:unit, :unit + 1)), 1, :day::timestamptz + :minutes::int * interval '1 minute', :day::timestamptz + (:minutes::int + 30) * interval '1 minute', NULL, :day::timestamptz + (:minutes::int + 30) * interval '1 minute', 'confirmed', :title, uuidv7(), uuidv7(), :zone, NULL::timestamptz, NULL, NULL, NULL, clock_timestamp()
    FROM place ON CONFLICT DO NOTHING RETURNING id
), stated AS (
    INSERT INTO outbox (stream, fact_id, subject, headers, body) SELECT 'FLOOR', uuidv7(), :subject, :headers, :body FROM booked
), answered AS (
    INSERT INTO idempotency_key (person, operation, key, fingerprint, status, version, answer)
    SELECT uuidv7(), :operation, 'bench-' || lpad(:number, 30, '0'), :fingerprint, 201, 1, :answer FROM booked
) SELECT id FROM booked;
