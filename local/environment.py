"""The environment of the local run, without the developer's AWS settings, proxies and other tools' variables."""

import os
from collections.abc import Mapping

_KEPT = (
    # how Python is found and run
    "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE",
    # temporary files and file watching
    "TMPDIR", "WATCHFILES_FORCE_POLLING",
    # encoding and time zone
    "LANG", "LC_ALL", "LC_CTYPE", "TZ",
)  # fmt: skip

_SET = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "HOME": os.devnull,  # botocore also looks for ~/.aws/models
    "PYTHONUTF8": "1",  # in child processes, whatever the locale
    # Otherwise Python uses the system's proxies, which cannot reach addresses of this machine.
    "no_proxy": "*",
    "NO_PROXY": "*",
}


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that the run, its emulator and its functions need."""
    return {**{name: environment[name] for name in _KEPT if name in environment}, **_SET}
