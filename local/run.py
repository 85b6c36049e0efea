"""Runs the emulator, the deployed program and its page, and deploys saved files."""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from local import ROOT
from local.emulator import MAX_PORT, REGION, Emulator
from local.environment import clean
from local.errors import DeployError, LocalRunError
from local.invocations import Invocation
from local.options import Options, read_options
from local.site import Site, headers_of_distribution, read_as_distribution, read_publicly
from local.terminal import print_outputs, say, say_ready
from local.watch import Changes, load_problem

if TYPE_CHECKING:
    from local.live_stack import LiveStack

FUNCTIONS, PAGE = ROOT / "functions", ROOT / "frontend"
SITE_PORT_OFFSET = 1000
"""The page's port is the emulator's plus this. Fixed, because browsers key a page's storage by its origin."""
STACK = "dev"
KEEPS_RUNNING = "The last good version keeps running."


class State(Enum):
    """The state of a run."""

    STARTING = "starting"
    """The emulator is starting, or the first deployment is in progress."""
    DEPLOYED = "deployed"
    """The saved files are live."""
    BROKEN = "broken"
    """A function cannot be loaded; the last good version is running."""
    REFUSED = "refused"
    """The saved files cannot be deployed; the last good version is running."""
    FAILED = "failed"
    """The run cannot continue."""
    ENDING = "ending"
    """The run was asked to stop."""


@dataclass(frozen=True)
class Status:
    """A state and, if something is wrong, the reason in one sentence."""

    state: State
    reason: str = ""

    @property
    def is_over(self) -> bool:
        """Whether this status is final."""
        return self.state in (State.FAILED, State.ENDING)


