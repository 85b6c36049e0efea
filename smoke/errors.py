"""Errors of the checks. Their text is one sentence for the person at the terminal: why, and what to do."""


class SmokeError(Exception):
    """Base of the errors below."""


class OutputsError(SmokeError):
    """The stack's outputs cannot be read."""


class AccountError(SmokeError):
    """AWS does not let this shell in."""


class CheckFailedError(SmokeError):
    """A check failed."""


class CheckSkippedError(SmokeError):
    """A check does not apply."""
