"""The local run from start to end: the emulator, the deployed program, its page, and what is saved meanwhile."""

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from local.emulator import HOST, Emulator, EmulatorFailed
from local.site import Site, headers_of_distribution, read_as_distribution, read_publicly
from local.watch import Changes, problem_of_functions

if TYPE_CHECKING:
    from local.deployer import Deployer, Made
    from local.resources import Aws

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS, PAGE = ROOT / "functions", ROOT / "frontend"
DEFAULT_PORT = 4566
SITE_ABOVE = 1000
"""The page's port is so far above the emulator's: the same at each start, since a browser keeps names by address."""
STACK = "dev"
FUNCTION = "aws:lambda/function:Function"
GOES_ON = "The last good version goes on running."
_MAX_PORT = 65535
_CHECK_SECONDS = 0.1


def run(heard: int, told: int) -> int:
    """Run until `heard` (a file descriptor) can be read; `told` is its other end. Return the exit status."""
    local = LocalRun(_options())
    for name in ("no_proxy", "NO_PROXY"):  # nothing that is here lies beyond a proxy
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), HOST, "localhost"]))
    threading.Thread(target=local.work, args=(told,), daemon=True).start()
    os.read(heard, 1)
    local.end()
    say(f"\n{local.failure}" if local.failure else "\nStopped. Nothing is left behind.")
    return 1 if local.failure else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole chat on this machine.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="of the emulator, or the next free one")
    parser.add_argument("--json", action="store_true", help="print the outputs as one line of JSON, nothing else")
    parser.add_argument("--config", action="append", default=[], metavar="KEY=VALUE", help="of the stack's config")
    parser.add_argument("--no-watch", action="store_true", help="do not look for saved files")
    options = parser.parse_args()
    if not 0 <= options.port <= _MAX_PORT:
        parser.error(f"a port is from 0 to {_MAX_PORT}, not {options.port}")
    for pair in options.config:
        if "=" not in pair:
            parser.error(f"--config takes KEY=VALUE, not {pair!r}")
    return options


def say(text: str) -> None:
    """Tell the person at the terminal, if there is one; standard output is the outputs' alone with --json."""
    _print(text, sys.stderr)


def _print(text: str, stream: Any) -> None:
    try:
        if stream is not None:
            print(text, file=stream, flush=True)
    except (OSError, ValueError):
        return  # nobody reads any more; that is no reason to stop


