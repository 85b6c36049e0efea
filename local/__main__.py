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
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: os.write(told, b"\n"))
    try:
        from local.run import run  # noqa: PLC0415 - it takes a moment, in which Ctrl-C may come
    except ModuleNotFoundError as missing:
        os.write(2, f"Python's package {missing.name} is missing: `make local` installs what is needed.\n".encode())
        return 1
    return run(heard, told)


if __name__ == "__main__":
    os._exit(main())  # threads may still wait for a request that nobody answers now
