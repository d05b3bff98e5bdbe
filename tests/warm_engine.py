"""The pretended engine without its second of imports: a warm process forks one for whoever asks.

    python -I -S tests/warm_engine.py SOCKET SCENARIO MARKER

stands in for `python tests/fake_engine.py SCENARIO MARKER`: it hands its standard streams over, lives as long as the
fork that got them, and ends with its status; when it is killed, so is the fork.
"""

import _socket  # the whole of `socket` takes longer than the rest
import os
import sys
from array import array

NUM_STREAMS = 3


def stand_in(path: str, *arguments: str) -> int:
    """Have a fork play the engine with our streams, and return its status."""
    server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    server.connect(path)
    streams = array("i", range(NUM_STREAMS))
    server.sendmsg(["\0".join(arguments).encode()], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, streams)])
    for stream in range(NUM_STREAMS):
        os.close(stream)
    status = server.recv(1)
    return status[0] if status else 1


def serve(listener_fd: int) -> None:
    """Fork an engine for each that asks, until stdin closes."""
    import select
    import signal
    import socket
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import tests.fake_engine  # noqa: F401 - the forks have it

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for their status here
    listener = socket.socket(fileno=listener_fd)
    while True:
        if 0 in select.select([0, listener], [], [])[0]:
            return
        asking, _ = listener.accept()
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listener.close()
            play(asking)
        asking.close()


def play(asking: "_socket.socket") -> None:
    """Be the engine of the one that asks, and end with it."""
    import socket
    import threading
    from pathlib import Path

    from tests.fake_engine import FakeEngine

    def end(status: int) -> None:
        asking.send(bytes([status]))
        os._exit(status)

    def follow() -> None:
        asking.recv(1)
        os._exit(1)

    said, streams, _, _ = socket.recv_fds(asking, 4096, NUM_STREAMS)
    scenario, marker = said.decode().split("\0")
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    threading.Thread(target=follow, daemon=True).start()
    FakeEngine(scenario, Path(marker) if marker else None, end).run()
    end(0)


if __name__ == "__main__":
    if sys.argv[1] == "--serve":
        serve(int(sys.argv[2]))
    else:
        os._exit(stand_in(*sys.argv[1:]))
