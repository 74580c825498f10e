"""A real subscriber: vdirsyncer fetches a hub's feeds, khal shows them, and what khal shows is what the API says.

python -m tests.interop.subscriber URL HUB OPERATOR_TOKEN MEMBER_TOKEN FOLDER
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

from services.cli.gateway import Gateway

# ruff: noqa: T201  # it talks to the person who runs it

_DAYS = 300
_WRITTEN = "%Y-%m-%d %H:%M"
_PAIR = """[general]
status_path = "{folder}/status"
[pair feed]
a = "here"
b = "there"
collections = null
conflict_resolution = "b wins"
[storage here]
type = "filesystem"
path = "{folder}/events"
fileext = ".ics"
[storage there]
type = "http"
url = "{url}"
"""
_KHAL = """[calendars]
[[feed]]
path = {folder}/events
readonly = True
[locale]
timeformat = %H:%M
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%d %H:%M
longdatetimeformat = %Y-%m-%d %H:%M
local_timezone = {zone}
default_timezone = {zone}
[sqlite]
path = {folder}/khal.db
"""


@dataclass
class Subscriber:
    """Somebody with a calendar program, subscribed to one address."""

    folder: Path
    zone: ZoneInfo

    @classmethod
    def subscribe(cls, url: str, folder: Path, zone: ZoneInfo) -> Subscriber:
        """Add the address as one does: configure, discover."""
        (folder / "events").mkdir(parents=True)
        (folder / "vdirsyncer").write_text(_PAIR.format(folder=folder, url=url), "utf-8")
        (folder / "khal").write_text(_KHAL.format(folder=folder, zone=zone.key), "utf-8")
        subscriber = cls(folder, zone)
        assert subscriber._run("vdirsyncer", "discover").returncode == 0
        return subscriber

    def sync(self) -> bool:
        """Fetch what is new; false when the address answers nobody."""
        return self._run("vdirsyncer", "sync").returncode == 0

    def listed(self) -> set[tuple[str, str, str, bool]]:
        """What the screen shows of the time to come: start, end, title, whether it is cancelled."""
        shown = "{start-long}|{end-long}|{cancelled}|{title}"
        asked = ("list", "--once", "--day-format", "", "--format", shown, _today(self.zone), f"{_DAYS}d")
        done = self._run("khal", *asked)
        assert done.returncode == 0, done.stderr
        lines = [line.split("|", 3) for line in done.stdout.splitlines() if line.count("|") >= 3]
        return {(start, end, title, bool(off.strip())) for start, end, off, title in lines}

    def _run(self, tool: str, *words: str) -> subprocess.CompletedProcess[str]:
        command = [tool, "-c", str(self.folder / tool), *words]
        surroundings = {**os.environ, "LC_ALL": "C.UTF-8", "NO_PROXY": "*", "no_proxy": "*"}
        done = subprocess.run(
            command,
            input="y\n" * 9,
            capture_output=True,
            text=True,
            env=surroundings,
            timeout=120,
            check=False,
        )
        if done.returncode:
            print(f"{tool} {words[0]}: {done.stderr.strip()[-400:]}")
        return done


def _today(zone: ZoneInfo) -> str:
    return f"{datetime.now(zone):%Y-%m-%d}"


def _said(item: dict[str, Any], zone: ZoneInfo) -> tuple[str, str, str, bool]:
    start, end = (
        datetime.fromisoformat(item[name]).astimezone(zone).strftime(_WRITTEN) for name in ("start", "end")
    )
    return start, end, item["title"], item["status"] == "cancelled"


def _by_api(gateway: Gateway, hub: str, zone: ZoneInfo) -> set[tuple[str, str, str, bool]]:
    first = datetime.now(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    query = {
        "limit": 100,
        "from": first.isoformat(),
        "to": (first + timedelta(days=_DAYS)).isoformat(),
        "status": ["published", "changed", "held", "cancelled"],
    }
    items = gateway.items(f"/v1/hubs/{hub}/events", query)
    return {_said(item, zone) for item in items if item["visibility"] == "public"}


def _agree(what: str, shown: set[Any], expected: set[Any]) -> None:
    if shown != expected:
        print(f"FAILED: {what}")
        print(f"  only in khal: {sorted(shown - expected)[:5]}")
        print(f"  only by the API: {sorted(expected - shown)[:5]}")
        sys.exit(1)
    print(f"{what}: {len(shown)} events, {sum(1 for one in shown if one[3])} of them cancelled")


def _start(gateway: Gateway, hub: str, title: str, days: int) -> dict[str, Any]:
    day = (datetime.now(UTC) + timedelta(days=days)).date()
    body = {"title": title, "start": f"{day}T10:00", "end": f"{day}T11:30", "publish": True}
    body |= {"place": {"address": "Quay 1; at the crane, left"}, "capacity": 5}
    made: dict[str, Any] = gateway.post(f"/v1/hubs/{hub}/events", body).body
    return made


def follow_programme(operator: Gateway, anybody: Gateway, hub: str, folder: Path) -> dict[str, Any]:
    """A hub's programme, before and after somebody changed it; an event of it that stays."""
    zone = ZoneInfo(anybody.get(f"/v1/hubs/{hub}").body["time_zone"])
    stays, moves, goes = (
        _start(operator, hub, title, days)
        for title, days in (("Tea, and more; daily", 20), ("Räksmörgås 🍤", 200), ("Cancelled talk", 30))
    )
    subscriber = Subscriber.subscribe(
        f"{anybody.url}/v1/hubs/{hub}/feeds/programme.ics", folder / "programme", zone
    )
    assert subscriber.sync()
    shown = subscriber.listed()
    _agree("the programme", shown, _by_api(anybody, hub, zone))
    assert {_said(one, zone) for one in (stays, moves, goes)} <= shown
    day = moves["start"][:10]
    later = {"start": f"{day}T15:00", "end": f"{day}T17:00"}
    operator.patch(f"/v1/hubs/{hub}/events/{moves['id']}", later, version=moves["version"])
    operator.post(f"/v1/hubs/{hub}/events/{goes['id']}/cancel", {"reason": "No heating"})
    assert subscriber.sync()
    shown = subscriber.listed()
    _agree("the programme, changed", shown, _by_api(anybody, hub, zone))
    assert (f"{day} 15:00", f"{day} 17:00", moves["title"], False) in shown
    assert any(title == goes["title"] and cancelled for _, _, title, cancelled in shown)
    return stays


