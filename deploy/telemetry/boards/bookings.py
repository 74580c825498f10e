"""What is booked and how full it is, over all hubs: no figure is by hub or person."""

from __future__ import annotations

from deploy.telemetry.expressions import most, percentiles, rate
from deploy.telemetry.panels import COUNT, PER_SECOND, SECONDS, SHARE, Line, board, lines, number, row

BOOKED, PRESENT, CAPACITY = (
    most("foci_booking_units", where=f'count="{one}"') for one in ("booked", "present", "capacity")
)
OPERATIONS = 'operation=~"reserve|confirm-booking|move-booking|cancel-booking|check-in|check-out"'
SIGN_UPS = 'operation=~"sign-up|sign-up-guest|confirm-sign-up|accept-offer|give-back-place"'

BOARD = board(
    "foci-bookings",
    "Foci: bookings",
    "What is booked and how full it is, over all hubs together.",
    row("Now"),
    number("Places", "Units of all spaces of all hubs.", COUNT, CAPACITY),
    number("Booked", "Units booked for now.", COUNT, BOOKED),
    number("Present", "Of them checked in.", COUNT, PRESENT),
    number("Occupied", "Booked of all places, now.", SHARE, f"{BOOKED} / {CAPACITY}"),
    lines(
        "Occupancy",
        "Units over all hubs, as last measured.",
        COUNT,
        Line("places", CAPACITY),
        Line("booked", BOOKED),
        Line("present", PRESENT),
    ),
    lines(
        "Orders",
        "What people do with bookings, also when it was refused.",
        PER_SECOND,
        Line("{{operation}}", rate("foci_requests_total", "operation", OPERATIONS)),
    ),
    row("Reserving"),
    lines(
        "Answers",
        "201 booked, 409 taken by somebody else, 422 against the rules, 5xx failed.",
        PER_SECOND,
        Line("{{status}}", rate("foci_requests_total", "status", 'operation="reserve"')),
    ),
    lines(
        "Time to reserve",
        "In booking, without the gateway.",
        SECONDS,
        *percentiles("foci_request_seconds", 'operation="reserve"'),
    ),
    lines(
        "Made together",
        "Reservations by one statement: 1 in quiet times, more in a rush.",
        COUNT,
        Line("mean", f"{rate('foci_reserve_batch_sum')} / {rate('foci_reserve_batch_count')}"),
    ),
    lines(
        "Rooms mended",
        "Rooms on which events and booking differed and which were mended; more than a few a day are an alarm.",
        PER_SECOND,
        Line("by booking", rate("foci_booking_venues_mended_total")),
        Line("by events", rate("foci_events_venues_mended_total")),
    ),
    row("Meetups"),
    lines(
        "Sign-ups",
        "Orders about places at events, by what was asked and how it was answered.",
        PER_SECOND,
        Line("{{operation}} {{status}}", rate("foci_requests_total", "operation, status", SIGN_UPS)),
    ),
    lines(
        "Wishes for rooms not answered",
        "Events that wait for booking's word for too long.",
        COUNT,
        Line("wishes", most("foci_events_venues_unanswered")),
    ),
)
