#!/bin/sh
# Make .venv and install exactly what a lock file names into it.
set -eu

fits() { # a Python that runs, of a version that the locks are made for
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

if [ ! -x .venv/bin/python ]; then
    for python in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 none}; do
        if fits "$python"; then break; fi
    done
    if ! fits "$python"; then
        echo "Python 3.11 to 3.14 is needed: install one, or name it: PYTHON=/path/to/python make …" >&2
        exit 1
    fi
    echo "Making .venv with $("$python" --version) …" >&2
    rm -rf .venv
    "$python" -m venv .venv || {
        rm -rf .venv
        echo "Python's venv module is missing: sudo apt-get install python3-venv" >&2
        exit 1
    }
fi
echo "Installing $1: about a minute, the first time …" >&2
.venv/bin/python -m pip install --quiet --require-hashes -r "$1"
