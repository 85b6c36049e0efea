"""`python -m local`: everything on this machine, until Ctrl-C."""

import os
import signal

_STANDARD_STREAMS = (0, 1, 2)


def main() -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; return the exit status: 0 then, 1 if it could not go on."""
    while (spare := os.open(os.devnull, os.O_RDWR)) in _STANDARD_STREAMS:
        pass  # the pipe below must not take the place of a closed standard stream
    os.close(spare)
    stop, stopped = os.pipe()
    # Python runs its signal handlers in the main thread alone, between two bytecodes. The wakeup descriptor is written
    # at once, in whichever thread is interrupted, so a signal just before a blocking call is not lost.
    os.set_blocking(stopped, False)
    signal.set_wakeup_fd(stopped, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        from local.run import run  # noqa: PLC0415 - it takes a moment, in which Ctrl-C may be pressed
    except ModuleNotFoundError as missing:
        os.write(2, f"The package {missing.name} is missing: `make local` installs what is needed.\n".encode())
        return 1
    return run(stop, stopped)


if __name__ == "__main__":
    os._exit(main())  # threads may still be waiting for a request that is never answered
