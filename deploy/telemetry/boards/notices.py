"""Whether people hear what concerns them: notices, mail, webhooks."""

from __future__ import annotations

from deploy.telemetry.expressions import most, percentiles, rate
from deploy.telemetry.panels import COUNT, PER_SECOND, SECONDS, Line, board, lines, number, row

BOARD = board(
    "foci-notices",
    "Foci: notices",
    "Whether people hear what concerns them: notices, mail, webhooks.",
    row("People"),
    number(
        "Oldest notice due",
        "How long the oldest has been due.",
        SECONDS,
        most("foci_notify_overdue_seconds"),
        alarm="FociNoticesOverdue",
    ),
    number(
        "Mails accepted",
        "By the mail server.",
        PER_SECOND,
        rate("foci_notify_mails_total", where='result="accepted"'),
    ),
    number(
        "Not taken now",
        "Mails the mail server put off, or could not be given.",
        PER_SECOND,
        rate("foci_notify_mails_total", where='result="later"'),
    ),
    number(
        "Wait for a turn",
        "How far away the latest mail's turn was: the set rate lets no more through.",
        SECONDS,
        most("foci_notify_lane_wait_seconds"),
    ),
    lines(
        "What becomes of notices",
        "mail and inbox: told; nothing: overtaken; quiet, digest, pace: wait; off, nobody: not wanted.",
        PER_SECOND,
        Line("{{outcome}}", rate("foci_notify_notices_total", "outcome")),
    ),
    lines(
        "From due to decided",
        "Half, 95 and 99 of 100 notices take at most so long.",
        SECONDS,
        *percentiles("foci_notify_lateness_seconds"),
    ),
    lines(
        "Mails by result",
        "accepted; later: tried again; unknown: perhaps arrived, sent again; never, bad-address: refused for good.",
        PER_SECOND,
        Line("{{result}}", rate("foci_notify_mails_total", "result")),
    ),
    lines(
        "Overdue",
        "How long the oldest notice, and the oldest message to a webhook, have been due.",
        SECONDS,
        Line("notice", most("foci_notify_overdue_seconds")),
        Line("webhook", most("foci_webhook_overdue_seconds")),
    ),
    row("Webhooks"),
    lines(
        "Deliveries",
        "Tries, by outcome; a failed one is tried again for a day.",
        PER_SECOND,
        Line("{{outcome}}", rate("foci_webhook_deliveries_total", "outcome")),
    ),
    lines(
        "Time of targets",
        "How long targets take to answer; they have 10 s.",
        SECONDS,
        *percentiles("foci_webhook_seconds"),
    ),
    lines(
        "Paused",
        "Webhooks paused because their target failed for a day.",
        COUNT,
        Line("webhooks", most("foci_webhooks_paused")),
    ),
)
