"""Keeps the deployed stack up to date with the sources across restarts of the emulator."""

from typing import Any

from local.deployer import Deployed, Deployer
from local.emulator import Emulator
from local.errors import LocalRunError

FUNCTION = "aws:lambda/function:Function"
_HEADERS_POLICY = "aws:cloudfront/responseHeadersPolicy:ResponseHeadersPolicy"


class LiveStack:
    """A stack that a deployer has deployed to an emulator."""

    def __init__(self, emulator: Emulator, deployer: Deployer) -> None:
        self._emulator = emulator
        self._deployer = deployer
        self._saved: dict[str, Deployed] = {}
        """Resources that the emulator has after a restart."""
        self._start = emulator.starts
        """The emulator's start number that the deployer's state belongs to."""

    @property
    def changes(self) -> list[str]:
        """Resources that the last deployment created, updated or deleted."""
        return self._deployer.changes

    def handlers(self) -> list[str]:
        """Return the entry points of the deployed functions, `module.function`."""
        return sorted(one.inputs["handler"] for one in self._deployer.deployed.values() if one.type == FUNCTION)

    def headers_policy(self) -> dict[str, Any] | None:
        """Return the inputs of the distribution's response headers policy; None without a distribution."""
        policies = [one.inputs for one in self._deployer.deployed.values() if one.type == _HEADERS_POLICY]
        return policies[0] if policies else None

    def deploy(self) -> dict[str, Any]:
        """Deploy for the first time; return the outputs. Raises DeployError, or EmulatorError if saving fails."""
        outputs = self._deployer.run()
        self._emulator.save()
        self._saved = dict(self._deployer.deployed)
        return outputs

    def deploy_again(self, *, hold_functions: bool) -> str | None:
        """Deploy what has changed; return why it was refused, or None.

        If the emulator dies, wait for its restart and deploy again. With `hold_functions`, functions are not updated.
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
