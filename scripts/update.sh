#!/bin/sh
# Upgrade every lock file: exact versions with hashes, without registry URLs.
set -eu
.venv/bin/python -m pip install --quiet uv
for name in requirements requirements-local requirements-dev; do
    .venv/bin/python -m uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-annotate --custom-compile-command "make update" "$name.in" -o "$name.txt"
done
sed -n 's/^\(pulumi\(-aws\)\{0,1\}==[0-9.]*\).*/\1/p' requirements.txt >components/requirements.txt
if command -v npm >/dev/null 2>&1; then npm update --silent --package-lock-only; fi
