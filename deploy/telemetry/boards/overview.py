"""Rates, errors, latency: is it well, and if not, which service."""

from __future__ import annotations

from deploy.telemetry.expressions import most, percentiles, rate, slowest
from deploy.telemetry.panels import COUNT, HERE, PER_SECOND, SECONDS, SHARE, Line, board, lines, number, row

LIVE = 'route!="/v1/live"'
"""Who listens to live events stays for hours."""
FAILING = rate("foci_http_requests_total", where='status=~"5.."')
ASKED = rate("foci_http_requests_total")
SLOW = "Half of the requests take at most the first line, one in a hundred more than the last. Live events are left out."

BOARD = board(
    "foci-overview",
    "Foci: overview",
    "Is it well: requests, errors, time, and what the processes need.",
    row("At the door"),
    number("Requests", "HTTP requests answered by all gateways.", PER_SECOND, ASKED),
    number(
        "Failing",
        "The share of requests answered with 5xx.",
        SHARE,
        f"({FAILING} or vector(0)) / {ASKED}",
        alarm="FociRequestsFail",
    ),
    number(
        "One in a hundred takes longer than",
        "Live events are left out.",
        SECONDS,
        slowest(0.99, "foci_http_seconds", where=LIVE),
        alarm="FociRequestsSlow",
    ),
    number(
        "Replicas",
        "Processes that answer Prometheus, of all services.",
        COUNT,
        f"count(foci_service_info{{{HERE}}})",
    ),
    lines(
        "Requests by status",
        "HTTP requests a second, by the status they were answered with.",
        PER_SECOND,
        Line("{{status}}", rate("foci_http_requests_total", "status")),
    ),
    lines("Time to answer", SLOW, SECONDS, *percentiles("foci_http_seconds", LIVE)),
    lines(
        "Busiest routes",
        "The ten routes asked most.",
        PER_SECOND,
        Line("{{route}}", f"topk(10, {rate('foci_http_requests_total', 'route')})"),
    ),
    lines(
        "Slowest routes",
        "What 95 of 100 requests to a route take at most; the ten slowest.",
        SECONDS,
        Line("{{route}}", f"topk(10, {slowest(0.95, 'foci_http_seconds', 'route', LIVE)})"),
    ),
    row("Behind it"),
    lines(
        "Failures in services",
        "Requests to services that failed (5xx) or were sent away for want of a slot.",
        PER_SECOND,
        Line(
            "{{job}} {{operation}} {{status}}",
            rate("foci_requests_total", "job, operation, status", 'status=~"5..|busy"'),
        ),
    ),
    lines(
        "Not answered",
        "Requests of the gateway that nobody answered, by service and reason.",
        PER_SECOND,
        Line("{{asked}}: {{why}}", rate("foci_requests_unanswered_total", "asked, why")),
    ),
    lines(
        "Time in services",
        "What 95 of 100 requests to a service take at most.",
        SECONDS,
        Line("{{job}}", slowest(0.95, "foci_request_seconds", "job")),
    ),
    lines(
        "Being worked on",
        "Requests a replica works on or lets wait; from 96 on it sends them away.",
        COUNT,
        Line("{{job}} {{instance}}", most("foci_requests_active", "job, instance")),
    ),
    lines(
        "Needs",
        "1: what the process needs answers it; 0: it does not.",
        COUNT,
        Line("{{job}}: {{need}}", f"min by (job, need) (foci_ready{{{HERE}}})"),
    ),
    lines(
        "Processor",
        "Cores used by all replicas of a service.",
        COUNT,
        Line("{{job}}", rate("process_cpu_seconds_total", "job")),
    ),
    row("Live"),
    lines(
        "Readers",
        "Live streams that are open, by gateway.",
        COUNT,
        Line("{{instance}}", most("foci_live_readers", "instance")),
    ),
    lines(
        "Ended",
        "Live streams that have ended, and why; slow readers are cut off.",
        PER_SECOND,
        Line("{{because}}", rate("foci_live_closed_total", "because")),
    ),
    lines(
        "To the readers",
        "From hearing a fact to having handed it to a reader's connection: half, 95 and 99 of 100 take at most so long.",
        SECONDS,
        *percentiles("foci_live_fan_out_seconds"),
    ),
)