def run(stop: int, stopped: int) -> int:
    """Run until the file descriptor `stop` is readable; `stopped` is its write end. Return the exit status."""
    local = LocalRun(read_options())
    environment = clean(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    threading.Thread(target=local.work, args=(stopped,), daemon=True).start()
    os.read(stop, 1)
    status = local.end()
    say(f"\n{status.reason}" if status.state is State.FAILED else "\nStopped. Nothing is left behind.")
    return 1 if status.state is State.FAILED else 0


class LocalRun:
    """One local run. `work` runs in its own thread; `end` may be called at any time."""

    def __init__(self, options: Options) -> None:
        self.status = Status(State.STARTING)
        self._options = options
        self._lock = threading.Lock()
        self._emulator: Emulator | None = None

    def work(self, stopped: int) -> None:
        """Start everything and deploy saved files; write to the file descriptor `stopped` if that fails."""

        def guarded(part: Callable[[], None]) -> None:
            try:
                part()
            except LocalRunError as error:
                self._enter(Status(State.FAILED, str(error)))
            except Exception as error:  # noqa: BLE001 - any error is reported in a sentence
                self._enter(Status(State.FAILED, f"{type(error).__name__}: {error}"))
            else:
                return
            os.write(stopped, b"\n")

        def work() -> None:
            emulator = self._open_emulator()
            changes = Changes([FUNCTIONS, PAGE], say) if self._options.watch else None
            stack = self._start(emulator)
            # In another thread: if the emulator dies, a deployment waits until it is restarted.
            threading.Thread(target=guarded, args=(lambda: _keep_alive(emulator),), daemon=True).start()
            if changes is not None:
                self._follow(changes, stack)

        guarded(work)

    def end(self) -> Status:
        """Stop everything; return the final status."""
        self._enter(Status(State.ENDING))
        if self._emulator is not None:
            self._emulator.close()
        return self.status

    def _enter(self, status: Status) -> bool:
        """Set the status unless the run is over; return whether it was set."""
        with self._lock:
            if self.status.is_over:
                return False
            self.status = status
            return True

    def _report(self, invocation: Invocation) -> None:
        for line in invocation.report(logs=self._options.logs):
            say(line)

    def _open_emulator(self) -> Emulator:
        with self._lock:  # `end` runs either before this, so nothing starts, or after it, and closes the emulator
            if self.status.state is not State.STARTING:
                raise LocalRunError("The run was stopped.")
            self._emulator = Emulator(self._options.port, report=self._report)
        if self._options.port not in (0, self._emulator.port):
            say(f"Port {self._options.port} is taken; using {self._emulator.port}.")
        return self._emulator

    def _start(self, emulator: Emulator) -> "LiveStack":
        began = time.monotonic()
        emulator.begin()
        # Slow to import: the emulator starts in parallel.
        from local import deployer, live_stack, resources  # noqa: PLC0415
        from local.resources import cognito  # noqa: PLC0415

        site = Site(_site_port(self._options.port, emulator.port))
        emulator.wait()
        aws = resources.Aws(emulator.url, resources.open_session(emulator.credentials))
        config = _config(self._options, emulator, site)
        stack = live_stack.LiveStack(emulator, deployer.Deployer(aws, config, STACK))
        try:
            outputs = stack.deploy()
        except DeployError as error:
            raise LocalRunError(f"The program could not be deployed. {error}") from None
        policy = stack.headers_policy()
        if policy is None:
            site.serve(read_publicly(f"{emulator.url}/{outputs['site_bucket']}"))
        else:
            site.serve(read_as_distribution(aws.client("s3"), outputs["site_bucket"]), headers_of_distribution(policy))
        if "user_pool_id" in outputs:
            outputs["accounts"] = [asdict(one) for one in cognito.create_accounts(aws, outputs["user_pool_id"])]
            emulator.save()
        if self._enter(Status(State.DEPLOYED)):
            outputs["emulator"] = {
                "endpoint_url": emulator.url,
                "region": REGION,
                "access_key_id": emulator.credentials.access_key_id,
                "secret_access_key": emulator.credentials.secret_access_key,
            }
            if self._options.json:
                print_outputs(outputs)
            else:
                say_ready(outputs, time.monotonic() - began, watch=self._options.watch)
        return stack

    def _follow(self, changes: Changes, stack: "LiveStack") -> None:
        """Deploy saved files until the run ends."""
        problem = load_problem(FUNCTIONS, stack.handlers())
        if problem and self._enter(Status(State.BROKEN, problem)):
            say(f"  {problem} The chat will not work until this is fixed.")
        while not self.status.is_over:
            self._redeploy(changes.next(), stack)

    def _redeploy(self, saved: list[Path], stack: "LiveStack") -> None:
        began, before, handlers = time.monotonic(), self.status, stack.handlers()
        check = before.state is not State.DEPLOYED or any(path.is_relative_to(FUNCTIONS) for path in saved)
        broken = load_problem(FUNCTIONS, handlers) if check else None
        refused = stack.deploy_again(hold_functions=broken is not None)
        if not broken and stack.handlers() != handlers:  # a function was added
            broken = load_problem(FUNCTIONS, stack.handlers())
        if refused:
            entered = self._enter(Status(State.REFUSED, refused))
        else:
            entered = self._enter(Status(State.BROKEN, broken) if broken else Status(State.DEPLOYED))
        if not entered:
            return
        if broken:
            say(f"  {broken} {KEEPS_RUNNING}")
        if refused:
            say(f"  {refused} {KEEPS_RUNNING}")
        elif stack.changes or before.state is State.REFUSED or (before.state is State.BROKEN and not broken):
            names = ", ".join(f"{path.relative_to(ROOT)}{'' if path.exists() else ' (deleted)'}" for path in saved)
            say(f"  Live after {time.monotonic() - began:.1f} s: {names}")


def _keep_alive(emulator: Emulator) -> None:
    """Restart the emulator whenever it dies. Raises EmulatorError if that fails."""
    while emulator.wait_for_death():
        say("  The emulator has died; restarting it with its data.")
        emulator.restart()
        say("  The emulator is running again; open pages reconnect.")


def _site_port(wanted: int, emulator_port: int) -> int:
    """Return the page's port; 0 (any free port) if the emulator's was 0 too."""
    if not wanted:
        return 0
    above = emulator_port + SITE_PORT_OFFSET
    return above if above <= MAX_PORT else emulator_port - SITE_PORT_OFFSET


def _config(options: Options, emulator: Emulator, site: Site) -> dict[str, str]:
    """Return the stack's config: local addresses, overridden by the command line."""
    config = {
        "endpoint_url": emulator.url,
        "local_site_url": site.url,
        "address_allowances": "1000",  # all local clients share one address
        **options.config,
    }
    try:
        origins = json.loads(options.config.get("allowed_origins", "[]"))
    except ValueError:
        origins = None
    if isinstance(origins, list):  # otherwise the program reports the error
        config["allowed_origins"] = json.dumps([f"http://localhost:{site.port}", *origins])
    return config
