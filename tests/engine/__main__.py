"""`python -m tests.engine`: deploy the program with the real Pulumi CLI to an emulator, from `up` to `destroy`."""

import shutil
import sys
import tempfile
import time
from pathlib import Path

from local.emulator import Emulator
from local.errors import EmulatorError
from tests.engine.emulated_cloud import EmulatedCloud
from tests.engine.pulumi_cli import EngineError, PulumiCli, stack_config
from tests.engine.steps import steps

NO_CLI = "The Pulumi CLI is not installed: see https://www.pulumi.com/docs/install/"


def main() -> int:
    """Run the steps and print a line for each; return 0, 1 if one fails, or 2 without the Pulumi CLI."""
    if shutil.which("pulumi") is None:
        _say(NO_CLI)
        return 2
    try:
        emulator = Emulator(0)
    except EmulatorError as error:
        _say(str(error))
        return 1
    try:
        with tempfile.TemporaryDirectory(prefix="test-engine-") as folder:
            emulator.start()
            pulumi = PulumiCli(Path(folder), stack_config(emulator.url, emulator.credentials))
            for claim, run in steps(pulumi, EmulatedCloud(emulator)):
                began = time.monotonic()
                detail = run()
                _say(f"PASS  {claim} ({time.monotonic() - began:.0f} s){f': {detail}' if detail else ''}")
    except (EmulatorError, EngineError) as error:
        _say(f"FAIL  {error}")
        return 1
    finally:
        emulator.close()
    return 0


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
