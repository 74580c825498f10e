"""A program for the nursery: says what it finds around it, then ends as told, or stays."""

from __future__ import annotations

import json
import os
import signal
import sys


def main() -> None:
    """Say it on standard output; the one word is the exit code, or `stay`."""
    around = {
        "environment": dict(os.environ),
        "words": sys.argv[1:],
        "session": os.getsid(0),
        "pid": os.getpid(),
    }
    sys.stdout.write(f"{json.dumps(around)}\n")
    if sys.argv[1] == "stay":
        signal.pause()
    sys.exit(int(sys.argv[1]))


if __name__ == "__main__":
    main()
