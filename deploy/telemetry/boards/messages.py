"""The way of facts: outbox, streams, consumers, timers."""

from __future__ import annotations

from deploy.telemetry.expressions import most, rate, slowest
from deploy.telemetry.panels import COUNT, PER_SECOND, SECONDS, Line, board, lines, number, row

WORKED = "Facts taken in by a consumer. `repeated` is harmless, `retried` and `away` come again, `dead` is given up."

BOARD = board(
    "foci-messages",
    "Foci: messages",
    "The way of facts: out of the outbox, through the streams, into consumers; and what falls due.",
    row("Out"),
    number(
        "Oldest in an outbox",
        "Age of the oldest fact that is not in its stream.",
        SECONDS,
        most("foci_outbox_age_seconds"),
        alarm="FociOutboxOld",
    ),
    number(
        "Facts relayed", "Put into streams by all services.", PER_SECOND, rate("foci_relayed_facts_total")
    ),
    number(
        "Dead letters",
        "Given up and not replayed, of all services.",
        COUNT,
        f"sum({most('foci_dead_letters', 'namespace, job')})",
    ),
    number(
        "Oldest timer due",
        "How long the oldest timer has been due.",
        SECONDS,
        most("foci_timer_overdue_seconds"),
        alarm="FociTimersLate",
    ),
    lines(
        "Age of the outbox",
        "By stream; 0 when all is relayed.",
        SECONDS,
        Line("{{stream}}", most("foci_outbox_age_seconds", "stream")),
    ),
    lines(
        "Facts relayed by stream",
        "Put into the stream.",
        PER_SECOND,
        Line("{{stream}}", rate("foci_relayed_facts_total", "stream")),
    ),
    lines(
        "Rewinds",
        "Times a stream was not as its relay left it; a few at a restart of NATS are nothing.",
        PER_SECOND,
        Line("{{stream}}", rate("foci_relay_rewinds_total", "stream")),
    ),
    lines(
        "Held back",
        "Looks at the outbox that found rows an open transaction keeps back.",
        PER_SECOND,
        Line("{{stream}}", rate("foci_relay_held_back_total", "stream")),
    ),
    row("In"),
    lines(
        "Behind",
        "Facts before a consumer that it has not acknowledged.",
        COUNT,
        Line("{{consumer}}", most("foci_consumer_lag", "consumer")),
    ),
    lines(
        "From stated to taken in",
        "What 95 of 100 facts take at most, by consumer.",
        SECONDS,
        Line("{{consumer}}", slowest(0.95, "foci_fact_delay_seconds", "consumer")),
    ),
    lines("Taken in", WORKED, PER_SECOND, Line("{{outcome}}", rate("foci_facts_total", "outcome"))),
    lines(
        "Failures",
        "Facts that failed, by consumer; eight failures make a dead letter.",
        PER_SECOND,
        Line(
            "{{consumer}} {{outcome}}",
            rate("foci_facts_total", "consumer, outcome", 'outcome=~"retried|away|dead"'),
        ),
    ),
    lines(
        "Dead and parked",
        "Facts given up, and facts that wait for an earlier one of the same entity.",
        COUNT,
        Line("{{job}} dead", most("foci_dead_letters", "job")),
        Line("{{job}} parked", most("foci_parked_facts", "job")),
    ),
    row("At a time"),
    lines(
        "Timers",
        "Duties done and failed, by kind.",
        PER_SECOND,
        Line("{{kind}} {{outcome}}", rate("foci_timers_total", "kind, outcome")),
    ),
    lines(
        "Timers due",
        "How long the oldest timer of a service has been due, and how late the latest was handled.",
        SECONDS,
        Line("{{job}} due", most("foci_timer_overdue_seconds", "job")),
        Line("{{job}} handled late", most("foci_timer_lateness_seconds", "job")),
    ),
)
