"""The deployed stack, kept in step with the sources across restarts of the emulator."""

from typing import Any

from local.deployer import Deployed, Deployer
from local.emulator import Emulator
from local.errors import LocalRunError

FUNCTION = "aws:lambda/function:Function"
_HEADERS_POLICY = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"


class LiveStack:
    """What a deployer has put into an emulator."""

    def __init__(self, emulator: Emulator, deployer: Deployer) -> None:
        self._emulator = emulator
        self._deployer = deployer
        self._saved: dict[str, Deployed] = {}
        """What the emulator has after a restart."""
        self._start = emulator.starts
        """Which of the emulator's starts the deployer's state belongs to."""

    @property
    def changes(self) -> list[str]:
        """What the last deployment created, updated or deleted."""
        return self._deployer.changes

    def handlers(self) -> list[str]:
        """Return the entry points of the deployed functions, `module.function`."""
        return sorted(one.inputs["handler"] for one in self._deployer.deployed.values() if one.type == FUNCTION)

    def headers_policy(self) -> dict[str, Any] | None:
        """Return the inputs of the distribution's headers policy, if there is a distribution."""
        policies = [one.inputs for one in self._deployer.deployed.values() if one.type == _HEADERS_POLICY]
        return policies[0] if policies else None

    def deploy(self) -> dict[str, Any]:
        """Deploy for the first time; return the outputs. Raises DeployError, or EmulatorError if it cannot be saved."""
        outputs = self._deployer.run()
        self._emulator.save()
        self._saved = dict(self._deployer.deployed)
        return outputs

    def deploy_again(self, *, hold_functions: bool) -> str | None:
        """Deploy what has changed; return why it was refused, or None.

        If the emulator dies meanwhile it waits for its restart and deploys again. With `hold_functions` the functions
        stay as they are.
        """
        while self._emulator.wait_until_serving():
            if self._start != self._emulator.starts:
                self._start = self._emulator.starts
                self._deployer.deployed = dict(self._saved)
            refusal = None
            try:
                self._deployer.run(hold=FUNCTION if hold_functions else None)
                self._emulator.save()
            except LocalRunError as error:
                refusal = str(error)
            if self._emulator.is_running() and self._start == self._emulator.starts:
                if refusal is None:
                    self._saved = dict(self._deployer.deployed)
                return refusal
        return None
