#!/bin/sh
# Makes .venv from the hashed locks; `make` calls it when a lock is newer than the environment.
set -eu
cd "$(dirname "$0")/../.."

say() { printf '%s\n' "$*" >&2; }

suitable() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

python=
for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11}; do
    if suitable "$candidate"; then
        python=$candidate
        break
    fi
done
if [ -z "$python" ]; then
    tried=${PYTHON:-python3}
    say "Foci needs Python 3.11, 3.12, 3.13 or 3.14; $tried is $("$tried" --version 2>/dev/null || echo 'not there')."
    say "Install one of them, or name one you have: make run PYTHON=/path/to/python3.12"
    exit 1
fi

# An environment made by another Python, or moved from another folder, cannot be repaired: make it anew.
if [ -d .venv ] && ! .venv/bin/python -c "
import os, sys
sys.exit(os.path.realpath(sys.prefix) != os.path.realpath('.venv'))" 2>/dev/null; then
    rm -rf .venv
fi
if [ -x .venv/bin/foci ] && ! head -n 1 .venv/bin/foci | grep -qF "$PWD/.venv/"; then
    rm -rf .venv
fi

if [ ! -x .venv/bin/pip ]; then
    say "1/3 environment: .venv with $("$python" --version)"
    if ! "$python" -m venv --clear .venv; then
        rm -rf .venv
        say "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"
        exit 1
    fi
fi
say "2/3 installer: uv"
.venv/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
say "3/3 packages: $(grep -c '^[a-z]' requirements/dev.txt) pinned ones (about 150 MB the first time)"
.venv/bin/uv pip sync --python .venv/bin/python --require-hashes --quiet --compile-bytecode \
    --build-constraints requirements/build.txt requirements/dev.txt
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation --offline -e .
touch .venv/.ready
