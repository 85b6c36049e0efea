#!/bin/sh
# See that there is a Chromium: the installed one, else Playwright's, else the system's package. It says what it does,
# and waits for no download for ever.
set -u
LIMIT_SECONDS=${BROWSER_SECONDS:-300}

found() {
    .venv/bin/python -c 'import sys; sys.path.insert(0, "."); from tests.browser.chromium import executable; sys.exit(not executable())'
}
bounded() { # run a command, for a limited time where the system has `timeout`; say why, should it fail
    if command -v timeout >/dev/null 2>&1; then set -- timeout "$LIMIT_SECONDS" "$@"; fi
    said=$("$@" 2>&1 </dev/null) && return
    status=$?
    if [ "$status" = 124 ]; then said="it took more than $LIMIT_SECONDS s"; fi
    echo "  That failed ($status): $(echo "$said" | grep -i -m 1 "error\|unable\|more than" || echo "$said" | tail -n 1)" >&2
    return 1
}

found && exit 0
if [ -n "${CHROMIUM:-}" ]; then
    echo "CHROMIUM=$CHROMIUM is no program that can be run." >&2
    exit 1
fi
echo "There is no Chromium. Playwright's is downloaded (about 150 MB) …" >&2
bounded .venv/bin/python -m playwright install chromium && found && exit 0
if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    if [ "$(id -u)" != 0 ]; then sudo="sudo -n"; fi
    echo "The system's package is installed instead: ${sudo:+$sudo }apt-get install chromium …" >&2
    bounded $sudo apt-get update -qq
    bounded $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        chromium fonts-noto-color-emoji && found && exit 0
fi
echo "There is no Chromium, and none could be installed: install one, or set CHROMIUM=/path/to/chromium." >&2
exit 1