def follow_oneself(member: Gateway, token: str, hub: str, event: dict[str, Any], folder: Path) -> None:
    """One's own events at a secret address, until it is revoked."""
    zone = ZoneInfo(event["time_zone"])
    feed = member.post(f"/v1/hubs/{hub}/feeds", {}).body
    mine = Subscriber.subscribe(f"{member.url}/v1/feeds/{feed['secret']}.ics", folder / "mine", zone)
    member.post(f"/v1/hubs/{hub}/events/{event['id']}/sign-ups", {})
    assert mine.sync()
    assert _said(event, zone) in mine.listed()
    print(f"one's own calendar: {len(mine.listed())} events")
    own = f"{member.url}/v1/me/feeds/{feed['id']}"
    httpx2.delete(own, headers={"Authorization": f"Bearer {token}"}, trust_env=False).raise_for_status()
    assert not mine.sync()
    gone = httpx2.get(f"{member.url}/v1/feeds/{feed['secret']}.ics", trust_env=False)
    assert gone.status_code == 404, gone.text
    print("a revoked address answers nobody")


def main() -> None:
    """All of it, against a running stack."""
    url, hub, operator, member, folder = sys.argv[1:]
    with Gateway(url, operator) as staff, Gateway(url, member) as one, Gateway(url) as anybody:
        stays = follow_programme(staff, anybody, hub, Path(folder))
        follow_oneself(one, member, hub, stays, Path(folder))


if __name__ == "__main__":
    main()
