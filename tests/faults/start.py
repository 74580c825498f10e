"""`python -m tests.faults.start MODULE …`: `main` of one of these processes, imported as quickly as a service."""

from __future__ import annotations

import sys

from shared.kit.loading import load

if __name__ == "__main__":
    load(sys.argv.pop(1)).main()
