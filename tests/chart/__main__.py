"""`python -m tests.chart`: fetch helm and the schemas, then look at what the chart makes."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.chart.tools import prepare

if __name__ == "__main__":
    prepare()
    # Not named like tests, so that `make test`, which has no helm, does not take them in.
    here = str(Path(__file__).parent)
    sys.exit(pytest.main(["-q", "-o", "python_files=check_*.py", here, *sys.argv[1:]]))
