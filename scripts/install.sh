#!/bin/sh
# Make .venv and install exactly what a lock file names into it.
set -eu
python=${PYTHON:-python3}
command -v "$python" >/dev/null 2>&1 || { echo "Python is missing: install Python 3.11 to 3.14." >&2; exit 1; }
"$python" - <<'PYTHON' || exit 1
import sys
if not (3, 11) <= sys.version_info[:2] <= (3, 14):
    sys.exit(f"Python 3.11 to 3.14 is needed, this is {sys.version.split()[0]}: PYTHON=python3.13 make …")
PYTHON
if [ ! -x .venv/bin/python ]; then
    echo "Making .venv …" >&2
    "$python" -m venv .venv || {
        rm -rf .venv
        echo "Python's venv module is missing: sudo apt-get install python3-venv" >&2
        exit 1
    }
fi
echo "Installing $1 …" >&2
.venv/bin/python -m pip install --quiet --require-hashes -r "$1"
