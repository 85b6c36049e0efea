#!/bin/sh
# Check the page's JavaScript: types with the TypeScript compiler, format and lint with Biome. Only this script needs Node.
set -eu
if ! command -v npm >/dev/null 2>&1; then
    echo "Skipped the JavaScript checks, which need Node 20 or later (https://nodejs.org, or apt-get install nodejs npm)." >&2
    exit 0
fi
if [ ! -x node_modules/.bin/tsc ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --silent --no-audit --no-fund || { echo "npm ci failed. Is its registry reachable?" >&2; exit 1; }
fi
node_modules/.bin/tsc -p frontend/jsconfig.json
node_modules/.bin/biome check frontend tests/browser/modules
