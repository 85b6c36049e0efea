"""`python -m local`: everything on this machine until Ctrl-C, which is heard from the first moment on."""

import os
import signal

_STANDARD_STREAMS = (0, 1, 2)


def main() -> int:
    """Run until SIGINT, SIGTERM or SIGHUP; return the exit status: 0 then, 1 where something could not be started."""
    while (spare := os.open(os.devnull, os.O_RDWR)) in _STANDARD_STREAMS:
        pass  # a stream that is closed must not become the pipe below
    os.close(spare)
    heard, told = os.pipe()
    # Python runs its handlers in the main thread alone, between two steps; this write is done by whichever thread is
    # interrupted, at once, so that a signal on the way into a blocking call is not lost.
    os.set_blocking(told, False)
    signal.set_wakeup_fd(told, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    try:
        from local.run import run  # noqa: PLC0415 - it takes a moment, in which Ctrl-C may come
    except ModuleNotFoundError as missing:
        os.write(2, f"Python's package {missing.name} is missing: `make local` installs what is needed.\n".encode())
        return 1
    return run(heard, told)


if __name__ == "__main__":
    os._exit(main())  # threads may still wait for a request that nobody answers now
