"""A program that downloads in processes of its own, which may die anywhere; for `test_kills.py`.

For each line of JSON on stdin it forks: the child brings a repository to a cache. Its id is the answer, then its exit
status, or minus the signal that ended it. A child that is told so kills itself at its n-th dealing with files, or
hopes for room on its disk.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from app.downloads import Gate, Hub, HubCache, Patience, PlainFolder
from app.downloads.connection import _certificates
from app.downloads.transfer import Stop, Transfer, free_bytes
from engine import EngineError

COUNTED = {"open", "os.rename", "os.symlink", "os.mkdir", "os.remove", "os.rmdir", "os.truncate", "socket.connect"}


def bring(wish: dict[str, Any]) -> int:
    """What a child does."""
    left = wish["dies_at"]

    def count(event: str, _: object) -> None:
        nonlocal left
        if event in COUNTED:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    hub = Hub(Gate(), wish["address"], patience=replace(Patience(), num_tries=2, first_wait_s=0.0))
    place = PlainFolder(Path(wish["folder"])) if wish["is_plain"] else HubCache(Path(wish["folder"]))
    try:
        listing = hub.look(wish["repo"])
        sys.addaudithook(count)
        free = (lambda folder: 1 << 40) if wish.get("hopes") else free_bytes
        Transfer(hub, listing, place, lambda folder, stop: None, lambda status: None, Stop(), free).run()
    except EngineError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def main() -> None:
    _certificates()  # read once, for all children
    while line := sys.stdin.readline():
        child = os.fork()
        if not child:
            os._exit(bring(json.loads(line)))
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    main()
