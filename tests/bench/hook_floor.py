"""The bare HTTP client, in a process of its own: bodies that are there already, posted unsigned, and nothing noted."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import httpx2
import uvloop


async def post(url: str, at_once: int, number: int, bodies: list[str]) -> float:
    """Post so many, that many at once; seconds it took."""
    left = iter(range(number))
    limits = httpx2.Limits(max_connections=at_once, max_keepalive_connections=at_once)
    headers = {"Content-Type": "application/cloudevents+json"}
    async with httpx2.AsyncClient(limits=limits, trust_env=False, timeout=10) as client:

        async def one_after_the_other() -> None:
            for place in left:
                answer = await client.post(url, content=bodies[place % len(bodies)], headers=headers)
                answer.raise_for_status()

        started = time.monotonic()
        async with asyncio.TaskGroup() as posts:
            for _ in range(at_once):
                posts.create_task(one_after_the_other())
        return time.monotonic() - started


if __name__ == "__main__":
    at_once, number = int(sys.argv[2]), int(sys.argv[3])
    found = uvloop.run(post(sys.argv[1], at_once, number, json.loads(Path(sys.argv[4]).read_text())))
    sys.stdout.write(f"{found}\n")
