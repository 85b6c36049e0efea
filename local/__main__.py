"""`python -m local`: everything on this machine until Ctrl-C. It knows the program only by running it."""

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any

from local.emulator import Emulator, EmulatorFailed, free_port
from local.site import Site, read_as_distribution, read_publicly
from local.watch import Changes

ROOT = Path(__file__).resolve().parent.parent
DEFAULT_PORT = 4566
STACK = "dev"
_CHECK_SECONDS = 0.2


class Stopped(Exception):  # noqa: N818 - a wish, not a fault
    """Somebody pressed Ctrl-C, or sent SIGTERM."""


def main() -> int:
    """Run until SIGINT or SIGTERM; return the exit status: 0 then, 1 where something could not be started."""
    options = _options()
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    run = LocalRun(options, stopped)
    try:
        run.start()
        run.watch()
    except Stopped:
        pass
    except EmulatorFailed as failed:
        say(f"\n{failed}")
        return 1
    finally:
        run.end()
    say("\nStopped. Nothing is left behind.")
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local", description="The whole chat on this machine.")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="of the emulator, or the next free one")
    parser.add_argument("--json", action="store_true", help="print the outputs as one line of JSON, nothing else")
    parser.add_argument("--config", action="append", default=[], metavar="KEY=VALUE", help="of the stack's config")
    parser.add_argument("--no-watch", action="store_true", help="do not look for saved files")
    options = parser.parse_args()
    if not 0 <= options.port <= 65535:  # noqa: PLR2004 - TCP
        parser.error(f"a port is from 0 to 65535, not {options.port}")
    for pair in options.config:
        if "=" not in pair:
            parser.error(f"--config takes KEY=VALUE, not {pair!r}")
    return options


def say(text: str) -> None:
    """Tell the person at the terminal; standard output is the outputs' alone with --json."""
    print(text, file=sys.stderr, flush=True)


class LocalRun:
    """The emulator, the site and the deployed program, from start to end."""

    def __init__(self, options: argparse.Namespace, stopped: threading.Event) -> None:
        self._options = options
        self._stopped = stopped
        self._emulator: Emulator | None = None
        self._site: Site | None = None
        self._deployer: Any = None
        self._outputs: dict[str, Any] = {}

    def start(self) -> None:
        """Start everything and print the page's address. Raises EmulatorFailed, Stopped."""
        begun = time.monotonic()
        port = free_port(self._options.port)
        if port != self._options.port and self._options.port:
            say(f"Port {self._options.port} is taken; using {port}.")
        self._emulator = Emulator(port)
        starting = threading.Thread(target=self._load_deployer, daemon=True)
        starting.start()  # Pulumi's import takes as long as the emulator's start
        self._emulator.start()
        starting.join()
        self._check_stopped()
        self._site = Site(0)
        self._deploy_first()
        self._serve()
        self._check_stopped()
        self._announce(time.monotonic() - begun)

    @staticmethod
    def _load_deployer() -> None:
        import local.deployer  # noqa: F401, PLC0415 - heavy: loaded beside the emulator's start

    def _deploy_first(self) -> None:
        from local.deployer import Deployer, DeployFailed  # noqa: PLC0415
        from local.resources import Aws  # noqa: PLC0415

        emulator, site = self._emulator, self._site
        if emulator is None or site is None:
            raise EmulatorFailed("The emulator has not been started.")
        config = {"endpoint_url": emulator.url, "local_site_url": site.url}
        config |= dict(pair.split("=", 1) for pair in self._options.config)
        self._aws = Aws(emulator.url)
        self._deployer = Deployer(self._aws, config, STACK)
        try:
            self._outputs = self._deployer.run()
        except DeployFailed as failed:
            raise EmulatorFailed(f"The program was not deployed. {failed}") from None

    def _serve(self) -> None:
        site, emulator = self._site, self._emulator
        if site is None or emulator is None:
            return
        bucket = self._outputs["site_bucket"]
        made = self._deployer.made.values()
        policies = [one for one in made if one.type.endswith(":ResponseHeadersPolicy")]
        if policies:
            site.headers = cdn_headers(policies[0].inputs)
            site.read = read_as_distribution(self._aws.client("s3"), bucket)
        else:
            site.read = read_publicly(f"{emulator.url}/{bucket}")

    def _announce(self, seconds: float) -> None:
        if self._options.json:
            print(json.dumps(self._outputs), flush=True)
            return
        print(
            f"\n  The chat is ready ({seconds:.1f} s):  {self._outputs['site_url']}\n"
            f"\n  Open it in two tabs. The WebSocket:  {self._outputs['websocket_url']}"
            "\n  A file saved under functions/ or frontend/ is live at once. Ctrl-C stops everything.\n",
            flush=True,
        )

    def watch(self) -> None:
        """Put saved files into the emulator, and start that again should it die, until told to stop."""
        changes = None if self._options.no_watch else Changes([ROOT / "functions", ROOT / "frontend"], self._stopped)
        while not self._stopped.wait(_CHECK_SECONDS):
            if self._emulator is not None and not self._emulator.is_running():
                self._restart()
            for path in changes.taken() if changes else []:
                problem = changes.problem(path) if changes else None
                if problem:
                    say(f"  {problem} The last good version goes on running.")
                    break
            else:
                if changes and changes.due():
                    self._redeploy()
        raise Stopped

    def _redeploy(self) -> None:
        from local.deployer import DeployFailed  # noqa: PLC0415

        begun = time.monotonic()
        try:
            self._deployer.run()
        except DeployFailed as failed:
            say(f"  {failed} The last good version goes on running.")
            return
        names = self._deployer.changes
        if names:
            shown = f"{len(names)} functions" if all("-function" in name for name in names) else ", ".join(names)
            say(f"  Live after {time.monotonic() - begun:.1f} s: {shown}")

    def _restart(self) -> None:
        if self._emulator is None or self._stopped.is_set():
            return
        say("  The emulator has died. It is started again with its data.")
        self._emulator.end()
        self._emulator.start()
        say("  It is back; pages connect again by themselves.")

    def _check_stopped(self) -> None:
        if self._stopped.is_set():
            raise Stopped

    def end(self) -> None:
        """End everything that was started; a second Ctrl-C does not disturb it."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        if self._site is not None:
            self._site.close()
        if self._emulator is not None:
            self._emulator.clear_up()


def cdn_headers(policy: dict[str, Any]) -> dict[str, str]:
    """Return the headers that CloudFront adds by a response headers policy."""
    security = policy["securityHeadersConfig"]
    transport = security["strictTransportSecurity"]
    headers = {
        "Content-Security-Policy": security["contentSecurityPolicy"]["contentSecurityPolicy"],
        "Strict-Transport-Security": f"max-age={int(transport['accessControlMaxAgeSec'])}; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": security["frameOptions"]["frameOption"],
        "Referrer-Policy": security["referrerPolicy"]["referrerPolicy"],
    }
    return headers | {item["header"]: item["value"] for item in policy["customHeadersConfig"]["items"]}


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    os._exit(status)  # the deployer's threads may still wait for a request that nobody answers now
