"""Errors of the local run. Each text is a sentence for the developer at the terminal."""


class LocalRunError(Exception):
    """The local run cannot continue."""


class EmulatorError(LocalRunError):
    """The emulator could not start, save or answer."""


class DeployError(LocalRunError):
    """The program was rejected or could not be deployed."""