class LocalRun:
    """All that runs. `work` is done by a thread of its own; `end` may come at any moment."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.failure = ""
        """Why it ended by itself, in one sentence."""
        self._options = options
        self._ending = False
        self._lock = threading.Lock()
        self._emulator: Emulator
        self._site: Site
        self._aws: Aws
        self._deployer: Deployer
        self._changes: Changes | None = None
        self._problem: str | None = None
        self._refused: str | None = None
        self._lives = self._life = 1
        """How often the emulator was started, and which of its lives the last deployment was in."""
        self._kept: dict[str, Made] = {}
        self._started: Emulator | None = None

    def work(self, told: int) -> None:
        """Start everything, and keep it up to date until it fails; write to `told` (a file descriptor) then."""

        def guarded(part: Callable[[], None]) -> None:
            try:
                part()
            except Exception as error:  # noqa: BLE001 - a person gets a sentence, whatever it is
                if not self._ending:
                    self.failure = (
                        str(error) if isinstance(error, EmulatorFailed) else f"{type(error).__name__}: {error}"
                    )
                os.write(told, b"\n")

        def started() -> None:
            self._start()
            # Apart from the files: a deployment must not wait for an emulator that nobody starts again.
            threading.Thread(target=guarded, args=(self._keep_alive,), daemon=True).start()
            self._keep_current()

        guarded(started)

    def end(self) -> None:
        """End everything that was started."""
        with self._lock:  # nothing is begun from here on
            self._ending = True
        if self._started is not None:
            self._started.clear_up()

    def _start(self) -> None:
        begun = time.monotonic()
        with self._lock:
            if self._ending:
                return
            self._emulator = self._started = Emulator(self._options.port)
        if self._options.port not in (0, self._emulator.port):
            say(f"Port {self._options.port} is taken; using {self._emulator.port}.")
        self._emulator.begin()
        from local.deployer import Deployer  # noqa: PLC0415 - Pulumi's import takes as long as the emulator's start
        from local.resources import Aws  # noqa: PLC0415

        if not self._options.no_watch:
            self._changes = Changes([FUNCTIONS, PAGE], say)
        self._site = Site(self._site_port())
        self._emulator.wait()
        self._aws = Aws(self._emulator.url)
        self._deployer = Deployer(self._aws, self._config(), STACK)
        outputs = self._deploy_first()
        self._serve(outputs["site_bucket"])
        self._emulator.save()
        self._kept = dict(self._deployer.made)
        self._announce(outputs, time.monotonic() - begun)

    def _site_port(self) -> int:
        if not self._options.port:
            return 0
        above = self._emulator.port + SITE_ABOVE
        return above if above <= _MAX_PORT else self._emulator.port - SITE_ABOVE

    def _config(self) -> dict[str, str]:
        """Return the stack's config: where it runs, and what was given; people open the page under both its names."""
        given = dict(pair.split("=", 1) for pair in self._options.config)
        local = {"endpoint_url": self._emulator.url, "local_site_url": self._site.url}
        try:
            origins = json.loads(given.get("allowed_origins", "[]"))
        except ValueError:
            origins = None
        if isinstance(origins, list):  # else the program itself says what is wrong with it
            given["allowed_origins"] = json.dumps([f"http://localhost:{self._site.port}", *origins])
        return local | given

    def _deploy_first(self) -> dict[str, Any]:
        from local.deployer import DeployFailed  # noqa: PLC0415

        try:
            return self._deployer.run()
        except DeployFailed as failed:
            raise EmulatorFailed(f"The program was not deployed. {failed}") from None

    def _serve(self, bucket: str) -> None:
        policies = [one for one in self._deployer.made.values() if one.type.endswith(":ResponseHeadersPolicy")]
        if policies:
            headers = headers_of_distribution(policies[0].inputs)
            self._site.serve(read_as_distribution(self._aws.client("s3"), bucket), headers)
        else:
            self._site.serve(read_publicly(f"{self._emulator.url}/{bucket}"))

    def _announce(self, outputs: dict[str, Any], seconds: float) -> None:
        if self._options.json:
            _print(json.dumps(outputs), sys.stdout)
            return
        _print(
            f"\n  The chat is ready ({seconds:.1f} s):  {outputs['site_url']}\n"
            f"\n  Open it in two tabs. The WebSocket:  {outputs['websocket_url']}"
            "\n  A file saved under functions/ or frontend/ is live at once. Ctrl-C stops everything.\n",
            sys.stdout,
        )

    def _keep_alive(self) -> None:
        """Start the emulator again should it die."""
        while not self._ending:
            if self._emulator.is_running():
                time.sleep(_CHECK_SECONDS)
                continue
            self._lives += 1
            say("  The emulator has died. It is started again with its data.")
            self._emulator.end()
            self._emulator.start()
            say("  It is back; pages connect again by themselves.")

    def _keep_current(self) -> None:
        """Put saved files into the emulator."""
        if self._changes is None:
            return
        self._check_functions("The chat does not work before that is put right.")
        while not self._ending:
            self._redeploy(self._changes.next())

    def _check_functions(self, until_then: str) -> None:
        handlers = [one.inputs["handler"] for one in self._deployer.made.values() if one.type == FUNCTION]
        self._problem = problem_of_functions(FUNCTIONS, handlers)
        if self._problem and not self._ending:
            say(f"  {self._problem} {until_then}")

    def _redeploy(self, saved: list[Path]) -> None:
        begun = time.monotonic()
        was_broken = self._problem is not None
        if any(path.is_relative_to(FUNCTIONS) for path in saved):
            self._check_functions(GOES_ON)
        refused = self._deployed_again()
        if self._ending:
            return
        if refused:
            say(f"  {refused} {GOES_ON}")
        elif self._deployer.changes or self._refused or (was_broken and not self._problem):
            names = ", ".join(f"{path.relative_to(ROOT)}{'' if path.exists() else ' (deleted)'}" for path in saved)
            say(f"  Live after {time.monotonic() - begun:.1f} s: {names}")
        self._refused = refused

    def _deployed_again(self) -> str | None:
        """Deploy what has changed; return why that is refused, or None. An emulator that dies is no reason."""
        from local.deployer import DeployFailed  # noqa: PLC0415

        while not self._ending:
            if self._life != self._lives:
                self._life = self._lives
                self._deployer.made = dict(self._kept)  # what the emulator has after its new start
            refused = None
            try:
                self._deployer.run(hold=FUNCTION if self._problem else None)
                self._emulator.save()
            except (DeployFailed, OSError) as failed:
                refused = str(failed)
            if self._life == self._lives and self._emulator.is_running():
                self._kept = self._kept if refused else dict(self._deployer.made)
                return refused
            time.sleep(_CHECK_SECONDS)
        return None
