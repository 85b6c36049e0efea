"""The environment of the local run: nothing of the person's AWS set-up, proxies and other tools' variables."""

import os
from collections.abc import Mapping

_KEPT = (
    # how Python is found and run
    "PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE",
    # where temporary files go, and what the machine cannot do
    "TMPDIR", "WATCHFILES_FORCE_POLLING",
    # how text is shown
    "LANG", "LC_ALL", "LC_CTYPE", "TZ",
)  # fmt: skip

_SET = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "HOME": os.devnull,  # botocore also looks for ~/.aws/models
    "PYTHONUTF8": "1",  # for the processes that are started; whatever the locale is
    # With these set Python does not ask the system for its proxies, which cannot reach this machine's own addresses.
    "no_proxy": "*",
    "NO_PROXY": "*",
}


def clean(environment: Mapping[str, str]) -> dict[str, str]:
    """Return what the run, its emulator and its functions need of an environment."""
    return {**{name: environment[name] for name in _KEPT if name in environment}, **_SET}
