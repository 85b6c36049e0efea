#!/bin/sh
# See that there is a Chromium: the installed one, else Playwright's, else the system's package.
set -eu
found() {
    .venv/bin/python - <<'PYTHON'
import sys
sys.path.insert(0, ".")
from tests.browser.chromium import executable
sys.exit(0 if executable() else 1)
PYTHON
}
found && exit 0
echo "Installing a Chromium …" >&2
.venv/bin/python -m playwright install chromium >/dev/null 2>&1 && found && exit 0
if command -v apt-get >/dev/null 2>&1; then
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo -n"
    $sudo apt-get update -qq >/dev/null 2>&1 || true
    $sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-color-emoji \
        >/dev/null 2>&1 && found && exit 0
fi
echo "There is no Chromium, and none could be installed: install one, or set CHROMIUM=/path/to/chromium." >&2
exit 1
