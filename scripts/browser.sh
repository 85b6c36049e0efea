#!/bin/sh
# Make sure a Chromium is available: an installed one, or else Playwright's, or else the system's package.
set -u
LIMIT_SECONDS=${BROWSER_SECONDS:-300}

found() {
    .venv/bin/python -c 'import sys; sys.path.insert(0, "."); from tests.browser.chromium import executable; sys.exit(not executable())'
}
bounded() { # run a command, with a time limit if the system has `timeout`; on failure print why
    if command -v timeout >/dev/null 2>&1; then set -- timeout "$LIMIT_SECONDS" "$@"; fi
    said=$("$@" 2>&1 </dev/null) && return
    status=$?
    if [ "$status" = 124 ]; then said="timed out after $LIMIT_SECONDS s"; fi
    echo "  Failed with status $status: $(echo "$said" | grep -i -m 1 "error\|unable\|timed out" || echo "$said" | tail -n 1)" >&2
    return 1
}

found && exit 0
if [ -n "${CHROMIUM:-}" ]; then
    echo "CHROMIUM=$CHROMIUM cannot be run." >&2
    exit 1
fi
echo "No Chromium found. Downloading Playwright's (about 150 MB) …" >&2
bounded .venv/bin/python -m playwright install chromium && found && exit 0
if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    if [ "$(id -u)" != 0 ]; then sudo="sudo -n"; fi
    echo "Installing the system's package instead: ${sudo:+$sudo }apt-get install chromium …" >&2
    bounded $sudo apt-get update -qq
    bounded $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        chromium fonts-noto-color-emoji && found && exit 0
fi
echo "Chromium could not be installed. Install it, or set CHROMIUM=/path/to/chromium." >&2
exit 1
