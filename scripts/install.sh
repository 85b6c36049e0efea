#!/bin/sh
# Create .venv and install the exact versions of a lock file.
set -eu

fits() { # whether a Python works and has a version that the lock files support
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

if [ ! -x .venv/bin/python ]; then
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 none}; do
        if fits "$python"; then break; fi
    done
    if ! fits "$python"; then
        echo "Python 3.11–3.14 is required. Install it, or run PYTHON=/path/to/python make …" >&2
        exit 1
    fi
    echo "Creating .venv with $("$python" --version) …" >&2
    rm -rf .venv
    "$python" -m venv .venv || {
        rm -rf .venv
        echo "Python's venv module is missing: sudo apt-get install python3-venv" >&2
        exit 1
    }
fi
echo "Installing the packages in $1: about a minute the first time …" >&2
.venv/bin/python -m pip install --quiet --require-hashes -r "$1"
