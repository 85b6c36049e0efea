"""The local run from start to end: the emulator, the deployed program, its page, and what is saved meanwhile."""

import json
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from local.emulator import REGION, Emulator
from local.environment import clean
from local.errors import DeployError, LocalRunError
from local.invocations import Invocation
from local.options import MAX_PORT, Options, read_options
from local.site import Site, headers_of_distribution, read_as_distribution, read_publicly
from local.terminal import print_outputs, say, say_ready
from local.watch import Changes, problem_of_functions

if TYPE_CHECKING:
    from local.live_stack import LiveStack

ROOT = Path(__file__).resolve().parent.parent
FUNCTIONS, PAGE = ROOT / "functions", ROOT / "frontend"
SITE_PORT_DISTANCE = 1000
"""From the emulator's port to the page's. It is fixed because browsers keep a page's storage by its address."""
STACK = "dev"
KEEPS_RUNNING = "The last good version keeps running."


class State(Enum):
    """What a run is doing."""

    STARTING = "starting"
    """The emulator starts, and the program is deployed for the first time."""
    DEPLOYED = "deployed"
    """What is saved is live."""
    BROKEN = "broken"
    """A function cannot be loaded; the last good version runs."""
    REFUSED = "refused"
    """What is saved cannot be deployed; the last good version runs."""
    FAILED = "failed"
    """It cannot go on."""
    ENDING = "ending"
    """It was told to end."""


@dataclass(frozen=True)
class Status:
    """A state, and the reason for it, in one sentence, if it is a bad one."""

    state: State
    reason: str = ""

    @property
    def is_over(self) -> bool:
        """Whether no other status follows."""
        return self.state in (State.FAILED, State.ENDING)


def run(stop: int, stopped: int) -> int:
    """Run until `stop`, a file descriptor, is readable; `stopped` is its other end. Return the exit status."""
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
    """Everything that runs. `work` has a thread of its own; `end` may be called at any moment."""

    def __init__(self, options: Options) -> None:
        self.status = Status(State.STARTING)
        self._options = options
        self._lock = threading.Lock()
        self._emulator: Emulator | None = None

    def work(self, stopped: int) -> None:
        """Start everything and deploy what is saved; write to `stopped`, a file descriptor, if that fails."""

        def guarded(part: Callable[[], None]) -> None:
            try:
                part()
            except LocalRunError as error:
                self._enter(Status(State.FAILED, str(error)))
            except Exception as error:  # noqa: BLE001 - whatever it is, the person gets a sentence
                self._enter(Status(State.FAILED, f"{type(error).__name__}: {error}"))
            else:
                return
            os.write(stopped, b"\n")

        def work() -> None:
            emulator = self._open_emulator()
            changes = Changes([FUNCTIONS, PAGE], say) if self._options.watch else None
            stack = self._start(emulator)
            # Another thread, since a deployment waits for a dead emulator to be restarted.
            threading.Thread(target=guarded, args=(lambda: _keep_alive(emulator),), daemon=True).start()
            if changes is not None:
                self._follow(changes, stack)

        guarded(work)

    def end(self) -> Status:
        """End everything that was started; return the last status."""
        self._enter(Status(State.ENDING))
        if self._emulator is not None:
            self._emulator.close()
        return self.status

    def _enter(self, status: Status) -> bool:
        """Set the status, unless the run is over; return whether it did."""
        with self._lock:
            if self.status.is_over:
                return False
            self.status = status
            return True

    def _tell(self, invocation: Invocation) -> None:
        for line in invocation.told(logs=self._options.logs):
            say(line)

    def _open_emulator(self) -> Emulator:
        with self._lock:  # `end` comes before, and nothing is started, or after, and closes it
            if self.status.state is not State.STARTING:
                raise LocalRunError("The run was ended.")
            self._emulator = Emulator(self._options.port, tell=self._tell)
        if self._options.port not in (0, self._emulator.port):
            say(f"Port {self._options.port} is taken; using {self._emulator.port}.")
        return self._emulator

    def _start(self, emulator: Emulator) -> "LiveStack":
        began = time.monotonic()
        emulator.begin()
        # Pulumi takes as long to import as the emulator to start.
        from local.deployer import Deployer  # noqa: PLC0415
        from local.live_stack import LiveStack  # noqa: PLC0415
        from local.resources import Aws, open_session  # noqa: PLC0415

        site = Site(_site_port(self._options.port, emulator.port))
        emulator.wait()
        aws = Aws(emulator.url, open_session(emulator.credentials))
        stack = LiveStack(emulator, Deployer(aws, _config(self._options, emulator, site), STACK))
        try:
            outputs = stack.deploy()
        except DeployError as error:
            raise LocalRunError(f"The program was not deployed. {error}") from None
        policy = stack.headers_policy()
        if policy is None:
            site.serve(read_publicly(f"{emulator.url}/{outputs['site_bucket']}"))
        else:
            site.serve(read_as_distribution(aws.client("s3"), outputs["site_bucket"]), headers_of_distribution(policy))
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
                say_ready(outputs, time.monotonic() - began)
        return stack

    def _follow(self, changes: Changes, stack: "LiveStack") -> None:
        """Deploy what is saved, until the run ends."""
        problem = problem_of_functions(FUNCTIONS, stack.handlers())
        if problem and self._enter(Status(State.BROKEN, problem)):
            say(f"  {problem} The chat does not work until this is fixed.")
        while not self.status.is_over:
            self._redeploy(changes.next(), stack)

    def _redeploy(self, saved: list[Path], stack: "LiveStack") -> None:
        began, before, handlers = time.monotonic(), self.status, stack.handlers()
        check = before.state is not State.DEPLOYED or any(path.is_relative_to(FUNCTIONS) for path in saved)
        broken = problem_of_functions(FUNCTIONS, handlers) if check else None
        refused = stack.deploy_again(hold_functions=broken is not None)
        if not broken and stack.handlers() != handlers:  # a function was added
            broken = problem_of_functions(FUNCTIONS, stack.handlers())
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
    """Restart the emulator whenever it dies. Raises EmulatorError if it cannot be."""
    while emulator.wait_for_death():
        say("  The emulator has died; restarting it with its data.")
        emulator.restart()
        say("  It is back; pages reconnect by themselves.")


def _site_port(wanted: int, emulator_port: int) -> int:
    """Return the page's port; 0, any, if the emulator's may be any too."""
    if not wanted:
        return 0
    above = emulator_port + SITE_PORT_DISTANCE
    return above if above <= MAX_PORT else emulator_port - SITE_PORT_DISTANCE


def _config(options: Options, emulator: Emulator, site: Site) -> dict[str, str]:
    """Return the stack's config: this machine's addresses, and what was given."""
    config = {
        "endpoint_url": emulator.url,
        "local_site_url": site.url,
        "address_allowances": "1000",  # every client here has one address
        **options.config,
    }
    try:
        origins = json.loads(options.config.get("allowed_origins", "[]"))
    except ValueError:
        origins = None
    if isinstance(origins, list):  # otherwise the program refuses it, in its own words
        config["allowed_origins"] = json.dumps([f"http://localhost:{site.port}", *origins])
    return config
