"""The bookings the bench makes: number n is always the same place, time and person, and no two of them clash."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import orjson

ROOMS, AREAS, SEATS = 5, 5, 8
PLACES = ROOMS + AREAS
"""A hub's places: five rooms taken whole, five areas taken seat by seat; `place-0` … `place-9`."""
SLOTS_A_DAY = 24
DAYS = 360
SLOTS = SLOTS_A_DAY * DAYS
STRIDE = 2731
"""Shares no factor with SLOTS, so that walking in this stride meets every slot once, all over the year."""
MINUTES = 30
OPENS_AT = 7
"""UTC hour of the first slot; the hubs are open 07:00 to 22:00 in Stockholm, on all days."""
TITLE = "Interview, please knock"


@dataclass(frozen=True)
class Plan:
    """Where and by whom: hubs, each with the bearer tokens of its people."""

    hubs: tuple[str, ...]
    tokens: tuple[tuple[str, ...], ...]
    first_day: datetime

    @property
    def size(self) -> int:
        """How many different bookings there are."""
        return len(self.hubs) * PLACES * SLOTS

    def request(self, number: int) -> bytes:
        """Booking `number` as an HTTP request; `gateway.lua` makes the same."""
        place_of_all, round_ = number % (len(self.hubs) * PLACES), number // (len(self.hubs) * PLACES)
        hub, place = place_of_all % len(self.hubs), place_of_all // len(self.hubs)
        slot = round_ * STRIDE % SLOTS
        start = self.first_day + timedelta(
            days=slot // SLOTS_A_DAY, hours=OPENS_AT, minutes=slot % SLOTS_A_DAY * MINUTES
        )
        body = orjson.dumps(
            {
                "space": f"place-{place}",
                "start": start.isoformat(),
                "end": (start + timedelta(minutes=MINUTES)).isoformat(),
                "title": TITLE,
            }
        )
        tokens = self.tokens[hub]
        head = (
            f"POST /v1/hubs/{self.hubs[hub]}/bookings HTTP/1.1\r\nHost: foci\r\n"
            f"Authorization: Bearer {tokens[number % len(tokens)]}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {key(number)}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body

    def as_lua(self) -> str:
        """The same for `gateway.lua`."""
        hubs = ",".join(f'"{hub}"' for hub in self.hubs)
        tokens = ",".join("{" + ",".join(f'"{token}"' for token in some) + "}" for some in self.tokens)
        first = int(self.first_day.timestamp()) + OPENS_AT * 3600
        return (
            f"return {{hubs={{{hubs}}},tokens={{{tokens}}},first={first},places={PLACES},slots={SLOTS},"
            f'slots_a_day={SLOTS_A_DAY},stride={STRIDE},seconds={MINUTES * 60},title="{TITLE}"}}\n'
        )


def key(number: int) -> str:
    """The idempotency key of booking `number`, as long as a UUID."""
    return f"bench-{number:030d}"


def first_day(now: datetime) -> datetime:
    """Midnight (UTC) after tomorrow: everything planned lies ahead."""
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight + timedelta(days=2)
