"""A process that lints the imports of one copy of the code again and again: each line it reads names the contracts."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout

from importlinter.cli import lint_imports


def main() -> None:
    """Answer each line with the exit code of `lint-imports` and what it says; what has not changed is parsed once."""
    for line in sys.stdin:
        said = io.StringIO()
        with redirect_stdout(said):
            code = lint_imports(limit_to_contracts=tuple(json.loads(line)), cache_dir=".cache", no_logo=True)
        sys.stdout.write(json.dumps([code, said.getvalue()]) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
