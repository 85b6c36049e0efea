"""Errors of the local run. Their text is one sentence for the person at the terminal."""


class LocalRunError(Exception):
    """The local run cannot go on."""


class EmulatorError(LocalRunError):
    """The emulator could not be started."""


class DeployError(LocalRunError):
    """The program was refused, or could not be deployed into the emulator."""
