"""`python -m local`: run the chat on this machine until Ctrl-C."""

import os
import signal

_STANDARD_STREAMS = (0, 1, 2)


def main() -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; return the exit status: 0, or 1 if the run failed."""
    while (spare := os.open(os.devnull, os.O_RDWR)) in _STANDARD_STREAMS:
        pass  # or the pipe below would take the number of a closed standard stream
    os.close(spare)
    stop, stopped = os.pipe()
    # Python runs signal handlers only in the main thread, between bytecodes. The wakeup descriptor is written at once,
    # so a signal that arrives just before a blocking call is not lost.
    os.set_blocking(stopped, False)
    signal.set_wakeup_fd(stopped, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        from local.run import run  # noqa: PLC0415 - slow; Ctrl-C must already work
    except ModuleNotFoundError as missing:
        os.write(2, f"The package {missing.name} is missing. `make local` installs it.\n".encode())
        return 1
    return run(stop, stopped)


if __name__ == "__main__":
    os._exit(main())  # without waiting for threads that may be blocked in a request
